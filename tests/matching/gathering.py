"""What tests of groups speak of: who leads one, who looks for one, how it gathers, and what is said."""

from collections.abc import Awaitable, Callable
from typing import Any

from services.matching import store
from services.matching.domain.therapist import Therapist
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import STREAM, Candidate, Group, MatchProposed
from shared.contract.review import MatchConfirmed
from shared.contract.sealing import opened
from shared.contract.vocabulary import Format, Slot, Variant
from shared.kit.database import Database
from shared.kit.transaction import Transaction
from tests.matching.builders import RULES, a_therapist, an_accreditation, born
from tests.support.builders import a_case, a_confirmation, a_request, id_of

RULE = RULES.policy.groups[Variant.IPT_AST]
LEAST, MOST = RULE.size.least, RULE.size.most

Hear = Callable[[Event], Awaitable[list[Event]]]


async def assert_places_add_up(tx: Transaction) -> list[str]:
    """Every place of a group is free or somebody's, and a group is what its members make it; all states."""
    groups = await tx.fetch(
        """
        SELECT state, least, most, places_taken,
               (SELECT count(*) FROM group_places p WHERE p.group_id = g.id AND p.freed_at IS NULL) AS here
        FROM groups g
        """
    )
    for each in groups:
        assert each["places_taken"] == each["here"] <= each["most"]
        assert (each["state"] == "dissolved") == (each["here"] == 0)
        assert each["state"] != "gathering" or each["here"] < each["least"]
    return [each["state"] for each in groups]


def a_leader(name: str = "ada", **changes: Any) -> Therapist:
    """Somebody who leads skills groups for young people, and does nothing else."""
    held = (an_accreditation(Variant.IPT_AST), an_accreditation(Variant.IPT_G))
    return a_therapist(name, accreditations=held, **changes)


def somebody(age: int = 14, **changes: Any) -> RequestSubmitted:
    """A young person without a diagnosis who would come to a group."""
    told: dict[str, Any] = {
        "date_of_birth": born(age),
        "format": Format.GROUP,
        "conditions": (),
        "diagnosed": None,
        "preferences": (),
        "availability": (Slot.TUE_EVENING, Slot.WED_MORNING),
    }
    return a_request(details=a_case(**(told | changes)))


async def in_directory(database: Database, *therapists: Therapist) -> None:
    async with database.transaction() as tx:
        for therapist in therapists:
            await store.save_therapist(tx, therapist)
        await store.want_reoffer(tx, "test")


def shown(proposal: Event) -> Candidate:
    """Who comes first on a shortlist."""
    assert isinstance(proposal, MatchProposed)
    return opened(proposal.shortlist).candidates[0]


def group_on(candidate: Candidate) -> Group:
    assert candidate.group is not None
    return candidate.group


def a_choice(proposal: MatchProposed) -> MatchConfirmed:
    return a_confirmation(proposal, therapist_id=shown(proposal).therapist_id)


async def in_outbox(database: Database) -> list[tuple[str, str]]:
    """What was laid in the outbox about requests: which, and the event's name."""
    async with database.transaction() as tx:
        rows = await tx.fetch(
            "SELECT key, header_names, header_values FROM outbox WHERE stream = $1 ORDER BY id", STREAM
        )
    found = []
    for row in rows:
        headers = dict(zip(row["header_names"], row["header_values"], strict=True))
        found.append((row["key"].decode(), headers[b"ce_type"].decode().split(".")[2]))
    return found


async def proposed_to(database: Database) -> list[str]:
    """To whom the passes have proposed, in order."""
    return [key for key, name in await in_outbox(database) if name == "match-proposed"]


async def proposed(hear: Hear, request: RequestSubmitted | None = None) -> MatchProposed:
    """The proposal to whoever asks."""
    [said] = await hear(request or somebody())
    assert isinstance(said, MatchProposed)
    return said


async def gather(hear: Hear, number: int) -> list[MatchConfirmed]:
    """So many young people are confirmed, one after the other."""
    choices = [a_choice(await proposed(hear)) for _ in range(number)]
    for each in choices:
        await hear(each)
    return choices


async def seats_free(database: Database, name: str = "ada") -> int:
    """How many seats a therapist has free."""
    async with database.transaction() as tx:
        entry = await store.find_therapist(tx, id_of(name))
    assert entry is not None
    return entry.seats_free


async def groups(database: Database) -> list[tuple[str, int]]:
    """Every group there ever was: its state, and how many have a place in it."""
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT state, places_taken FROM groups ORDER BY opened_at, id")
    return [(row["state"], row["places_taken"]) for row in rows]
