"""The partners' door on Kafka."""

import json
from uuid import uuid4

from shared.contract.intake import RequestSubmitted
from shared.contract.submission import TYPE
from shared.contract.vocabulary import Door, FlagKind
from tests.intake.builders import MISSING, a_body, a_document, from_a_parent
from tests.intake.conftest import Intake
from tests.support.streams import Header

SOURCE = "https://gp.example"


def a_record(
    body: bytes | None, changes: dict[str, bytes | None] | None = None
) -> tuple[bytes | None, bytes | None, list[Header]]:
    headers: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": str(uuid4()).encode(),
        "ce_source": SOURCE.encode(),
        "ce_type": TYPE.encode(),
        "content-type": b"application/json",
    }
    return b"any key", body, [*(headers | (changes or {})).items()]


async def test_a_submission_in_binary_mode_becomes_a_request(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    body = a_body(from_a_parent({"reference": "A-1", "safety.harming_self": True}))

    await intake.streams.send("intake.submissions", [a_record(body)])

    [seen] = await intake.requests()
    said = await intake.opened(seen)
    assert isinstance(said, RequestSubmitted)
    assert (said.door, said.partner) == (Door.KAFKA, "gp")
    assert said.details is not None
    assert [flag.kind for flag in said.details.flags] == [FlagKind.SELF_HARM]
    assert said.contact is not None
    assert said.contact.write_to_email == "ines@example.com"


async def test_a_submission_in_structured_mode_becomes_a_request(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    envelope = {"specversion": "1.0", "id": "e-1", "source": SOURCE, "type": TYPE, "data": a_document()}
    headers: list[Header] = [("content-type", b"application/cloudevents+json; charset=UTF-8")]

    await intake.streams.send("intake.submissions", [(None, json.dumps(envelope).encode(), headers)])

    [seen] = await intake.requests()
    assert seen.type == RequestSubmitted.type


async def test_a_repeat_is_one_request_whichever_door_it_comes_through(intake: Intake) -> None:
    gp = await intake.partner("gp", SOURCE)
    document = a_document({"reference": "A-1"})
    over_http = await intake.http.post("/api/v1/requests", json=document, headers=gp)
    body = json.dumps(document).encode()
    same_event = a_record(body)

    await intake.streams.send(
        "intake.submissions",
        [a_record(body), same_event, same_event, a_record(a_body({"reference": "A-2"}))],
    )

    seen = await intake.requests(2)
    assert over_http.status_code == 201
    assert len({each.key for each in seen}) == len(seen) == 2
    assert await intake.streams.read("intake.rejections") == []


async def test_another_request_under_a_used_reference_is_rejected(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    changed = a_body({"reference": "A-1", "client.phone": "020 7946 0123"})

    # One key, one partition: the second comes after the first.
    await intake.streams.send(
        "intake.submissions", [a_record(a_body({"reference": "A-1"})), a_record(changed)]
    )

    [rejected] = await intake.rejections()
    assert [fault.field for fault in rejected.faults] == ["reference"]
    assert rejected.reference == "A-1"
    [taken] = await intake.requests()
    assert taken.key != str(rejected.request_id).encode()


async def test_a_rejection_names_every_fault_and_whom_it_answers(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    body = a_body(
        {
            "reference": "A-1",
            "client.date_of_birth": "2031-01-01",
            "nick": "M",
            "consent": MISSING,
            "looking_for.languages": ["zz"],
        }
    )

    await intake.streams.send("intake.submissions", [a_record(body, {"ce_id": b"event-1"})])

    [rejected] = await intake.rejections()
    assert (rejected.partner, rejected.submission_id, rejected.reference) == ("gp", "event-1", "A-1")
    assert {fault.field for fault in rejected.faults} == {
        "client.date_of_birth",
        "nick",
        "consent",
        "looking_for.languages.0",
    }
    assert rejected.onward_route is None


async def test_a_rejection_says_where_a_young_child_can_turn(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    body = a_body(from_a_parent({"client.date_of_birth": "2021-01-01"}))

    await intake.streams.send("intake.submissions", [a_record(body)])

    [rejected] = await intake.rejections()
    assert "CAMHS" in (rejected.onward_route or "")


async def test_a_mended_submission_is_taken_in(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)

    await intake.streams.send(
        "intake.submissions",
        [a_record(a_body({"reference": "A-1", "nick": "M"})), a_record(a_body({"reference": "A-1"}))],
    )

    [rejected] = await intake.rejections()
    [seen] = await intake.requests()
    assert rejected.reference == "A-1"
    assert seen.version == 1


async def test_a_submission_mended_under_the_same_event_id_is_taken_in(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    same: dict[str, bytes | None] = {"ce_id": b"event-1"}

    await intake.streams.send(
        "intake.submissions",
        [
            a_record(a_body({"nick": "M"}), same),
            a_record(a_body({"nick": "M"}), same),
            a_record(a_body(), same),
        ],
    )

    [_] = await intake.requests()
    assert [rejected.submission_id for rejected in await intake.rejections(2)] == ["event-1", "event-1"]


async def test_a_submission_sent_again_unchanged_is_taken_in_once_its_source_is_registered(
    intake: Intake,
) -> None:
    submission = a_record(a_body())
    await intake.streams.send("intake.submissions", [submission])
    [rejected] = await intake.rejections()
    assert [fault.field for fault in rejected.faults] == ["source"]

    await intake.partner("gp", SOURCE)
    await intake.streams.send("intake.submissions", [submission])

    [_] = await intake.requests()


async def test_an_accepted_event_that_comes_again_is_one_request_and_another_under_its_id_is_rejected(
    intake: Intake,
) -> None:
    await intake.partner("gp", SOURCE)
    same: dict[str, bytes | None] = {"ce_id": b"event-1"}
    changed = a_body({"client.phone": "020 7946 0123"})

    await intake.streams.send(
        "intake.submissions",
        [a_record(a_body(), same), a_record(a_body(), same), a_record(changed, same), a_record(a_body())],
    )

    seen = await intake.requests(2)
    [rejected] = await intake.rejections()
    assert [fault.field for fault in rejected.faults] == ["id"]
    # The event, and the last one, which bears another id.
    assert len(seen) == 2


async def test_whatever_comes_is_answered_and_nothing_becomes_a_dead_letter(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    await intake.partner("old", "https://old.example")
    async with intake.database.transaction() as tx:
        await tx.execute("UPDATE partners SET revoked_at = now() WHERE name = 'old'")
    structured: dict[str, bytes | None] = {"content-type": b"application/cloudevents+json"}
    poison: dict[str, tuple[bytes | None, bytes | None, list[Header]]] = {
        "tombstone": a_record(None),
        "tombstone without headers": (b"key", None, []),
        "structured tombstone": a_record(None, structured),
        "empty": a_record(b""),
        "not JSON": a_record(b"{"),
        "not an object": a_record(b"[1]"),
        "not UTF-8": a_record('{"reference": "Zoë"}'.encode("latin-1")),
        "UTF-16": a_record("{}".encode("utf-16")),
        "nested": a_record(b"[" * 50_000),
        "too large": a_record(b'{"reference": "' + b"x" * 70_000 + b'"}'),
        "random": a_record(bytes(range(256)) * 10),
        "no headers": (b"\xff\xfe", a_body(), []),
        "null header": a_record(a_body(), {"ce_id": None}),
        "header not UTF-8": a_record(a_body(), {"ce_source": b"\xff"}),
        "wrong type": a_record(a_body(), {"ce_type": b"attune.intake.request-submitted.v1"}),
        "wrong version": a_record(a_body(), {"ce_specversion": b"0.3"}),
        "unknown source": a_record(a_body(), {"ce_source": b"https://stranger.example"}),
        "revoked source": a_record(a_body(), {"ce_source": b"https://old.example"}),
        "structured nonsense": a_record(b"nonsense", structured),
        "structured without data": a_record(b"{}", structured),
    }

    await intake.streams.send("intake.submissions", poison.values())
    await intake.streams.send("intake.submissions", [a_record(a_body({"reference": "after"}))])

    found = await intake.rejections(len(poison))
    assert len(found) == len(poison)
    assert all(rejected.faults for rejected in found)
    assert len(await intake.requests()) == 1
    assert await intake.streams.read("intake.dead-letters") == []
    assert await intake.database.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


async def test_a_source_that_is_not_registered_is_told_so(intake: Intake) -> None:
    await intake.streams.send("intake.submissions", [a_record(a_body())])

    [rejected] = await intake.rejections()
    assert rejected.partner == SOURCE
    assert [fault.field for fault in rejected.faults] == ["source"]
    assert "registered" in rejected.faults[0].rule
