"""Who has a place in a group, so that nobody is put beside somebody unseen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.review.store.cases import open_part
from shared.contract.ids import GroupId, RequestId
from shared.contract.intake import CaseDetails, Contact
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a place in a group; without name and birthday once they were erased."""

    request_id: RequestId
    name: str | None
    born: date | None


async def members_beside(
    tx: Transaction, request_id: RequestId, groups: Collection[GroupId]
) -> Mapping[GroupId, tuple[Member, ...]]:
    """Who else has a place in each of these groups, as far as has been heard; who came first stands first."""
    found: dict[GroupId, tuple[Member, ...]] = {}
    rows = await tx.fetch(
        """
        SELECT group_id, request_id, contact, details FROM cases
        WHERE group_id = ANY($1::uuid[]) AND state IN ('place_held', 'matched') AND request_id <> $2
        ORDER BY submitted_at, request_id
        """,
        list(groups),
        request_id,
    )
    for row in rows:
        contact = await open_part(tx, row["contact"], Contact)
        details = await open_part(tx, row["details"], CaseDetails)
        member = Member(
            RequestId(row["request_id"]),
            None if contact is None else contact.client_name,
            None if details is None else details.date_of_birth,
        )
        group_id = GroupId(row["group_id"])
        found[group_id] = (*found.get(group_id, ()), member)
    return found


async def last_joined(tx: Transaction, request_id: RequestId, group_id: GroupId) -> datetime | None:
    """When the last of the others who have a place in a group was heard to have it."""
    moment: datetime | None = await tx.fetchval(
        """
        SELECT max(audit.at) FROM audit JOIN cases USING (request_id)
        WHERE cases.group_id = $1 AND cases.state IN ('place_held', 'matched') AND cases.request_id <> $2
          AND audit.action IN ('place_held', 'seat_reserved')
        """,
        group_id,
        request_id,
    )
    return moment
