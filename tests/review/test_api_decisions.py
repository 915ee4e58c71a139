"""Deciding through the JSON door, on a real database."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contract.review import InformationRequested, MatchConfirmed, RematchRequested, RequestDeclined
from tests.review.builders import FOURTEEN, NOTE, REASON, Office, case_url, decide, faults
from tests.support.builders import a_case, a_confirmation, a_flag, a_proposal, a_seat, a_withdrawal, id_of


async def test_confirming_says_so_to_matching_once_and_is_audited_with_it(office: Office) -> None:
    request, proposal = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=95))
        answer = await decide(bea, request, "confirm", look=False)

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["version"]) == ("confirmed", 3)
    [said] = await office.said(request.request_id)
    assert said.type == MatchConfirmed.type
    assert said.document["therapist_id"] == str(id_of("ada"))
    assert said.document["proposal_id"] == str(proposal.proposal_id)
    assert said.document["decision_id"] == answer.json()["decision_id"]
    assert said.document["considered_seconds"] == 95
    assert said.document["overruled"] is False
    assert await office.audit(request.request_id) == ["submitted", "proposed", "confirm"]


async def test_the_time_on_a_case_counts_from_the_shortlist_that_is_decided_on(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        office.clock.move(timedelta(minutes=40))
        await office.hear(a_proposal(request, "dev"))
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=30))
        await decide(bea, request, "confirm", version=3, look=False)

    [said] = await office.said(request.request_id)
    assert said.document["considered_seconds"] == 30


async def test_a_long_break_is_not_time_spent_on_the_case(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        office.clock.move(timedelta(minutes=25))
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=40))
        await decide(bea, request, "confirm", look=False)

    [said] = await office.said(request.request_id)
    assert said.document["considered_seconds"] == 15 * 60 + 40


@pytest.mark.parametrize(
    ("action", "fields", "event", "state"),
    [
        ("choose", {"therapist_id": str(id_of("ben")), "reason": REASON}, MatchConfirmed, "confirmed"),
        ("rematch", {"exclude": [str(id_of("ada"))]}, RematchRequested, "awaiting_proposal"),
        ("decline", {"onward_route": "gp", "reason": REASON}, RequestDeclined, "declined"),
        ("ask", {"question": "Which evenings are free?"}, InformationRequested, "information_asked"),
    ],
)
async def test_every_decision_is_said_and_audited_once(
    office: Office, action: str, fields: dict[str, Any], event: Any, state: str
) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        answer = await decide(bea, request, action, **fields)
        case = (await bea.get(case_url(request))).json()

    assert answer.json()["state"] == case["state"] == state
    assert [each.type for each in await office.said(request.request_id)] == [event.type]
    entry = case["history"][-1]
    assert (entry["action"], entry["who"], entry["version"]) == (action, "Bea", 3)
    assert entry["decision_id"] == answer.json()["decision_id"]
    assert entry["codes"]["considered_seconds"] == 0


async def test_who_was_left_out_is_still_known_by_name_when_the_shortlist_has_gone(office: Office) -> None:
    request, _ = await office.ready_case("ada", "ben", "cy")

    async with office.program() as bea:
        await decide(bea, request, "rematch", exclude=[str(id_of("ben")), str(id_of("cy"))])
        case = (await bea.get(case_url(request))).json()

    assert case["shortlist"] is None
    assert case["history"][-1]["words"] == {"left_out": "Therapist Ben, Therapist Cy"}


async def test_what_a_reviewer_writes_is_sealed_in_the_audit_and_on_the_wire(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await decide(bea, request, "decline", onward_route="eating_disorder_service", reason=REASON)
        entry = (await bea.get(case_url(request))).json()["history"][-1]

    assert entry["words"] == {"onward_route": "eating_disorder_service", "reason": REASON}
    rows = await office.database.pool.fetch("SELECT a::text AS row FROM audit AS a")
    [said] = await office.said(request.request_id)
    for kept in (*(row["row"] for row in rows), str(said.document)):
        assert "eating_disorder" not in kept
        assert REASON not in kept


async def test_what_is_missing_is_named_and_nothing_happens(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(flags=(a_flag(),), date_of_birth=FOURTEEN))

    async with office.program() as bea:
        choose = faults(await decide(bea, request, "choose", therapist_id=str(uuid4())))
        decline = faults(await decide(bea, request, "decline"))
        rematch = faults(await decide(bea, request, "rematch", flags_seen=True))
        unknown = faults(await decide(bea, request, "confirm", surprise=1))

    assert choose == {"therapist_id", "reason", "flags_seen", "under_16_basis", "under_16_note"}
    assert decline == {"onward_route", "reason", "flags_seen"}
    assert rematch == {"reason"}
    assert unknown == {"surprise"}
    assert await office.said(request.request_id) == []
    assert await office.audit(request.request_id) == ["submitted", "proposed"]


async def test_a_person_under_16_is_matched_once_somebody_has_recorded_who_consents(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(date_of_birth=FOURTEEN))

    async with office.program() as bea:
        refused = await decide(bea, request, "confirm")
        allowed = await decide(bea, request, "confirm", under_16_basis="parental_consent", under_16_note=NOTE)
        entry = (await bea.get(case_url(request))).json()["history"][-1]

    assert faults(refused) == {"under_16_basis", "under_16_note"}
    assert allowed.status_code == 200
    assert entry["codes"]["under_16_basis"] == "parental_consent"
    assert entry["words"]["under_16_note"] == NOTE


async def test_nobody_decides_on_a_case_unseen(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program("bea") as bea, office.program("cai") as cai:
        await cai.get(case_url(request))
        answer = await decide(bea, request, "confirm", look=False)

    assert (answer.status_code, answer.json()["code"]) == (422, "unseen")


async def test_a_look_that_began_a_moment_before_the_news_it_shows_counts(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        office.clock.move(timedelta(milliseconds=-5))
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=30))
        answer = await decide(bea, request, "confirm", look=False)

    assert answer.status_code == 200


async def test_a_seat_makes_the_match_and_names_the_decision(office: Office) -> None:
    request, proposal = await office.ready_case()

    async with office.program() as bea:
        decided = (await decide(bea, request, "confirm")).json()
        decision = UUID(decided["decision_id"])
        await office.hear(a_seat(a_confirmation(proposal, decision_id=decision)))
        case = (await bea.get(case_url(request))).json()
        late = await decide(bea, request, "decline", version=4, onward_route="gp", reason=REASON)

    assert case["state"] == "matched"
    assert case["decision"]["therapist"] == "Therapist Ada"
    assert case["decision"]["decided_by"] == "Bea"
    assert (late.status_code, late.json()["code"]) == (409, "not_now")


async def test_a_decision_whose_audit_cannot_be_written_is_not_made(office: Office) -> None:
    request, _ = await office.ready_case()
    await office.service.database.pool.execute(
        "ALTER TABLE audit ADD CONSTRAINT nothing_more CHECK (action <> 'confirm') NOT VALID"
    )

    async with office.program() as bea:
        answer = await decide(bea, request, "confirm")
        case = (await bea.get(case_url(request))).json()

    assert answer.status_code == 500
    assert (case["state"], case["version"]) == ("ready", 2)
    assert await office.said(request.request_id) == []


async def test_a_withdrawn_case_cannot_be_decided(office: Office) -> None:
    request, _ = await office.ready_case()
    async with office.program() as bea:
        await bea.get(case_url(request))
        await office.hear(a_withdrawal(request))
        stale = await decide(bea, request, "confirm", look=False)
        fresh = await decide(bea, request, "confirm", version=3)

    assert [each["action"] for each in stale.json()["changes"]] == ["withdrawn"]
    assert (fresh.status_code, fresh.json()["code"]) == (409, "not_now")
    assert await office.said(request.request_id) == []
