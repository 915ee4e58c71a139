"""Lets rankings happen and makes them again, for tests of the record, of replay and of the shadow."""

from datetime import UTC, datetime
from pathlib import Path

from services.matching import store
from services.matching.app import load_rules
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Therapist
from services.matching.handlers import Again, Matcher, Replay, handlers
from services.matching.settings import POLICY
from services.matching.store.directory import save_therapists
from shared.contract.event import Event
from shared.kit.database import Database
from shared.kit.testing import recording
from shared.kit.transaction import Transaction
from tests.matching.builders import RULES

ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def a_matcher(rules: Rules = RULES) -> Matcher:
    """What a process has for ranking when it has just begun."""
    return Matcher(rules, store.DirectoryInMemory(rules))


async def hear(database: Database, matcher: Matcher, *events: Event) -> list[Event]:
    """Lets matching hear events in one transaction, as a batch; returns what it says."""
    async with recording(database) as tx:
        for event in events:
            await handle(event, tx, matcher)
    return tx.published


async def handle(event: Event, tx: Transaction, matcher: Matcher) -> None:
    """Lets matching hear an event in a transaction that is open."""
    function = handlers.events[type(event)]
    needs_matcher = "matcher" in function.__annotations__
    await (function(event, tx, matcher) if needs_matcher else function(event, tx))


def another_policy(folder: Path, **changes: str) -> Path:
    """The committed policy with some of its lines changed: `weights_caseload="caseload = 900"`."""
    text = POLICY.read_text(encoding="utf-8").replace('version = "2026-11"', 'version = "tried"')
    for line in changes.values():
        name = line.partition(" = ")[0]
        [old] = [each for each in text.splitlines() if each.startswith(f"{name} = ")][:1]
        text = text.replace(old, line, 1)
    file = folder / "tried.toml"
    file.write_text(text, encoding="utf-8")
    return file


def rules_of(file: Path) -> Rules:
    """The rules of a policy file."""
    return load_rules(file)


async def recorded(database: Database) -> list[store.Ranking]:
    """Every ranking of the record."""
    async with database.transaction() as tx:
        return await store.rankings_between(tx, *ALWAYS, 0, 10_000)


async def made_again(database: Database, other: Rules | None = None) -> list[Again | None]:
    """Every ranking of the record, made again."""
    rankings = await recorded(database)
    replay = Replay({RULES.digest: RULES}, other)
    async with database.transaction() as tx:
        return [await replay.again(tx, ranking) for ranking in rankings]


async def in_directory(database: Database, *therapists: Therapist) -> None:
    """Puts entries into the directory, all at once."""
    async with database.transaction() as tx:
        await save_therapists(tx, therapists)


def all_the_same(made: list[Again | None]) -> bool:
    """Whether every ranking was made again, and none came out otherwise."""
    return all(again is not None and again.same for again in made)
