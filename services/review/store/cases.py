"""Cases: one row each, locked while it changes; what is said of the person in it is sealed."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import asyncpg
from pydantic import BaseModel

from services.review.domain.case import Case, Choice, State
from services.review.store import audit
from shared.contract.event import Part
from shared.contract.ids import (
    DecisionId,
    GroupId,
    ProposalId,
    RequestId,
    SeatId,
    StaffId,
    SubjectId,
    TherapistId,
)
from shared.contract.intake import CaseDetails, RequestSubmitted
from shared.contract.matching import (
    Group,
    GroupDoubt,
    NothingFound,
    SeatRefusal,
    Shortfall,
    Shortlist,
    WaitWeeks,
)
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import Variant
from shared.kit.errors import NotYet
from shared.kit.transaction import Transaction

M = TypeVar("M", bound=BaseModel)


class Findings(NothingFound):
    """Why nobody fits for now, and what the client is told of how long it takes."""

    wait_weeks: WaitWeeks | None = None


class MembersTold(Part):
    """Who has a place in a therapist's group, as matching told a decision that did not know of them all."""

    therapist_id: TherapistId
    members: tuple[RequestId, ...]


COLUMNS = """
    request_id, subject_id, version, state, submitted_at, flags, claimed_by, heard, proposal_id,
    therapist_ids, unavailable, excluded, answered_at, decision_id, decided_by, chosen_id, seat_id,
    group_id, reopened_at, reopened_because, shortfall, therapist_gone_at, doubts,
    doubted_at
"""


async def add_case(tx: Transaction, event: RequestSubmitted, submitted_at: datetime) -> bool:
    """Adds a case for a request; False if there is one already."""
    details = opened(event.details)
    # The client's secret link is not for staff.
    contact = opened(event.contact).model_copy(update={"status_url": ""})
    status = await tx.execute(
        """
        INSERT INTO cases (request_id, subject_id, version, state, door, partner, consented_at, submitted_at,
                           flags, contact, details)
        VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (request_id) DO NOTHING
        """,
        event.request_id,
        event.subject_id,
        State.AWAITING_PROPOSAL.value,
        event.door.value,
        event.partner,
        event.consented_at,
        submitted_at,
        len(details.flags),
        await _sealed(tx, event.subject_id, Purpose.CONTACT, contact),
        await _sealed(tx, event.subject_id, Purpose.CLINICAL, details),
    )
    return status == "INSERT 0 1"


async def find_case(tx: Transaction, request_id: RequestId, *, lock: bool = False) -> Case | None:
    """A case; locked until the transaction ends, if asked."""
    sql = f"SELECT {COLUMNS} FROM cases WHERE request_id = $1"  # noqa: S608 - a constant
    row = await tx.fetchrow(f"{sql} FOR UPDATE" if lock else sql, request_id)
    return as_case(row) if row is not None else None


async def get_case(tx: Transaction, request_id: RequestId) -> Case:
    """A case, locked; raises NotYet if intake has not told of it."""
    case = await find_case(tx, request_id, lock=True)
    if case is None:
        raise NotYet("the request")
    return case


