"""The committed topics hold every stream there is, and let each service do what it does and no more."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contract import submission
from shared.contract.catalogue import EVENTS
from shared.contract.matching import DIRECTORY
from shared.kit import topics
from shared.kit.errors import Fatal
from shared.kit.kafka import Kafka
from tests.support.processes import running
from tests.support.stack import Stack

FILE = Path(__file__).parents[2] / "deploy" / "kafka" / "topics.yaml"
SERVICES = ("intake", "matching", "review", "notify")
DAY = 86_400_000


def principals() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["principals"]
    return found


def test_every_stream_of_the_contract_and_a_place_for_dead_letters_has_its_topic() -> None:
    spoken = {event.stream for event in EVENTS.values()} | {submission.STREAM}
    parked = {f"{service}.dead-letters" for service in SERVICES}

    assert {topic.stream for topic in topics.read(FILE)} == spoken | parked


def test_streams_have_twelve_partitions_and_unsealed_submissions_go_after_a_day() -> None:
    kept = {topic.stream: topic for topic in topics.read(FILE)}

    for stream in {event.stream for event in EVENTS.values()}:
        assert kept[stream].partitions == 12
        assert kept[stream].config["retention.ms"] == str(14 * DAY)
    assert kept[submission.STREAM].config["retention.ms"] == str(DAY)
    # Kafka takes whole segments away: an open one that lasts a week would keep what is past its time.
    assert kept[submission.STREAM].config["segment.ms"] == str(DAY // 24)
    assert all(int(topic.config["segment.ms"]) <= DAY for topic in kept.values())
    assert all(int(kept[f"{each}.dead-letters"].config["retention.ms"]) > 14 * DAY for each in SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_write_what_it_says_and_read_what_it_hears_and_nothing_else(service: str) -> None:
    said = {event.stream for event in EVENTS.values() if event.type.split(".")[1] == service}
    heard = set(import_module(f"services.{service}.handlers").handlers.streams)

    assert set(principals()[service]["write"]) == said | {f"{service}.dead-letters"}
    assert set(principals()[service]["read"]) == heard


def test_a_partner_may_only_send_submissions_and_read_what_was_wrong_with_them() -> None:
    assert principals()["partner"] == {"write": ["intake.submissions"], "read": ["intake.rejections"]}


def test_who_reads_the_directory_sends_no_requests() -> None:
    assert principals()["directory"] == {"write": [], "read": ["matching.directory"]}


@pytest.mark.parametrize(
    ("brokers", "copies", "written"), [(1, 1, "1"), (2, 2, "1"), (3, 3, "2"), (5, 3, "2")]
)
def test_where_there_are_copies_a_record_is_safe_only_in_all_but_one(
    brokers: int, copies: int, written: str
) -> None:
    new = topics.as_created("any", topics.read(FILE)[0], brokers)

    assert new.replication_factor == copies
    assert new.topic_configs["min.insync.replicas"] == written


async def test_a_topic_that_is_not_as_the_file_says_is_named(stack: Stack, topic_prefix: str) -> None:
    [wanted] = [topic for topic in topics.read(FILE) if topic.stream == submission.STREAM]
    cluster = Kafka(tuple(stack.kafka_url.split(",")), topic_prefix)
    try:
        await topics.apply(cluster, [replace(wanted, partitions=3, config={"retention.ms": "1"})])

        found = await topics.differences(cluster, [wanted])

        name = cluster.topic(submission.STREAM)
        assert f"{name} has 3 partitions instead of 12" in found
        assert f"{name}: retention.ms is 1 instead of {DAY}" in found
    finally:
        async with cluster.admin() as admin:
            await admin.delete_topics([cluster.topic(submission.STREAM)])


async def test_the_file_creates_all_its_topics_once_and_they_are_as_it_says(
    stack: Stack, topic_prefix: str
) -> None:
    wanted = topics.read(FILE)
    cluster = Kafka(tuple(stack.kafka_url.split(",")), topic_prefix)
    try:
        created = await topics.apply(cluster, wanted)
        again = await topics.apply(cluster, wanted)

        assert created == topics.Applied(sorted(topic.stream for topic in wanted), [])
        assert again == topics.Applied([], [])
        assert await topics.differences(cluster, wanted) == []
    finally:
        async with cluster.admin() as admin:
            await admin.delete_topics([cluster.topic(topic.stream) for topic in wanted])


async def test_a_topic_that_was_there_gets_the_settings_of_the_file_and_keeps_those_it_does_not_name(
    stack: Stack, topic_prefix: str, create_topics: Callable[..., Awaitable[None]]
) -> None:
    [wanted] = [topic for topic in topics.read(FILE) if topic.stream == DIRECTORY]
    cluster = Kafka(tuple(stack.kafka_url.split(",")), topic_prefix)
    older = wanted.config | {"delete.retention.ms": str(DAY), "compression.type": "gzip"}
    await create_topics([DIRECTORY], wanted.partitions, older)

    applied = await topics.apply(cluster, [wanted])

    name = cluster.topic(DIRECTORY)
    change = topics.Difference(name, "delete.retention.ms", str(DAY), str(14 * DAY))
    assert applied == topics.Applied([], [change])
    as_set_by_hand = replace(wanted, config=wanted.config | {"compression.type": "gzip"})
    assert await topics.differences(cluster, [as_set_by_hand]) == []
    assert await topics.apply(cluster, [wanted]) == topics.Applied([], [])


async def test_the_command_says_what_it_created_and_changed_and_leaves_partitions_to_people(
    stack: Stack, topic_prefix: str, tmp_path: Path, create_topics: Callable[..., Awaitable[None]]
) -> None:
    await create_topics(["probe.old"], 1, {"retention.ms": str(DAY)})
    file = tmp_path / "topics.yaml"
    defaults = f"{{partitions: 2, config: {{retention.ms: {14 * DAY}}}}}"
    file.write_text(f"defaults: {defaults}\ntopics: {{probe.old: {{}}, probe.new: {{}}}}")
    environment = {"KAFKA_URL": stack.kafka_url, "KAFKA_TOPIC_PREFIX": topic_prefix}

    async def told(command: str, code: int) -> list[str]:
        arguments = ("-m", "shared.kit", "topics", command, str(file))
        async with running(*arguments, environment=environment) as process:
            assert await process.ended() == code, process.output
            return process.output.splitlines()

    try:
        assert await told("apply", 0) == [
            f"created {topic_prefix}probe.new",
            f"changed {topic_prefix}probe.old: retention.ms is {14 * DAY}, was {DAY}",
            "1 topics created, 1 were there, 1 settings changed",
        ]
        assert await told("check", 1) == [f"{topic_prefix}probe.old has 1 partitions instead of 2"]
    finally:
        cluster = Kafka(tuple(stack.kafka_url.split(",")), topic_prefix)
        async with cluster.admin() as admin:
            await admin.delete_topics([cluster.topic("probe.new")])


async def test_a_setting_that_kafka_refuses_is_said_with_its_topic(
    stack: Stack, topic_prefix: str, create_topics: Callable[..., Awaitable[None]]
) -> None:
    cluster = Kafka(tuple(stack.kafka_url.split(",")), topic_prefix)
    await create_topics(["probe.old"], 1)
    wrong = topics.Topic("probe.old", 1, 1, {"cleanup.policy": "forget"})

    with pytest.raises(Fatal, match=rf"refuses to change {topic_prefix}probe\.old"):
        await topics.apply(cluster, [wrong])
