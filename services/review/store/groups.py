"""Who has a place in a group, so that nobody is put beside somebody unseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import asyncpg
from pydantic import BaseModel

from services.review.store.cases import MembersTold
from shared.contract.ids import RequestId, TherapistId
from shared.contract.intake import CaseDetails, Contact
from shared.contract.matching import Group, Shortlist
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.transaction import Transaction

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a place in a group; without name and birthday if these cannot be read any more."""

    request_id: RequestId
    name: str | None
    born: date | None


def groups_shown(shortlist: Shortlist | None) -> dict[TherapistId, Group]:
    """Which group each candidate stands for, or could instead, of those who have one."""
    candidates = shortlist.candidates if shortlist is not None else ()
    # Nobody has two groups at a time.
    return {
        each.therapist_id: choice.group
        for each in candidates
        for choice in each.choices
        if choice.group is not None
    }


async def members_beside(
    tx: Transaction,
    request_id: RequestId,
    groups: Mapping[TherapistId, Group],
    told: MembersTold | None = None,
) -> Mapping[TherapistId, tuple[Member, ...]]:
    """Who else has a place in these groups, as far as has been heard; who came first stands first.

    Whoever matching has `told` of is among them, be it that word of their own place is still to come.
    """
    rows = await _who_may_be_in(tx, request_id, groups, told)
    # All with one look for their keys; what is empty opens as little as what was destroyed.
    parts = [row[part] or b"" for part in ("contact", "details", "group_place") for row in rows]
    plain = await tx.open_all(parts)
    number = len(rows)
    found: dict[TherapistId, tuple[Member, ...]] = {}
    for row, *sealed in zip(rows, plain[:number], plain[number:-number], plain[-number:], strict=True):
        contact, details, place = (
            _read(sealed[0], Contact), _read(sealed[1], CaseDetails), _read(sealed[2], Group)
        )  # fmt: skip
        therapist_id = TherapistId(row["chosen_id"])
        if not _is_in(groups[therapist_id], row, place):
            continue
        member = Member(
            RequestId(row["request_id"]),
            None if contact is None else contact.client_name,
            None if details is None else details.date_of_birth,
        )
        found[therapist_id] = (*found.get(therapist_id, ()), member)
    return found


async def _who_may_be_in(
    tx: Transaction, request_id: RequestId, groups: Mapping[TherapistId, Group], told: MembersTold | None
) -> list[asyncpg.Record]:
    """Those in the groups that are there, or that somebody may have opened since they were to be opened."""
    gathered = [each.group_id for each in groups.values() if each.group_id is not None]
    to_open = [therapist_id for therapist_id, each in groups.items() if each.group_id is None]
    return await tx.fetch(
        """
        SELECT request_id, chosen_id, group_id, contact, details, group_place
        FROM cases
        WHERE request_id <> $1 AND chosen_id = ANY($2::uuid[]) AND (
            (state IN ('place_held', 'matched') AND (
                group_id = ANY($3::uuid[])
                OR (group_id IS NOT NULL AND chosen_id = ANY($4::uuid[])
                    AND (group_joinable_until IS NULL OR group_joinable_until > $5))
            ))
            OR (state = 'confirmed' AND request_id = ANY($6::uuid[]) AND chosen_id = $7)
        )
        ORDER BY submitted_at, request_id
        """,
        request_id,
        list(groups),
        gathered,
        to_open,
        tx.now,
        [] if told is None else list(told.members),
        None if told is None else told.therapist_id,
    )


def _is_in(shown: Group, row: asyncpg.Record, place: Group | None) -> bool:
    if row["group_id"] is None:
        # Matching has told of them, and of their place nothing has been heard yet.
        return True
    if shown.group_id is not None:
        return bool(shown.group_id == row["group_id"])
    # It was to be opened: whoever was decided for at that time may have opened it.
    return place is not None and place.slot == shown.slot


def _read(plain: bytes | KeyDestroyed | BoxBroken, kind: type[M]) -> M | None:
    return kind.model_validate_json(plain) if isinstance(plain, bytes) else None
