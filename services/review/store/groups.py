"""Who has a place in a group, so that nobody is put beside somebody unseen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel

from shared.contract.ids import GroupId, RequestId, TherapistId
from shared.contract.intake import CaseDetails, Contact
from shared.contract.matching import Group, Shortlist
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.transaction import Transaction

M = TypeVar("M", bound=BaseModel)

LONGEST = timedelta(days=366)
"""So long ago nobody was decided for whose group still takes members: half a year to gather and as long to
begin is the most that matching's policy may allow."""


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
    if not groups:
        return {}
    rows = await tx.fetch(
        """
        SELECT request_id, chosen_id, group_id, group_place, contact, details, joined_at
        FROM cases, LATERAL (
            SELECT max(at) AS joined_at FROM audit
            WHERE audit.request_id = cases.request_id AND action IN ('place_held', 'seat_reserved')
        ) AS heard
        WHERE request_id <> $1 AND state IN ('place_held', 'matched') AND group_id IS NOT NULL
          AND (group_id = ANY($2::uuid[]) OR (chosen_id = ANY($3::uuid[]) AND decided_at > $4))
        ORDER BY submitted_at, request_id
        """,
        request_id,
        [group.group_id for group in groups.values() if group.group_id is not None],
        [therapist_id for therapist_id, group in groups.items() if group.group_id is None],
        tx.now - LONGEST,
    )
    places = await _opened(tx, [row["group_place"] for row in rows], Group)
    there = [
        row
        for row, place in zip(rows, places, strict=True)
        if _is_in(groups[TherapistId(row["chosen_id"])], row["group_id"], place, tx.now)
    ]
    contacts = await _opened(tx, [row["contact"] for row in there], Contact)
    details = await _opened(tx, [row["details"] for row in there], CaseDetails)
    found: dict[TherapistId, tuple[Member, ...]] = {}
    for row, contact, told in zip(there, contacts, details, strict=True):
        member = Member(
            RequestId(row["request_id"]),
            None if contact is None else contact.client_name,
            None if told is None else told.date_of_birth,
            row["joined_at"],
        )
        therapist_id = TherapistId(row["chosen_id"])
        found[therapist_id] = (*found.get(therapist_id, ()), member)
    return found


def _is_in(shown: Group, group_id: GroupId, place: Group | None, now: datetime) -> bool:
    if shown.group_id is not None:
        return shown.group_id == group_id
    # It was to be opened: whoever was decided for at that time may have opened it.
    if place is None or place.slot != shown.slot:
        return False
    return place.joinable_until is None or now < place.joinable_until


async def _opened(tx: Transaction, sealed: Sequence[bytes], kind: type[M]) -> list[M | None]:
    """What is in sealed columns, with one look for all keys; None for who was erased."""
    found: list[M | None] = []
    for plain in await tx.open_all(sealed):
        if isinstance(plain, BoxBroken):
            raise plain
        found.append(None if isinstance(plain, KeyDestroyed) else kind.model_validate_json(plain))
    return found
