"""Real Kafka and PostgreSQL for tests: given ones, else containers, else the embedded stack."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import docker
from docker.errors import DockerException
from rich.console import Console
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy
from testcontainers.postgres import PostgresContainer

from deploy.local import kafka, postgres, processes

KAFKA_IMAGE = os.environ.get("ATTUNE_TEST_KAFKA_IMAGE", "apache/kafka:4.4.0")
POSTGRES_IMAGE = os.environ.get("ATTUNE_TEST_POSTGRES_IMAGE", "postgres:18")
KAFKA_HEAP_MB = 1024
UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the tests' Kafka and PostgreSQL are."""

    kafka_url: str
    database_url: str
    """A superuser's address, to make databases with."""


@contextmanager
def standing() -> Iterator[Stack]:
    """A stack for a test session: KAFKA_URL and DATABASE_URL, else containers, else embedded."""
    given = os.environ.get("KAFKA_URL"), os.environ.get("DATABASE_URL")
    if given[0] and given[1]:
        yield Stack(given[0], given[1])
    elif _docker_answers():
        with _containers() as stack:
            yield stack
    else:
        with embedded() as stack:
            yield stack


@contextmanager
def embedded() -> Iterator[Stack]:
    """Kafka and PostgreSQL as children of this process, with nothing kept afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="attune-tests-"))
    port, controller_port, postgres_port = (processes.free_port() for _ in range(3))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres.prepare(folder / "postgres", "tests")
        stack.enter_context(_child(postgres.start(folder / "postgres", port=postgres_port, durable=False)))
        command = kafka.prepare(
            folder / "kafka",
            port=port,
            controller_port=controller_port,
            console=Console(stderr=True),
            heap_mb=KAFKA_HEAP_MB,
        )
        stack.enter_context(_child(kafka.start(folder / "kafka", command)))
        for each in (postgres_port, port):
            _wait(partial(processes.listens, each))
        yield Stack(f"127.0.0.1:{port}", postgres.url(postgres_port, "tests"))


@contextmanager
def _containers() -> Iterator[Stack]:
    port = processes.free_port()
    broker = (
        DockerContainer(KAFKA_IMAGE)
        .with_bind_ports(9092, port)
        .with_env("KAFKA_NODE_ID", "1")
        .with_env("KAFKA_PROCESS_ROLES", "broker,controller")
        .with_env("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093")
        .with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://127.0.0.1:{port}")
        .with_env("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT")
        .with_env("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER")
        .with_env("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093")
        .with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
        .with_env("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1")
        .with_env("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
        .waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    )
    database = PostgresContainer(POSTGRES_IMAGE, username="postgres", password="tests", dbname="postgres")
    database.with_command("postgres -c max_connections=300 -c fsync=off")
    with broker, database:
        yield Stack(
            f"127.0.0.1:{port}",
            postgres.url(int(database.get_exposed_port(5432)), "tests"),
        )


def _docker_answers() -> bool:
    try:
        docker.from_env(timeout=5).ping()
    except (DockerException, OSError):
        return False
    return True


@contextmanager
def _child(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        # What it holds is thrown away, so it need not end in order.
        process.kill()
        process.wait()


def _wait(check: Callable[[], bool]) -> None:
    give_up = time.monotonic() + UP_SECONDS
    while not check():
        if time.monotonic() > give_up:
            raise TimeoutError("the tests' Kafka and PostgreSQL did not start")
        time.sleep(0.1)
