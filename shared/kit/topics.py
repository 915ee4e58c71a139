"""Topics as one YAML file says them: created where they are missing, compared where they are there.

    defaults:
      partitions: 12
      replication: -1            # -1: three, or one per broker where there are fewer
                                 # all copies but one have to be written before a producer is answered
      config: {retention.ms: 1209600000}
    topics:
      intake.requests: {}
      intake.submissions: {config: {retention.ms: 86400000}}

Names are streams; the environment's prefix is put before them. Other members, such as ACLs, are for others.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.kit.errors import Fatal
from shared.kit.kafka import Kafka

APPEAR_SECONDS = 30.0
AS_MANY_AS_SENSIBLE = -1
SENSIBLE = 3
IN_SYNC = "min.insync.replicas"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    partitions: int | None = Field(None, ge=1)
    replication: int | None = Field(None, ge=-1)
    config: dict[str, str | int | bool] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    defaults: _Shape = _Shape()
    topics: dict[str, _Shape | None] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be."""

    stream: str
    partitions: int
    replication: int
    config: dict[str, str]


def read(file: Path) -> list[Topic]:
    """The topics that a file names."""
    try:
        content = _File.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise Fatal(f"{file} cannot be read: {type(error).__name__}") from None
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise Fatal(f"{file} is wrong: {'; '.join(faults)}") from None
    defaults = content.defaults
    return [
        Topic(
            stream=stream,
            partitions=(shape and shape.partitions) or defaults.partitions or 12,
            replication=(shape and shape.replication) or defaults.replication or AS_MANY_AS_SENSIBLE,
            config={
                name: _text(value)
                for name, value in {**defaults.config, **(shape.config if shape else {})}.items()
            },
        )
        for stream, shape in content.topics.items()
    ]


async def apply(kafka: Kafka, topics: Sequence[Topic]) -> list[str]:
    """Creates the topics that are missing; returns their streams once the cluster knows them."""
    streams = [topic.stream for topic in topics]
    missing = set(await kafka.missing(streams))
    if missing:
        async with kafka.admin() as admin:
            brokers = len((await admin.describe_cluster())["brokers"])
            new = [
                as_created(kafka.topic(topic.stream), topic, brokers)
                for topic in topics
                if topic.stream in missing
            ]
            answer = await admin.create_topics(new, timeout_ms=20_000)
        for each in answer.to_object()["topic_errors"]:
            error = for_code(each["error_code"])
            # Another process may have been first.
            if each["error_code"] and error is not TopicAlreadyExistsError:
                raise Fatal(f"Kafka refuses to create {each['topic']}: {error.__name__}")
        await _appear(kafka, missing)
    return sorted(missing)


def as_created(name: str, topic: Topic, brokers: int) -> NewTopic:
    """A topic as it is asked for on a cluster of so many brokers."""
    copies = min(SENSIBLE, brokers) if topic.replication == AS_MANY_AS_SENSIBLE else topic.replication
    # Kafka's own default of one would call a record safe that a single broker holds.
    written = {IN_SYNC: str(_in_sync(copies))}
    return NewTopic(name, topic.partitions, copies, None, written | topic.config)


def _in_sync(copies: int) -> int:
    return max(1, copies - 1)


async def differences(kafka: Kafka, topics: Sequence[Topic]) -> list[str]:
    """Where the cluster is not as the file says: topics missing, too few partitions, other settings."""
    found: list[str] = []
    async with kafka.admin() as admin:
        described = {
            each["topic"]: each
            for each in await admin.describe_topics([kafka.topic(topic.stream) for topic in topics])
            if not each["error_code"]
        }
        for topic in topics:
            name = kafka.topic(topic.stream)
            if name not in described:
                found.append(f"{name} is missing")
                continue
            partitions = len(described[name]["partitions"])
            if partitions != topic.partitions:
                found.append(f"{name} has {partitions} partitions instead of {topic.partitions}")
            settings = await _settings(admin, name)
            copies = len(described[name]["partitions"][0]["replicas"])
            wanted = {IN_SYNC: str(_in_sync(copies))} | topic.config
            found += [
                f"{name}: {key} is {settings.get(key)} instead of {value}"
                for key, value in wanted.items()
                if settings.get(key) != value
            ]
    return found


async def _settings(admin: Any, name: str) -> dict[str, str]:
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    [resource] = answer.to_object()["resources"]
    return {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}


async def _appear(kafka: Kafka, streams: set[str]) -> None:
    """Waits until brokers speak of new topics; they learn of them a little after they are created."""
    try:
        async with asyncio.timeout(APPEAR_SECONDS):
            while True:
                try:
                    if not await kafka.missing(streams):
                        return
                except (KafkaError, OSError):
                    pass
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Fatal(f"the topics of {', '.join(sorted(streams))} were created but do not appear") from None


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
