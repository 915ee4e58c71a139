"""Gives the same thing the same id whenever and through whichever door it comes again."""

import json
from uuid import UUID, uuid5

from shared.contract.ids import RequestId

_OURS = UUID("b1d6b0a4-5d0c-5f0e-9d5e-6a2c1f0a7e31")


def by_reference(partner: str, reference: str) -> RequestId:
    """A partner's request under the partner's own reference, whichever door it comes through."""
    return RequestId(_named("reference", partner, reference))


def by_event(source: str, event_id: str) -> RequestId:
    """A request that came as a CloudEvent without a reference."""
    return RequestId(_named("event", source, event_id))


def by_idempotency_key(partner: str, key: str) -> RequestId:
    """A request that came over HTTP with an Idempotency-Key and without a reference."""
    return RequestId(_named("idempotency-key", partner, key))


def by_form(token: UUID) -> RequestId:
    """A request from one opening of the web form."""
    return RequestId(_named("form", str(token)))


def of_rejection(*where: str) -> RequestId:
    """A submission that became no request: apart from all requests, for one may come of it yet."""
    return RequestId(_named("rejection", *where))


def _named(*parts: str) -> UUID:
    return uuid5(_OURS, json.dumps(parts))
