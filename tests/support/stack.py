"""Real Kafka and PostgreSQL for tests: given ones, else containers, else the embedded stack."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound
from rich.console import Console
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.local import kafka, postgres, processes

KAFKA_IMAGE = os.environ.get("ATTUNE_TEST_KAFKA_IMAGE", "apache/kafka:4.4.0")
POSTGRES_IMAGE = os.environ.get("ATTUNE_TEST_POSTGRES_IMAGE", "postgres:18")
KAFKA_HEAP_MB = 1024
UP_SECONDS = 60.0
PULL_SECONDS = 300
MEMORY, MEMORY_BYTES = Path("/dev/shm"), 3 * 1024**3  # noqa: S108 - a folder with a name of its own is made in it


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the tests' Kafka and PostgreSQL are."""

    kafka_url: str
    database_url: str
    """A superuser's address, to make databases with."""


class Source(StrEnum):
    """Where the tests' Kafka and PostgreSQL come from."""

    GIVEN = "given"
    CONTAINERS = "containers"
    EMBEDDED = "embedded"


def choose(environment: Mapping[str, str]) -> Source:
    """What is given if both addresses are, else containers if an engine has the images, else embedded."""
    if environment.get("KAFKA_URL") and environment.get("DATABASE_URL"):
        return Source.GIVEN
    try:
        engine = docker.from_env(timeout=5, environment=dict(environment))
        engine.ping()
    except (DockerException, OSError):
        return Source.EMBEDDED
    images = [KAFKA_IMAGE, POSTGRES_IMAGE]
    if not testcontainers_config.ryuk_disabled:
        # Testcontainers' own, which takes the others away; without it none is started.
        images.append(testcontainers_config.ryuk_image)
    with closing(engine):
        for image in images:
            if not _is_there(engine, image):
                sys.stderr.write(f"Docker answers but has no {image}: the embedded stack is used instead\n")
                return Source.EMBEDDED
    return Source.CONTAINERS


def _is_there(engine: docker.DockerClient, image: str) -> bool:
    try:
        engine.images.get(image)
    except ImageNotFound:
        engine.api.timeout = PULL_SECONDS
        try:
            engine.images.pull(image)
        except (DockerException, OSError):
            return False
    return True


@contextmanager
def standing() -> Iterator[Stack]:
    """A stack for a test session, from the first source that there is."""
    source = choose(os.environ)
    if source is Source.GIVEN:
        yield Stack(os.environ["KAFKA_URL"], os.environ["DATABASE_URL"])
        return
    with containers() if source is Source.CONTAINERS else embedded() as stack:
        yield stack


@contextmanager
def embedded() -> Iterator[Stack]:
    """Kafka and PostgreSQL as children of this process, with nothing kept afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="attune-tests-", dir=_memory()))
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


def _memory() -> Path | None:
    """A folder in memory, where there is room.

    Each test makes and drops databases of hundreds of files, which disks are slow at: ext4 will not use a
    deleted file's place again for a while, and searches the longer the more there are.
    """
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return MEMORY if roomy and shutil.disk_usage(MEMORY).free > MEMORY_BYTES else None


@contextmanager
def containers() -> Iterator[Stack]:
    """The same as containers of the official images, by way of testcontainers."""
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
