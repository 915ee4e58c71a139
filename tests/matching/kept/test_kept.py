"""What is kept of a client: sealed, or open for only as long as it is looked for by."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

import asyncpg
import pytest

from services.matching.handlers import close_erased
from services.matching.store import State
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import GroupPlaceHeld, MatchProposed, SeatRefusal, SeatUnavailable
from shared.contract.vocabulary import (
    Condition,
    FlagKind,
    LifeEvent,
    ProblemArea,
    RequesterRole,
    Therapy,
    Variant,
)
from shared.kit.database import Database
from tests.matching.gathering import a_choice, a_leader, in_directory, somebody
from tests.matching.processes import Process
from tests.matching.seated import state_of
from tests.support.builders import a_contact, a_decline, a_flag, a_rematch, a_withdrawal

ROW = dict[str, str]
LEADS_ON = {"subject_id", "request_id", "proposal_id", "group_id", "ranking_id", "decision_id"}

SAID = (Variant, Condition, FlagKind, LifeEvent, ProblemArea, RequesterRole, Therapy)
# What is shorter may stand in sealed bytes by chance.
WORDS = {str(word) for word in chain(*SAID) if len(word) > 4} - {"other"} | {
    "Okafor",
    "Since the move",
    "2012-11",
}
CLINICAL = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, WORDS), reverse=True))})\b")


@pytest.fixture
def request_() -> RequestSubmitted:
    """A parent asks for a young person who comes to a group."""
    asked = somebody(
        problem_areas=(ProblemArea.ROLE_TRANSITION,),
        life_event=LifeEvent.SEPARATION,
        conditions=(Condition.ANXIETY,),
        flags=(a_flag(FlagKind.SUBSTANCES),),
    )
    parent = a_contact(requester_role=RequesterRole.PARENT)
    return asked.model_copy(update={"contact": parent})


def as_text(row: asyncpg.Record) -> ROW:
    """A row as whoever looks at the table may read it."""
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in row.items()
        if value is not None
    }


def links(table: str, row: ROW) -> set[tuple[str, str]]:
    """By which ids a row and others lead to one another."""
    own = {f"{table.removesuffix('s')}_id" if name == "id" else name: value for name, value in row.items()}
    return {(name, value) for name, value in own.items() if name in LEADS_ON}


async def kept_of(database: Database, request: RequestSubmitted) -> Mapping[str, list[ROW]]:
    """By table, all rows that lead to a client, over however many others."""
    names = await database.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    tables = {
        name: [as_text(row) for row in await database.pool.fetch(f"SELECT * FROM {name}")]  # noqa: S608
        for [name] in names
    }
    known = {("request_id", str(request.request_id)), ("subject_id", str(request.subject_id))}
    while True:
        ids = {value for _, value in known}
        kept = {
            name: [row for row in rows if links(name, row) & known or row.get("key") in ids]
            for name, rows in tables.items()
        }
        found = known.union(*(links(name, row) for name, rows in kept.items() for row in rows))
        if found == known:
            return {name: rows for name, rows in kept.items() if rows}
        known = found


async def told_of(database: Database, request: RequestSubmitted) -> dict[str, set[str]]:
    """By table, which clinical words stand open of a client."""
    kept = await kept_of(database, request)
    told = {name: set(CLINICAL.findall(" ".join(_values(rows)))) for name, rows in kept.items()}
    return {name: words for name, words in told.items() if words}


def _values(rows: list[ROW]) -> Iterator[str]:
    return chain.from_iterable(row.values() for row in rows)


async def held(process: Process, request: RequestSubmitted) -> None:
    """The client has a place in a group that gathers, beside somebody else."""
    for each in (somebody(), request):
        [proposal] = await process.hear(each)
        assert isinstance(proposal, MatchProposed)
        [said] = await process.hear(a_choice(proposal))
        assert isinstance(said, GroupPlaceHeld)


async def test_nothing_of_a_client_who_waits_stands_open(
    database: Database, process: Process, request_: RequestSubmitted
) -> None:
    await process.take(request_)

    assert {"requests", "waiting_list", "rankings", "outbox"} <= set(await kept_of(database, request_))
    assert await told_of(database, request_) == {}


async def test_nothing_of_a_client_who_is_proposed_a_group_stands_open(
    database: Database, process: Process, request_: RequestSubmitted
) -> None:
    await in_directory(database, a_leader())
    await process.take(request_)

    kept = await kept_of(database, request_)
    assert {"requests", "proposals", "rankings", "outbox"} <= set(kept)
    assert kept["proposals"][0]["group_slot"] == "tue_evening"
    assert await told_of(database, request_) == {}


async def test_of_a_client_with_a_place_nothing_stands_open_but_of_which_variant_the_group_is(
    database: Database, process: Process, request_: RequestSubmitted
) -> None:
    await in_directory(database, a_leader())
    await held(process, request_)

    assert {"requests", "group_places", "proposals"} <= set(await kept_of(database, request_))
    assert await told_of(database, request_) == {"groups": {"ipt-ast"}}


async def test_what_a_decision_was_made_by_is_not_needed_after_it(
    database: Database, process: Process, request_: RequestSubmitted
) -> None:
    await in_directory(database, a_leader())
    await held(process, request_)

    kept = await kept_of(database, request_)

    assert [(each["open"], each["named"]) for each in kept["proposals"]] == [("False", "[]")] * 2
    assert not any("group_slot" in each for each in kept["proposals"])
    assert {each["looks_for_group"] for each in kept["requests"]} == {"False"}


@pytest.mark.parametrize("end", [a_withdrawal, a_decline])
async def test_a_place_that_was_given_back_tells_of_no_group(
    database: Database, process: Process, request_: RequestSubmitted, end: Callable[[RequestSubmitted], Event]
) -> None:
    await in_directory(database, a_leader())
    await held(process, request_)

    await process.hear(end(request_))

    kept = await kept_of(database, request_)
    assert "group_places" in kept
    assert "groups" not in kept
    assert await told_of(database, request_) == {}


async def test_of_who_was_erased_nothing_is_kept_but_that_their_request_has_ended(
    database: Database, process: Process, request_: RequestSubmitted
) -> None:
    await in_directory(database, a_leader())
    await held(process, request_)
    await database.keys.destroy(request_.subject_id)  # type: ignore[attr-defined]

    assert await close_erased(database) == 1

    kept = await kept_of(database, request_)
    assert "groups" not in kept
    assert await told_of(database, request_) == {}
    assert not any({"subject_id", "details"} & set(row) for row in chain.from_iterable(kept.values()))
    assert {each["closed_because"] for each in kept["requests"]} == {"erased"}


async def test_late_events_about_who_was_erased_change_nothing(
    database: Database, process: Process, request_: RequestSubmitted
) -> None:
    await in_directory(database, a_leader())
    [proposal] = await process.hear(request_)
    assert isinstance(proposal, MatchProposed)
    decision = a_choice(proposal)
    await process.hear(decision)
    await database.keys.destroy(request_.subject_id)  # type: ignore[attr-defined]
    await close_erased(database)

    for late in (decision, a_rematch(proposal), a_decline(request_), a_withdrawal(request_)):
        assert await process.hear(late) == []
    [said] = await process.hear(a_choice(proposal))

    assert isinstance(said, SeatUnavailable)
    assert said.reason is SeatRefusal.REQUEST_CLOSED
    assert await state_of(database, request_.request_id) is State.CLOSED
