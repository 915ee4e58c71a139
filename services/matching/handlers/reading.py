"""Reads the cases of many requests with one look for their keys, without those that cannot be read."""

from collections.abc import Sequence

from services.matching.handlers.skipping import skipping
from shared.contract.ids import RequestId
from shared.contract.intake import CaseDetails
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.transaction import Transaction


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
