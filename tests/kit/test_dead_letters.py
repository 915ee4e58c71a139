"""What is told of a dead letter: its story to everybody, its content only where that is sealed."""

from datetime import UTC, datetime
from typing import Any

from shared.kit import dead_letters
from shared.kit.consuming.reading import Faulty
from shared.kit.database import Database
from shared.kit.records import Record


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


async def test_what_came_on_our_own_streams_is_told_as_it_came(database: Database) -> None:
    record = a_record(topic="intake.requests", key=b"a-request", value=b"sealed", headers=(("ce_id", b"7"),))

    key, value, headers = await told(database, Faulty(record, "bad_schema"))

    assert (key, value, headers["ce_id"]) == (b"a-request", b"sealed", b"7")
