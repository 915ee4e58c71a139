"""The partners' door on Kafka, and what intake hears from the other services."""

import json
from typing import Any
from uuid import uuid4

import pytest

from shared.contract.event import Event
from shared.contract.ids import MessageId
from shared.contract.intake import RequestSubmitted, SubmissionRejected
from shared.contract.matching import Shortfall, WaitWeeks
from shared.contract.notify import FailureReason, MessageFailed
from shared.contract.submission import TYPE
from shared.contract.vocabulary import Door, FlagKind, MessageKind, OnwardRoute, Recipient
from shared.kit.testing import eventually
from tests.intake.builders import MISSING, a_body, a_document, from_a_parent
from tests.intake.conftest import Intake
from tests.support import builders
from tests.support.raw import raw
from tests.support.streams import Header, Seen

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


async def requests(intake: Intake, number: int) -> list[Seen]:
    async def there() -> list[Seen]:
        seen = await intake.streams.read("intake.requests")
        assert len(seen) >= number, f"{len(seen)} of {number}"
        return seen

    return await eventually(there, within=40)


async def rejections(intake: Intake, number: int = 1) -> list[SubmissionRejected]:
    async def there() -> list[Seen]:
        seen = await intake.streams.read("intake.rejections")
        assert len(seen) >= number, f"{len(seen)} of {number}"
        return seen

    seen = await eventually(there, within=40)
    return [SubmissionRejected.model_validate_json(each.value or b"") for each in seen]


