"""Topics as one YAML file says them: created where they are missing, set anew where they differ.

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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.kit.errors import Fatal
from shared.kit.kafka import Kafka

APPEAR_SECONDS = 30.0
AS_MANY_AS_SENSIBLE = -1
SENSIBLE = 3
IN_SYNC = "min.insync.replicas"
_SET_FOR_THE_TOPIC = 1
"""Kafka's code for where a setting comes from; others are the broker's or Kafka's own."""


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


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting of a topic that is not what the file says."""

    topic: str
    setting: str
    found: str | None
    wanted: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done to the cluster."""

    created: list[str]
    """Streams."""

    changed: list[Difference]
    """With what each setting was before."""


async def apply(kafka: Kafka, topics: Sequence[Topic]) -> Applied:
    """Creates the topics that are missing, and gives the others the settings that the file names.

    Other settings stay, and so do partitions and copies: more partitions would move keys.
    """
    created = await _create(kafka, topics)
    older = [topic for topic in topics if topic.stream not in created]
    async with kafka.admin() as admin:
        changed: list[Difference] = []
        for topic, found in await _look(admin, kafka, older):
            if wrong := list(found.wrong(topic)):
                await _set(admin, found.name, found.own | {each.setting: each.wanted for each in wrong})
                changed += wrong
    if changed:
        await _settle(kafka, older)
    return Applied(created, changed)


async def _create(kafka: Kafka, topics: Sequence[Topic]) -> list[str]:
    """Creates what is missing; returns the streams once the cluster knows them."""
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
    async with kafka.admin() as admin:
        there = await _look(admin, kafka, topics)
    known = {topic.stream for topic, _ in there}
    found = [f"{kafka.topic(topic.stream)} is missing" for topic in topics if topic.stream not in known]
    for topic, seen in there:
        if seen.partitions != topic.partitions:
            found.append(f"{seen.name} has {seen.partitions} partitions instead of {topic.partitions}")
        found += [
            f"{each.topic}: {each.setting} is {each.found} instead of {each.wanted}"
            for each in seen.wrong(topic)
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Found:
    """A topic as it is on the cluster."""

    name: str
    partitions: int
    copies: int
    settings: Mapping[str, str | None]
    own: dict[str, str]
    """Those that were set for this topic."""

    def wrong(self, topic: Topic) -> Iterator[Difference]:
        """Its settings that the file says otherwise."""
        for setting, wanted in ({IN_SYNC: str(_in_sync(self.copies))} | topic.config).items():
            if self.settings.get(setting) != wanted:
                yield Difference(self.name, setting, self.settings.get(setting), wanted)


async def _look(
    admin: AIOKafkaAdminClient, kafka: Kafka, topics: Sequence[Topic]
) -> list[tuple[Topic, _Found]]:
    """Those of the topics that are there."""
    # Of none at all Kafka would describe every topic there is.
    described = await admin.describe_topics([kafka.topic(each.stream) for each in topics]) if topics else []
    partitions = {each["topic"]: each["partitions"] for each in described if not each["error_code"]}
    there = []
    for topic in topics:
        name = kafka.topic(topic.stream)
        if name in partitions:
            [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
            [resource] = answer.to_object()["resources"]
            if resource["error_code"]:
                error = for_code(resource["error_code"])
                raise Fatal(f"Kafka refuses to show the settings of {name}: {error.__name__}")
            entries = resource["config_entries"]
            found = _Found(
                name=name,
                partitions=len(partitions[name]),
                copies=len(partitions[name][0]["replicas"]),
                settings={each["config_names"]: each["config_value"] for each in entries},
                own={
                    each["config_names"]: each["config_value"]
                    for each in entries
                    if each["config_source"] == _SET_FOR_THE_TOPIC
                },
            )
            there.append((topic, found))
    return there


async def _set(admin: AIOKafkaAdminClient, name: str, settings: dict[str, str]) -> None:
    # Whatever is not among them goes back to what it is by default.
    [answer] = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, settings)])
    [resource] = answer.to_object()["resources"]
    if resource["error_code"]:
        raise Fatal(f"Kafka refuses to change {name}: {for_code(resource['error_code']).__name__}")


async def _settle(kafka: Kafka, topics: Sequence[Topic]) -> None:
    """Waits until brokers know of changed settings, which they learn of a little after."""
    try:
        async with asyncio.timeout(APPEAR_SECONDS), kafka.admin() as admin:
            while True:
                there = await _look(admin, kafka, topics)
                if not any(list(found.wrong(topic)) for topic, found in there):
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Fatal("settings of topics were changed but do not appear") from None


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
