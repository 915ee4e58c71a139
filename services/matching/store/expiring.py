"""Which entries are not proposed any more, or soon will not be, because something in them has run out."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Variant
from shared.kit.transaction import Transaction

SOON = timedelta(days=14)
"""Ahead of the last day: long enough to ask a therapist and have an answer."""


class What(StrEnum):
    """What runs out."""

    CONFIRMATION = "confirmation"
    REGISTRATION = "registration"
    ACCREDITATION = "accreditation"


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when an entry may be proposed, as far as one thing goes."""

    therapist_id: TherapistId
    name: str
    what: What
    variant: Variant | None
    """For which an accreditation is held."""

    last_day: date
    """On which it still counts."""

    seats_offered: int
    seats_free: int

    def is_over(self, today: date) -> bool:
        """Whether it counts no longer."""
        return self.last_day < today


async def expiring(tx: Transaction, on: date, fresh_days: int) -> list[Expiry]:
    """What will have run out by a day, the first to do so first.

    Whoever offers no seat has left, and by the KSA route nobody is matched: of neither anything is expected.
    """
    rows = await tx.fetch(
        """
        WITH held AS (
            SELECT id AS therapist_id, 'confirmation' AS what, NULL AS variant,
                   confirmed_on + $2::integer AS last_day
            FROM therapists
            UNION ALL SELECT therapist_id, 'registration', NULL, expires_on FROM registrations
            UNION ALL SELECT therapist_id, 'accreditation', variant, expires_on FROM accreditations
                      WHERE route <> 'ksa'
        )
        SELECT t.id, t.name, what, variant, last_day, seats_offered, seats_free
        FROM held JOIN therapists t ON t.id = held.therapist_id
        WHERE last_day < $1 AND seats_offered > 0
        ORDER BY last_day, t.id, what, variant
        """,
        on,
        fresh_days,
    )
    return [
        Expiry(
            TherapistId(row["id"]),
            row["name"],
            What(row["what"]),
            None if row["variant"] is None else Variant(row["variant"]),
            row["last_day"],
            row["seats_offered"],
            row["seats_free"],
        )
        for row in rows
    ]
