"""The whole case, opened for one member of staff; opening it is itself noted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.review.domain.case import Case
from services.review.domain.deciding import Look
from services.review.domain.staff import Staff
from services.review.store import audit, cases, messages
from services.review.store.audit import Entry, View
from services.review.store.cases import Findings, MembersTold, as_case, open_part
from services.review.store.groups import Member, groups_shown, members_beside
from services.review.store.messages import Mail
from shared.contract.ids import RequestId, TherapistId
from shared.contract.intake import CaseDetails, Contact
from shared.contract.matching import Group, Shortlist
from shared.contract.vocabulary import Door, Variant
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything there is about a case; `contact` and `details` are None once the person was erased."""

    case: Case
    door: Door
    partner: str | None
    consented_at: datetime
    claimed_by: str | None
    claimed_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    chosen_name: str | None
    chosen_variant: Variant | None
    """The pathway that was decided for; None where none was, or by a decision before it was kept."""

    policy_version: str | None
    contact: Contact | None
    details: CaseDetails | None
    shortlist: Shortlist | None
    findings: Findings | None
    group: Group | None
    """The group in which a place is held or taken, with as many members as have one now."""

    beside: Mapping[TherapistId, tuple[Member, ...]]
    """Who else has a place in that group, or in one that a candidate stands for, by its therapist."""

    mails: tuple[Mail, ...]
    history: tuple[Entry, ...]
    views: tuple[View, ...]
    """Who has opened it; only for those who oversee."""


async def open_file(tx: Transaction, by: Staff, request_id: RequestId) -> CaseFile | None:
    """Opens a case and notes who did; None if there is no such case."""
    row = await tx.fetchrow(
        f"""
        SELECT {cases.COLUMNS}, door, partner, consented_at, claimed_at, decided_at, policy_version, contact,
               details, shortlist, findings, group_place, chosen_name, chosen_variant, members_told,
               (SELECT name FROM staff WHERE staff.id = cases.claimed_by) AS claimed_by_name,
               (SELECT name FROM staff WHERE staff.id = cases.decided_by) AS decided_by_name
        FROM cases WHERE request_id = $1
        """,  # noqa: S608 - constants
        request_id,
    )
    if row is None:
        return None
    case = as_case(row)
    group = await open_part(tx, row["group_place"], Group)
    shortlist = await open_part(tx, row["shortlist"], Shortlist)
    groups = groups_shown(shortlist)
    if group is not None and case.choice is not None:
        groups[case.choice.therapist_id] = group
    told = await open_part(tx, row["members_told"], MembersTold)
    beside = await members_beside(tx, request_id, groups, told)
    # This transaction may have begun before the news that it sees: seen is seen.
    await audit.add_view(tx, case, by.id, Look(max(tx.now, case.seen_anew_since), _seen(beside, told)))
    if group is not None and case.choice is not None:
        group = group.model_copy(update={"members": 1 + len(beside.get(case.choice.therapist_id, ()))})
    chosen = await tx.open(row["chosen_name"]) if row["chosen_name"] is not None else None
    variant = await tx.open(row["chosen_variant"]) if row["chosen_variant"] is not None else None
    return CaseFile(
        case=case,
        door=Door(row["door"]),
        partner=row["partner"],
        consented_at=row["consented_at"],
        claimed_by=row["claimed_by_name"],
        claimed_at=row["claimed_at"],
        decided_by=row["decided_by_name"],
        decided_at=row["decided_at"],
        chosen_name=chosen.decode() if chosen is not None else None,
        chosen_variant=Variant(variant.decode()) if variant is not None else None,
        policy_version=row["policy_version"],
        contact=await open_part(tx, row["contact"], Contact),
        details=await open_part(tx, row["details"], CaseDetails),
        shortlist=shortlist,
        findings=await open_part(tx, row["findings"], Findings),
        group=group,
        beside=beside,
        mails=tuple(await messages.mails_of(tx, request_id)),
        history=tuple(await audit.history(tx, request_id)),
        views=tuple(await audit.views(tx, request_id)) if by.oversees else (),
    )


def _seen(
    beside: Mapping[TherapistId, tuple[Member, ...]], told: MembersTold | None
) -> dict[TherapistId, frozenset[RequestId]]:
    seen = {each: frozenset(one.request_id for one in members) for each, members in beside.items()}
    if told is not None:
        # Whoever of them is not shown has left, as matching will hear.
        seen[told.therapist_id] = seen.get(told.therapist_id, frozenset()) | frozenset(told.members)
    return seen
