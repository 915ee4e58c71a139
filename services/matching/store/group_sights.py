"""What a ranking had seen of groups; others are in it by id alone, so that who is erased is gone here too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from services.matching.domain.grouping import Gathering
from shared.contract.ids import ProposalId, RequestId, SubjectId, TherapistId
from shared.contract.sealing import Purpose
from shared.contract.vocabulary import Slot, Variant
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SeenGroup:
    """A group, and whose dates of birth it was known by."""

    group: Gathering
    members: tuple[RequestId, ...]


@dataclass(frozen=True, slots=True)
class SeenSeeker:
    """Somebody else who looked for a group, and what was proposed to them then."""

    request_id: RequestId
    proposal_id: ProposalId | None


@dataclass(frozen=True, slots=True)
class GroupSight:
    """All that was seen of groups, in the order in which it was seen."""

    variants: tuple[Variant, ...]
    """Which groups were looked for."""

    groups: tuple[SeenGroup, ...]
    seekers: tuple[SeenSeeker, ...]
    busy: Mapping[TherapistId, tuple[Slot, ...]]
    heeding: bool


_KEPT = TypeAdapter(GroupSight)


async def seal_group_sight(tx: Transaction, subject_id: SubjectId, sight: GroupSight) -> bytes:
    """Seals it with the key of the client who was ranked for: who shares a group with whom is clinical."""
    return await tx.seal(subject_id, Purpose.CLINICAL, _KEPT.dump_json(sight))


async def open_group_sight(tx: Transaction, sealed: bytes) -> GroupSight | None:
    """What was seen; None once that client was erased."""
    plain = await tx.open(sealed)
    return None if plain is None else _KEPT.validate_json(plain)


async def details_of(tx: Transaction, request_ids: Sequence[RequestId]) -> dict[RequestId, bytes]:
    """The sealed cases of some requests; of who was erased there is none."""
    rows = await tx.fetch(
        "SELECT id, details FROM requests WHERE id = ANY($1) AND details IS NOT NULL", request_ids
    )
    return {RequestId(row["id"]): row["details"] for row in rows}


async def shortlists_of(tx: Transaction, proposal_ids: Sequence[ProposalId]) -> dict[ProposalId, bytes]:
    """The sealed shortlists of some proposals."""
    rows = await tx.fetch("SELECT id, shortlist FROM proposals WHERE id = ANY($1)", proposal_ids)
    return {ProposalId(row["id"]): row["shortlist"] for row in rows}
