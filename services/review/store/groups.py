"""Who has a place in a group, so that nobody is put beside somebody unseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.review.store.cases import open_part
from shared.contract.ids import GroupId, RequestId, TherapistId
from shared.contract.intake import CaseDetails, Contact
from shared.contract.matching import Group
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a place in a group; without name and birthday once they were erased."""

    request_id: RequestId
    name: str | None
    born: date | None
    joined_at: datetime
    """When it was heard that they have a place."""


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
        place = await open_part(tx, row["group_place"], Group)
        if not _is_in(groups[therapist_id], GroupId(row["group_id"]), place, tx.now):
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


def _is_in(shown: Group, group_id: GroupId, place: Group | None, now: datetime) -> bool:
    if shown.group_id is not None:
        return shown.group_id == group_id
    # It was to be opened: whoever was decided for at that time may have opened it.
    open_still = place is not None and (place.joinable_until is None or now < place.joinable_until)
    return open_still and place is not None and place.slot == shown.slot