async def test_a_submission_in_binary_mode_becomes_a_request(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    body = a_body(from_a_parent({"reference": "A-1", "safety.harming_self": True}))

    await intake.streams.send("intake.submissions", [a_record(body)])

    [seen] = await requests(intake, 1)
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

    [seen] = await requests(intake, 1)
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

    seen = await requests(intake, 2)
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

    [rejected] = await rejections(intake)
    assert [fault.field for fault in rejected.faults] == ["reference"]
    assert rejected.reference == "A-1"
    [taken] = await requests(intake, 1)
    assert taken.key != str(rejected.request_id).encode()


async def test_a_rejection_names_every_fault_and_whom_it_answers(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    body = a_body({"reference": "A-1", "client.date_of_birth": "2031-01-01", "nick": "M", "consent": MISSING})

    await intake.streams.send("intake.submissions", [a_record(body, {"ce_id": b"event-1"})])

    [rejected] = await rejections(intake)
    assert (rejected.partner, rejected.submission_id, rejected.reference) == ("gp", "event-1", "A-1")
    assert {fault.field for fault in rejected.faults} == {"client.date_of_birth", "nick", "consent"}
    assert rejected.onward_route is None


async def test_a_rejection_says_where_a_young_child_can_turn(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)
    body = a_body(from_a_parent({"client.date_of_birth": "2021-01-01"}))

    await intake.streams.send("intake.submissions", [a_record(body)])

    [rejected] = await rejections(intake)
    assert "CAMHS" in (rejected.onward_route or "")


async def test_a_mended_submission_is_taken_in(intake: Intake) -> None:
    await intake.partner("gp", SOURCE)

    await intake.streams.send(
        "intake.submissions",
        [a_record(a_body({"reference": "A-1", "nick": "M"})), a_record(a_body({"reference": "A-1"}))],
    )

    [rejected] = await rejections(intake)
    [seen] = await requests(intake, 1)
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

    [_] = await requests(intake, 1)
    assert [rejected.submission_id for rejected in await rejections(intake, 2)] == ["event-1", "event-1"]


async def test_a_submission_sent_again_unchanged_is_taken_in_once_its_source_is_registered(
    intake: Intake,
) -> None:
    submission = a_record(a_body())
    await intake.streams.send("intake.submissions", [submission])
    [rejected] = await rejections(intake)
    assert [fault.field for fault in rejected.faults] == ["source"]

    await intake.partner("gp", SOURCE)
    await intake.streams.send("intake.submissions", [submission])

    [_] = await requests(intake, 1)


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

    seen = await requests(intake, 2)
    [rejected] = await rejections(intake)
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

    found = await rejections(intake, len(poison))
    assert len(found) == len(poison)
    assert all(rejected.faults for rejected in found)
    assert len(await requests(intake, 1)) == 1
    assert await intake.streams.read("intake.dead-letters") == []
    assert await intake.database.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


async def test_a_source_that_is_not_registered_is_told_so(intake: Intake) -> None:
    await intake.streams.send("intake.submissions", [a_record(a_body())])

    [rejected] = await rejections(intake)
    assert rejected.partner == SOURCE
    assert [fault.field for fault in rejected.faults] == ["source"]
    assert "registered" in rejected.faults[0].rule


async def taken_in(intake: Intake) -> tuple[str, dict[str, str], RequestSubmitted]:
    gp = await intake.partner("gp", SOURCE)
    answer = await intake.http.post("/api/v1/requests", json=a_document(), headers=gp)
    [seen] = await requests(intake, 1)
    said = await intake.opened(seen)
    assert isinstance(said, RequestSubmitted)
    return answer.headers["location"], gp, said


async def say(intake: Intake, event: Event, version: int) -> None:
    record = await raw(event, intake.keyring, version=version)
    await intake.streams.send(event.stream, [record])


async def state_becomes(intake: Intake, location: str, gp: dict[str, str], state: str) -> dict[str, Any]:
    async def there() -> dict[str, Any]:
        document: dict[str, Any] = (await intake.http.get(location, headers=gp)).json()
        assert document["state"] == state, document["state"]
        return document

    return await eventually(there, within=40)


async def test_the_status_follows_a_request_to_its_match(intake: Intake) -> None:
    location, gp, said = await taken_in(intake)
    proposal = builders.a_proposal(said)

    await say(intake, proposal, 1)
    await state_becomes(intake, location, gp, "being_reviewed")
    await say(intake, builders.a_seat(builders.a_confirmation(proposal)), 2)

    document = await state_becomes(intake, location, gp, "matched")
    assert "a place for you" in document["status"]


async def test_a_declined_client_is_told_where_to_turn(intake: Intake) -> None:
    location, gp, said = await taken_in(intake)
    assert said.contact is not None
    page = said.contact.status_url.removeprefix("https://intake.example")

    await say(
        intake,
        builders.a_decline(said, onward_route=OnwardRoute.EATING_DISORDER_SERVICE),
        1,
    )

    await state_becomes(intake, location, gp, "declined")
    assert "eating disorder service" in (await intake.http.get(page)).text
    refused = await intake.http.post(f"{location}/withdraw", headers=gp)
    assert refused.status_code == 409


async def test_who_waits_reads_on_the_status_page_how_long_others_did(intake: Intake) -> None:
    location, gp, said = await taken_in(intake)
    assert said.contact is not None
    page = said.contact.status_url.removeprefix("https://intake.example")

    await say(intake, builders.nothing_found(said), 1)
    await state_becomes(intake, location, gp, "waiting")
    at_first = (await intake.http.get(page)).text
    await say(intake, builders.nothing_found(said, wait_weeks=WaitWeeks(least=3, most=7)), 2)

    async def known() -> str:
        text = (await intake.http.get(page)).text
        assert "after 3 to 7 weeks" in text
        return text

    later = await eventually(known, within=40)
    assert "We do not know yet how long it takes" in at_first
    assert "We do not know yet" not in later
    kept = await intake.database.pool.fetchval("SELECT note FROM news WHERE speaker = 'matching'")
    assert b"least" not in kept


@pytest.mark.parametrize("because", [Shortfall.NO_WAY_FITS, None])
async def test_who_does_not_wait_reads_nothing_about_waiting(
    intake: Intake, because: Shortfall | None
) -> None:
    location, gp, said = await taken_in(intake)
    assert said.contact is not None
    page = said.contact.status_url.removeprefix("https://intake.example")
    await say(intake, builders.nothing_found(said, wait_weeks=WaitWeeks(least=3, most=7)), 1)
    news = builders.a_proposal(said) if because is None else builders.nothing_found(said, shortfall=because)

    await say(intake, news, 2)

    await state_becomes(intake, location, gp, "no_way_fits" if because else "being_reviewed")
    text = (await intake.http.get(page)).text
    assert "weeks" not in text
    assert "how long it takes" not in text


async def test_a_question_is_shown_on_the_status_page(intake: Intake) -> None:
    location, gp, said = await taken_in(intake)
    assert said.contact is not None
    page = said.contact.status_url.removeprefix("https://intake.example")

    await say(intake, builders.a_question(said, question="Would <b>Tuesday</b> do?"), 1)

    await state_becomes(intake, location, gp, "question")
    assert "Would &lt;b&gt;Tuesday&lt;/b&gt; do?" in (await intake.http.get(page)).text


@pytest.mark.parametrize(("recipient", "shown"), [(Recipient.CLIENT, True), (Recipient.THERAPIST, False)])
async def test_a_mail_that_failed_is_shown_to_the_client_it_was_for(
    intake: Intake, recipient: Recipient, shown: bool
) -> None:
    _, _, said = await taken_in(intake)
    assert said.contact is not None
    page = said.contact.status_url.removeprefix("https://intake.example")

    await say(intake, a_failed_mail(said, recipient), 1)

    async def heard() -> bool:
        committed = await intake.streams.committed("intake.notify.messages", "notify.messages")
        return sum(committed.values()) == 1

    await eventually(heard, within=40)
    assert ("could not be delivered" in (await intake.http.get(page)).text) is shown


def a_failed_mail(said: RequestSubmitted, recipient: Recipient) -> MessageFailed:
    return MessageFailed(
        request_id=said.request_id,
        message_id=MessageId(uuid4()),
        kind=MessageKind.ACKNOWLEDGEMENT,
        recipient=recipient,
        cause_id=uuid4(),
        attempts=1,
        reason=FailureReason.REFUSED,
    )


async def test_news_of_an_unknown_request_is_parked_for_a_person(intake: Intake) -> None:
    await say(intake, builders.a_proposal(builders.a_request()), 1)

    async def parked() -> Any:
        return await intake.database.pool.fetchrow("SELECT reason FROM dead_letters")

    row = await eventually(parked, within=40)
    assert row["reason"] == "unknown_request"
