"""What is told of a dead letter: its story to everybody, its content only where that is sealed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.kit import dead_letters
from shared.kit.consuming.reading import Faulty
from shared.kit.consuming.replaying import replay
from shared.kit.database import Database
from shared.kit.handlers import Bound
from shared.kit.records import UNDECODABLE, Record
from shared.kit.settings import KitSettings
from shared.kit.transaction import Transaction
from tests.support.environment import environment
from tests.support.marks import DEAD, outbox_empty
from tests.support.processes import running
from tests.support.streams import Streams


@pytest.fixture
async def topic(create_topics: Callable[..., Awaitable[None]]) -> None:
    await create_topics([DEAD], partitions=1)


def a_record(**changes: Any) -> Record:
    given: dict[str, Any] = {
        "topic": "intake.submissions",
        "partition": 3,
        "offset": 41,
        "timestamp": datetime(2026, 11, 20, 9, tzinfo=UTC),
        "key": b"maya.okoro@example.org",
        "value": b'{"client": "Maya"}',
        "headers": (("ce_subject", b"Maya"),),
    }
    return Record(**given | changes)


async def told(database: Database, faulty: Faulty) -> tuple[bytes, bytes | None, dict[str, bytes | None]]:
    """Key, value and headers of the message about a letter."""
    async with database.transaction() as tx:
        assert await dead_letters.park(tx, "probe.intake.submissions", faulty)
    row = await database.pool.fetchrow("SELECT key, payload, header_names, header_values FROM outbox")
    assert row is not None
    names = [name.decode() for name in row["header_names"]]
    return row["key"], row["payload"], dict(zip(names, row["header_values"], strict=True))


async def test_of_what_came_from_outside_only_the_story_is_told(database: Database) -> None:
    key, value, headers = await told(database, Faulty(a_record(), "handler_failed", confidential=True))

    assert (key, value) == (b"", None)
    assert all(name.startswith("dlq-") for name in headers)
    assert headers["dlq-topic"] == b"intake.submissions"
    [letter] = await dead_letters.listed(database.pool)
    assert letter.record == a_record()


@pytest.mark.usefixtures("topic")
@pytest.mark.parametrize(
    ("changes", "kept_back"),
    [
        ({"key": b"k" * 1_000}, set()),
        ({"key": b"k" * 120_000}, {"dlq-key-kept-back"}),
        ({"headers": tuple(("", b"") for _ in range(30_000))}, {"dlq-headers-kept-back"}),
    ],
    ids=["fits", "long key", "many headers"],
)
async def test_however_large_a_record_was_kafka_takes_the_message_about_it(
    changes: dict[str, Any],
    kept_back: set[str],
    database: Database,
    settings: KitSettings,
    streams: Streams,
) -> None:
    large: dict[str, Any] = {"value": b"x" * 900_000, "headers": (("ce_id", b"7" * 99_000),)}

    await told(database, Faulty(a_record(topic="intake.requests", **large | changes), "bad_schema"))
    async with running("-m", "tests.support.relay", environment=environment(settings)):
        await outbox_empty(database)

    [seen] = await streams.read(DEAD)
    assert {name for name, _ in seen.headers if name.endswith("-kept-back")} == kept_back


async def test_what_no_client_could_read_cannot_be_replayed(database: Database) -> None:
    received: list[Record] = []

    async def receive(record: Record, _tx: Transaction) -> None:
        received.append(record)

    stand_in = a_record(key=None, value=None, headers=((UNDECODABLE, b"41-41"),), decodable=False)
    await told(database, Faulty(stand_in, "bad_header", confidential=True))
    [letter] = await dead_letters.listed(database.pool)
    assert letter.record == stand_in

    bound = Bound(events={}, untrusted={"intake.submissions": receive})
    [replayed] = await replay(database, bound, [letter.id])

    assert (replayed.outcome, replayed.reason) == (None, "bad_header")
    assert received == []


async def test_what_came_on_our_own_streams_is_told_as_it_came(database: Database) -> None:
    record = a_record(topic="intake.requests", key=b"a-request", value=b"sealed", headers=(("ce_id", b"7"),))

    key, value, headers = await told(database, Faulty(record, "bad_schema"))

    assert (key, value, headers["ce_id"]) == (b"a-request", b"sealed", b"7")
