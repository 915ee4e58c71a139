"""Seals a case; opens a request, a shortlist, or what is kept of many with one look for their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.matching import store
from services.matching.handlers.skipping import skipping
from shared.contract.event import Part
from shared.contract.ids import ProposalId, RequestId, SubjectId
from shared.contract.intake import CaseDetails, RequestSubmitted
from shared.contract.matching import Shortlist
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import RequesterRole
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.transaction import Transaction

P = TypeVar("P", bound=Part)


class Kept(CaseDetails):
    """A case as it is sealed here: with who asks, so far as it was told."""

    requester: RequesterRole | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A request together with the case that its sealed details hold."""

    request: store.Request
    subject_id: SubjectId
    case: Kept


async def keep_request(event: RequestSubmitted, tx: Transaction, submitted_at: datetime) -> Opened | None:
    """Keeps a new request, sealed; None if it is known already."""
    requester = None if event.contact is None else event.contact.requester_role
    case = Kept(**dict(opened(event.details)), requester=requester)
    sealed = await tx.seal(event.subject_id, Purpose.CLINICAL, case.model_dump_json().encode())
    if not await store.add_request(tx, event.request_id, event.subject_id, sealed, submitted_at):
        return None
    request = store.Request(
        event.request_id, event.subject_id, sealed, store.State.WAITING, submitted_at, None
    )
    return Opened(request, event.subject_id, case)


async def open_request(tx: Transaction, request: store.Request) -> Opened | None:
    """The request in plain; None once the person was erased, or if nothing was ever heard of them."""
    if request.details is None or request.subject_id is None:
        return None
    details = await tx.open(request.details)
    if details is None:
        return None
    return Opened(request, request.subject_id, Kept.model_validate_json(details))


async def open_shortlist(tx: Transaction, proposal_id: ProposalId) -> Shortlist | None:
    """What was proposed; None once the person was erased."""
    plain = await tx.open(await store.get_shortlist(tx, proposal_id))
    return None if plain is None else Shortlist.model_validate_json(plain)


async def readable(
    tx: Transaction, sealed: Sequence[tuple[RequestId, bytes]], kind: type[P], if_not: str
) -> dict[RequestId, P]:
    """What is kept by request, in their order; `if_not` is logged of what should be readable and is not."""
    plain = await tx.open_all([each for _, each in sealed])
    return read([request_id for request_id, _ in sealed], plain, kind, if_not)


def read(
    request_ids: Sequence[RequestId],
    plain: Sequence[bytes | KeyDestroyed | BoxBroken],
    kind: type[P],
    if_not: str,
) -> dict[RequestId, P]:
    """The same of what has been opened already."""
    found: dict[RequestId, P] = {}
    for request_id, each in zip(request_ids, plain, strict=True):
        if isinstance(each, KeyDestroyed):
            continue
        with skipping(if_not, request_id=request_id):
            if isinstance(each, BoxBroken):
                raise each
            found[request_id] = kind.model_validate_json(each)
    return found
