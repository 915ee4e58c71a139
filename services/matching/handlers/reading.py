"""Opens what is sealed: a request, a shortlist, or the cases of many with one look for their keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.matching import store
from services.matching.handlers.skipping import skipping
from shared.contract.ids import ProposalId, RequestId, SubjectId
from shared.contract.intake import CaseDetails
from shared.contract.matching import Shortlist
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Opened:
    """A request together with the case that its sealed details hold."""

    request: store.Request
    subject_id: SubjectId
    case: CaseDetails


async def open_request(tx: Transaction, request: store.Request) -> Opened | None:
    """The request in plain; None once the person was erased, or if nothing was ever heard of them."""
    if request.details is None or request.subject_id is None:
        return None
    details = await tx.open(request.details)
    if details is None:
        return None
    return Opened(request, request.subject_id, CaseDetails.model_validate_json(details))


async def open_shortlist(tx: Transaction, proposal_id: ProposalId) -> Shortlist | None:
    """What was proposed; None once the person was erased."""
    plain = await tx.open(await store.get_shortlist(tx, proposal_id))
    return None if plain is None else Shortlist.model_validate_json(plain)


async def readable_cases(
    tx: Transaction, sealed: Sequence[tuple[RequestId, bytes]], if_not: str
) -> dict[RequestId, CaseDetails]:
    """The cases by request, in their order; `if_not` is logged of what should be readable and is not."""
    opened = await tx.open_all([details for _, details in sealed])
    cases: dict[RequestId, CaseDetails] = {}
    for (request_id, _), details in zip(sealed, opened, strict=True):
        if isinstance(details, KeyDestroyed):
            continue
        with skipping(if_not, request_id=request_id):
            if isinstance(details, BoxBroken):
                raise details
            cases[request_id] = CaseDetails.model_validate_json(details)
    return cases
