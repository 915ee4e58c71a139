"""The queue: which case is next, how long it has waited, and what is wrong with its mails."""

from dataclasses import dataclass
from datetime import datetime

from services.review.domain.case import OPEN, Case, State
from services.review.store import cases, messages
from services.review.store.cases import as_case, open_part
from shared.contract.ids import RequestId
from shared.contract.intake import Contact
from shared.kit.transaction import Transaction

PAGE = 50

_TROUBLE = """
    SELECT request_id, count(*) AS number FROM messages
    WHERE state <> 'sent' AND settled_at IS NULL AND NOT coalesce(reason = ANY ($1::text[]), false)
    GROUP BY request_id
"""
_WANTED = """
    (cases.state = ANY ($2::text[])
     OR ($3 AND (trouble.number IS NOT NULL OR cases.therapist_gone_at IS NOT NULL
                 OR cases.doubted_at IS NOT NULL)))
"""


@dataclass(frozen=True, slots=True)
class Queued:
    """A case as the queue shows it."""

    case: Case
    claimed_by: str | None
    claimed_at: datetime | None
    mails_in_trouble: int
    sealed_contact: bytes


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the queue."""

    cases: tuple[Queued, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are; one, even if empty."""
        return max(1, -(-self.total // PAGE))


OPEN_STATES = frozenset({*OPEN, State.CONFIRMED, State.PLACE_HELD})


async def queue(tx: Transaction, states: frozenset[State], page: int, *, trouble: bool) -> Queue:
    """Cases of these states, and if asked all others with a mail in trouble or a match in doubt.

    What was reopened, fits nowhere or is a match in doubt comes first, then what has a risk flag, then what
    has waited longest.
    """
    number = await total(tx, states, trouble=trouble)
    rows = await tx.fetch(
        f"""
        SELECT {cases.COLUMNS}, contact, claimed_at, staff.name AS claimed_by_name,
               coalesce(trouble.number, 0) AS mails_in_trouble
        FROM cases LEFT JOIN ({_TROUBLE}) AS trouble USING (request_id)
             LEFT JOIN staff ON staff.id = cases.claimed_by
        WHERE {_WANTED}
        ORDER BY (reopened_at IS NULL AND therapist_gone_at IS NULL AND doubted_at IS NULL
                  AND state <> 'no_way_fits'),
                 (flags = 0), submitted_at, request_id
        LIMIT $4 OFFSET $5
        """,  # noqa: S608 - constants
        *_wanted(states, trouble=trouble),
        PAGE,
        (page - 1) * PAGE,
    )
    return Queue(
        tuple(
            Queued(
                as_case(row),
                row["claimed_by_name"],
                row["claimed_at"],
                row["mails_in_trouble"],
                row["contact"],
            )
            for row in rows
        ),
        number,
        page,
    )


async def referred_to(tx: Transaction, reference: str) -> list[RequestId]:
    """The cases that letters call by this reference, however it is written; hardly ever more than one."""
    digits = "".join(character for character in reference.lower() if character.isalnum())
    rows = await tx.fetch(
        "SELECT request_id FROM cases WHERE right(request_id::text, 8) = $1 ORDER BY request_id", digits
    )
    return [RequestId(row["request_id"]) for row in rows]


async def total(tx: Transaction, states: frozenset[State], *, trouble: bool) -> int:
    """How many cases `queue` has."""
    number: int = await tx.fetchval(
        f"""
        SELECT count(*) FROM cases LEFT JOIN ({_TROUBLE}) AS trouble USING (request_id) WHERE {_WANTED}
        """,  # noqa: S608 - constants
        *_wanted(states, trouble=trouble),
    )
    return number


async def name_on(tx: Transaction, queued: Queued) -> str | None:
    """The client's name; None once they were erased."""
    contact = await open_part(tx, queued.sealed_contact, Contact)
    return contact.client_name if contact is not None else None


async def counts(tx: Transaction) -> dict[State, int]:
    """How many cases are in each state."""
    rows = await tx.fetch("SELECT state, count(*) AS number FROM cases GROUP BY state")
    found = {State(row["state"]): int(row["number"]) for row in rows}
    return {state: found.get(state, 0) for state in State}


def _wanted(states: frozenset[State], *, trouble: bool) -> tuple[object, ...]:
    return (
        [each.value for each in messages.NO_TROUBLE],
        sorted(each.value for each in states),
        trouble,
    )