async def save(
    tx: Transaction,
    before: Case,
    after: Case,
    *,
    shortlist: Shortlist | None = None,
    findings: Findings | None = None,
    policy_version: str | None = None,
    chosen_name: str | None = None,
    chosen_variant: Variant | None = None,
    group: Group | None = None,
    told: MembersTold | None = None,
) -> None:
    """Keeps a case as it has become, with what came new."""
    choice = after.choice
    name = None
    if chosen_name is not None:
        name = await tx.seal(after.subject_id, Purpose.CLINICAL, chosen_name.encode())
    variant = None
    if chosen_variant is not None:
        variant = await tx.seal(after.subject_id, Purpose.CLINICAL, chosen_variant.encode())
    status = await tx.execute(
        """
        UPDATE cases SET
            version = $3, state = $4, heard = $6, proposal_id = $7, therapist_ids = $8, unavailable = $9,
            excluded = $10, answered_at = $11, decided_by = $13, chosen_id = $14, seat_id = $15,
            reopened_at = $16, reopened_because = $17, shortfall = $23,
            claimed_by = $5,
            claimed_at = CASE WHEN $5::uuid IS NULL THEN NULL
                              WHEN claimed_by = $5 THEN claimed_at ELSE $18 END,
            decision_id = $12,
            decided_at = CASE WHEN $12::uuid IS NULL THEN NULL
                              WHEN decision_id = $12 THEN decided_at ELSE $18 END,
            chosen_name = CASE WHEN $12::uuid IS NULL THEN NULL ELSE coalesce($19, chosen_name) END,
            chosen_variant = CASE WHEN $12::uuid IS NULL THEN NULL ELSE coalesce($29, chosen_variant) END,
            shortlist = CASE WHEN $7::uuid IS NULL THEN NULL ELSE coalesce($20, shortlist) END,
            findings = coalesce($21, findings),
            policy_version = coalesce($22, policy_version),
            group_id = $24,
            group_place = CASE WHEN $24::uuid IS NULL THEN NULL ELSE coalesce($25, group_place) END,
            group_joinable_until = CASE WHEN $24::uuid IS NULL THEN NULL
                                        ELSE coalesce($27, group_joinable_until) END,
            -- They are looked at again until the next decision.
            members_told = CASE WHEN $17 = 'joined_unseen' THEN coalesce($28, members_told) END,
            therapist_gone_at = $26, doubts = $30, doubted_at = $31
        WHERE request_id = $1 AND version = $2
        """,
        after.request_id,
        before.version,
        after.version,
        after.state.value,
        after.claimed_by,
        after.heard,
        after.proposal_id,
        list(after.shortlist),
        list(after.unavailable),
        list(after.excluded),
        after.answered_at,
        choice.decision_id if choice else None,
        choice.decided_by if choice else None,
        choice.therapist_id if choice else None,
        after.seat_id,
        after.reopened_at,
        after.reopened_because.value if after.reopened_because else None,
        tx.now,
        name,
        await _sealed(tx, after.subject_id, Purpose.CLINICAL, shortlist),
        await _sealed(tx, after.subject_id, Purpose.CLINICAL, findings),
        policy_version,
        after.shortfall.value if after.shortfall else None,
        after.group_id,
        await _sealed(tx, after.subject_id, Purpose.CLINICAL, group),
        after.therapist_gone_at,
        group.joinable_until if group is not None else None,
        await _sealed(tx, after.subject_id, Purpose.CLINICAL, told),
        variant,
        [each.value for each in after.doubts],
        after.doubted_at,
    )
    if status != "UPDATE 1":
        raise AssertionError("a case was changed without being locked")


async def release_all(tx: Transaction, staff_id: StaffId) -> None:
    """Gives back what somebody who has left had claimed."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM cases WHERE claimed_by = $1 ORDER BY request_id FOR UPDATE",  # noqa: S608
        staff_id,
    )
    for case in map(as_case, rows):
        after = replace(case, version=case.version + 1, claimed_by=None)
        await save(tx, case, after)
        await audit.note(tx, "operator", "released", after)


async def details_of(tx: Transaction, request_id: RequestId) -> CaseDetails | None:
    """What the person said of themselves; None once they were erased."""
    sealed = await tx.fetchval("SELECT details FROM cases WHERE request_id = $1", request_id)
    return await open_part(tx, sealed, CaseDetails)


async def shortlist_of(tx: Transaction, request_id: RequestId) -> Shortlist | None:
    """The current shortlist, if there is one."""
    sealed = await tx.fetchval("SELECT shortlist FROM cases WHERE request_id = $1", request_id)
    return await open_part(tx, sealed, Shortlist)


async def open_part(tx: Transaction, sealed: bytes | None, kind: type[M]) -> M | None:
    """What is in a sealed column; None if it is empty, or if the person was erased."""
    plain = await tx.open(sealed) if sealed is not None else None
    return kind.model_validate_json(plain) if plain is not None else None


def as_case(row: asyncpg.Record) -> Case:
    """A row of COLUMNS."""
    choice = None
    if row["decision_id"] is not None:
        choice = Choice(
            DecisionId(row["decision_id"]), StaffId(row["decided_by"]), TherapistId(row["chosen_id"])
        )
    because, shortfall = row["reopened_because"], row["shortfall"]
    return Case(
        request_id=RequestId(row["request_id"]),
        subject_id=SubjectId(row["subject_id"]),
        version=row["version"],
        state=State(row["state"]),
        submitted_at=row["submitted_at"],
        flags=row["flags"],
        claimed_by=row["claimed_by"],
        heard=row["heard"],
        proposal_id=ProposalId(row["proposal_id"]) if row["proposal_id"] is not None else None,
        shortlist=tuple(row["therapist_ids"]),
        unavailable=tuple(row["unavailable"]),
        answered_at=row["answered_at"],
        excluded=tuple(row["excluded"]),
        choice=choice,
        seat_id=SeatId(row["seat_id"]) if row["seat_id"] is not None else None,
        group_id=GroupId(row["group_id"]) if row["group_id"] is not None else None,
        reopened_at=row["reopened_at"],
        reopened_because=SeatRefusal(because) if because is not None else None,
        shortfall=Shortfall(shortfall) if shortfall is not None else None,
        therapist_gone_at=row["therapist_gone_at"],
        doubts=tuple(map(GroupDoubt, row["doubts"])),
        doubted_at=row["doubted_at"],
    )


async def _sealed(
    tx: Transaction, subject_id: SubjectId, purpose: Purpose, part: BaseModel | None
) -> bytes | None:
    if part is None:
        return None
    return await tx.seal(subject_id, purpose, part.model_dump_json().encode())
