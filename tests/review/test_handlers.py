"""What review makes of the events it hears, on a real database."""

from uuid import uuid4

import asyncpg
import pytest

from services.review.domain.case import State
from services.review.store import cases
from services.review.store.case_file import open_file
from services.review.store.messages import Mail, mails_of
from shared.contract import notify
from shared.contract.ids import RequestId
from shared.contract.matching import WaitWeeks
from shared.contract.sealing import opened
from shared.kit.errors import NotYet
from tests.review.builders import Office, a_mail
from tests.support.builders import (
    a_case,
    a_confirmation,
    a_flag,
    a_proposal,
    a_request,
    a_seat,
    a_seat_gone,
    a_withdrawal,
    nothing_found,
)


async def state_of(office: Office, request_id: RequestId) -> State:
    """The state of a case."""
    async with office.database.transaction() as tx:
        return (await cases.get_case(tx, request_id)).state


async def version_of(office: Office, request_id: RequestId) -> int:
    """The version of a case."""
    async with office.database.transaction() as tx:
        return (await cases.get_case(tx, request_id)).version


async def mails(office: Office, request_id: RequestId) -> list[Mail]:
    """The mails of a case."""
    async with office.database.transaction() as tx:
        return await mails_of(tx, request_id)


async def test_a_request_opens_a_case_and_a_shortlist_makes_it_ready(office: Office) -> None:
    request = a_request()

    await office.hear(request)
    assert await state_of(office, request.request_id) is State.AWAITING_PROPOSAL
    await office.hear(a_proposal(request))

    assert await state_of(office, request.request_id) is State.READY
    assert await office.audit(request.request_id) == ["submitted", "proposed"]


async def test_a_request_heard_twice_opens_one_case(office: Office) -> None:
    request = a_request()

    await office.hear(request, a_proposal(request), request)

    assert await state_of(office, request.request_id) is State.READY
    assert await office.audit(request.request_id) == ["submitted", "proposed"]


async def test_whatever_comes_before_its_request_waits_for_it(office: Office) -> None:
    request = a_request()
    proposal = a_proposal(request)
    early = [
        proposal,
        nothing_found(request),
        a_seat(a_confirmation(proposal)),
        a_seat_gone(a_confirmation(proposal)),
        a_withdrawal(request),
        a_mail(request),
    ]

    for event in early:
        with pytest.raises(NotYet):
            await office.hear(event)


async def test_how_long_others_wait_now_is_shown_and_does_not_disturb_who_decides(office: Office) -> None:
    request, weeks = a_request(), WaitWeeks(least=3, most=7)
    await office.hear(request, nothing_found(request))
    before = await version_of(office, request.request_id)

    await office.hear(nothing_found(request, wait_weeks=weeks))

    async with office.database.transaction() as tx:
        file = await open_file(tx, await office.hire(), request.request_id)
    assert file is not None
    assert file.findings is not None
    assert file.findings.wait_weeks == weeks
    assert file.findings.text == opened(nothing_found(request).findings).text
    assert file.case.version == before
    assert await office.audit(request.request_id) == ["submitted", "nobody_found"]


async def test_an_older_shortlist_that_comes_late_changes_nothing(office: Office) -> None:
    request = a_request()
    new, old = a_proposal(request, "dev"), a_proposal(request, "ada")
    await office.hear(request)
    await office.hear(new, counted=2)

    await office.hear(old, counted=1)

    async with office.database.transaction() as tx:
        case = await cases.get_case(tx, request.request_id)
    assert case.proposal_id == new.proposal_id
    assert case.version == 2


async def test_a_withdrawal_closes_the_case_and_a_later_shortlist_does_not_open_it(office: Office) -> None:
    request, _ = await office.ready_case()

    await office.hear(a_withdrawal(request), a_proposal(request))

    assert await state_of(office, request.request_id) is State.WITHDRAWN


async def test_a_seat_for_a_decision_that_nobody_made_here_changes_nothing(office: Office) -> None:
    request, proposal = await office.ready_case()

    await office.hear(a_seat(a_confirmation(proposal)))

    assert await state_of(office, request.request_id) is State.READY


async def test_what_becomes_of_a_mail_is_kept_and_the_latest_word_counts(office: Office) -> None:
    request, _ = await office.ready_case()
    refused = {"reason": notify.FailureReason.REFUSED, "smtp_code": 550}

    await office.hear(a_mail(request, notify.MessageUncertain))
    [uncertain] = await mails(office, request.request_id)
    await office.hear(a_mail(request, notify.MessageFailed, **refused))
    [failed] = await mails(office, request.request_id)
    await office.hear(a_mail(request), counted=1)
    [still] = await mails(office, request.request_id)

    assert (uncertain.state, uncertain.is_trouble) == ("uncertain", True)
    assert (failed.state, failed.is_trouble, failed.smtp_code) == ("failed", True, 550)
    assert still == failed


async def test_a_mail_that_should_not_go_out_is_no_trouble(office: Office) -> None:
    request, _ = await office.ready_case()

    await office.hear(
        a_mail(request, notify.MessageFailed, reason=notify.FailureReason.NO_LONGER_WANTED, smtp_code=None)
    )

    assert not (await mails(office, request.request_id))[0].is_trouble


async def test_news_of_a_mail_is_no_change_that_a_reviewer_must_look_at(office: Office) -> None:
    request, _ = await office.ready_case()

    await office.hear(a_mail(request))

    async with office.database.transaction() as tx:
        assert (await cases.get_case(tx, request.request_id)).version == 2


async def test_nothing_that_is_told_of_a_person_lies_open_in_the_database(office: Office) -> None:
    told = "a word that nobody else uses: quillberry"
    await office.ready_case(
        "quillberry", details=a_case(in_own_words=told, flags=(a_flag(),)), request_id=RequestId(uuid4())
    )

    kept: list[str] = []
    for table in ("cases", "audit", "messages", "outbox"):
        rows = await office.database.pool.fetch(f"SELECT * FROM {table}")  # noqa: S608
        values = [value for row in rows for value in row.values()]
        kept += [each.decode("latin1") if isinstance(each, bytes) else str(each) for each in values]

    assert "ready" in kept
    for secret in (
        "quillberry",
        "Quillberry",
        "Okafor",
        "maya.okafor",
        "1991-03-14",
        "answered yes",
        "sample-token",
    ):
        assert not any(secret in each for each in kept)


async def test_the_secret_link_of_the_client_is_not_kept_for_staff(office: Office) -> None:
    request, _ = await office.ready_case()
    bea = await office.hire()

    async with office.database.transaction() as tx:
        file = await open_file(tx, bea, request.request_id)

    assert file is not None
    assert file.contact is not None
    assert file.contact.client_name == "Maya Okafor-Lind"
    assert file.contact.status_url == ""


@pytest.mark.parametrize("table", ["audit", "case_views"])
@pytest.mark.parametrize("rewrite", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
async def test_what_was_done_cannot_be_rewritten(office: Office, table: str, rewrite: str) -> None:
    await office.ready_case()

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await office.database.pool.execute(rewrite.format(table))
