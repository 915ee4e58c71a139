"""Remembers requests, consents, partners and what was heard; the only place with SQL."""

from services.intake.store.pace import keeps_pace
from services.intake.store.partners import (
    Partner,
    add_partner,
    find_partner_by_key,
    find_partner_by_source,
    partners,
    renew_key,
    revoke_partner,
)
from services.intake.store.requests import (
    Arrival,
    Outcome,
    View,
    exists_from_web,
    find_by_token,
    find_for_partner,
    hear,
    take_in,
    wait_told,
    withdraw,
)

__all__ = [
    "Arrival",
    "Outcome",
    "Partner",
    "View",
    "add_partner",
    "exists_from_web",
    "find_by_token",
    "find_for_partner",
    "find_partner_by_key",
    "find_partner_by_source",
    "hear",
    "keeps_pace",
    "partners",
    "renew_key",
    "revoke_partner",
    "take_in",
    "wait_told",
    "withdraw",
]
