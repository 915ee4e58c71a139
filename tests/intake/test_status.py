"""What the status of a request says as the other services speak of it."""

from typing import Any
from uuid import uuid4

import pytest

from shared.contract.event import Event
from shared.contract.ids import MessageId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import Shortfall, WaitWeeks
from shared.contract.notify import FailureReason, MessageFailed
from shared.contract.vocabulary import MessageKind, OnwardRoute, Recipient
from shared.kit.testing import eventually
from tests.intake.builders import a_document
from tests.intake.conftest import Intake
from tests.support import builders
from tests.support.raw import raw


async def taken_in(intake: Intake) -> tuple[str, dict[str, str], RequestSubmitted]:
    gp = await intake.partner("gp")
    answer = await intake.http.post("/api/v1/requests", json=a_document(), headers=gp)
    [seen] = await intake.requests()
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
