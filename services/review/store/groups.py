"""Who has a place in a group, so that nobody is put beside somebody unseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.review.store.cases import open_part
from shared.contract.ids import RequestId, TherapistId
from shared.contract.intake import CaseDetails, Contact
from shared.contract.matching import Group, Shortlist
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a place in a group; without name and birthday once they were erased."""

    request_id: RequestId
    name: str | None
    born: date | None
    joined_at: datetime
    """When it was heard that they have a place."""


def groups_shown(shortlist: Shortlist | None) -> dict[TherapistId, Group]:
    """Which group each candidate stands for, of those who stand for one."""
    candidates = shortlist.candidates if shortlist is not None else ()
    return {each.therapist_id: each.group for each in candidates if each.group is not None}


async def members_beside(
    tx: Transaction, request_id: RequestId, groups: Mapping[TherapistId, Group]
) -> Mapping[TherapistId, tuple[Member, ...]]:
    """Who else has a place in these groups, as far as has been heard; who came first stands first."""
    found: dict[TherapistId, tuple[Member, ...]] = {}
    rows = await tx.fetch(
        """
        SELECT request_id, chosen_id, group_id, group_place, contact, details, joined_at
        FROM cases, LATERAL (
            SELECT max(at) AS joined_at FROM audit
            WHERE audit.request_id = cases.request_id AND action IN ('place_held', 'seat_reserved')
        ) AS heard
        WHERE chosen_id = ANY($1::uuid[]) AND group_id IS NOT NULL AND state IN ('place_held', 'matched')
          AND request_id <> $2
        ORDER BY submitted_at, request_id
        """,
        list(groups),
        request_id,
    )
    for row in rows:
        therapist_id = TherapistId(row["chosen_id"])
        if not await _is_in(groups[therapist_id], row, tx):
            continue
        contact = await open_part(tx, row["contact"], Contact)
        details = await open_part(tx, row["details"], CaseDetails)
        member = Member(
            RequestId(row["request_id"]),
            None if contact is None else contact.client_name,
            None if details is None else details.date_of_birth,
            row["joined_at"],
        )
        found[therapist_id] = (*found.get(therapist_id, ()), member)
    return found


async def _is_in(shown: Group, row: asyncpg.Record, tx: Transaction) -> bool:
    if shown.group_id is not None:
        return bool(shown.group_id == row["group_id"])
    # It was to be opened: whoever was decided for at that time may have opened it.
    place = await open_part(tx, row["group_place"], Group)
    if place is None or place.slot != shown.slot:
        return False
    return place.joinable_until is None or tx.now < place.joinable_until
