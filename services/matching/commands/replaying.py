"""Makes recorded rankings again and tells what another policy would have changed."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from services.matching import store
from services.matching.app import load_rules
from services.matching.commands.directory import interruptible, progress
from services.matching.commands.telling import told
from services.matching.commands.writing import replace
from services.matching.domain.comparing import Comparison, case_of, groups_first, report
from services.matching.domain.place import PlacesFault, read_places
from services.matching.domain.policy import PolicyFault, read_policy
from services.matching.domain.ranking import Rules
from services.matching.handlers.replaying import OutOfStep, Replay
from services.matching.settings import Settings
from shared.ages import LONDON
from shared.kit import migrating
from shared.kit.command_line import AsJson, databases_of, finish, loaded
from shared.kit.database import Database
from shared.kit.errors import Fatal
from shared.kit.keyring import Keyring
from shared.kit.transaction import Transaction

DIFFERS = 3
"""The exit code when a ranking could not be made again byte for byte."""

AT_ONCE = 200


def replay(
    *,
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day, in London.", show_default=False)
    ],
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day, in London; up to now if not given."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="The policy to rank by; without it the record is only checked.", dir_okay=False),
    ] = None,
    cases: Annotated[
        bool, typer.Option("--cases", help="List cases with another first place, instead of groups.")
    ] = False,
    as_json: AsJson = False,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; standard output if not given.", dir_okay=False)
    ] = None,
) -> None:
    """Make recorded rankings again, as they were and under another policy.

    Each ranking finds what it found then: the directory, the day, who was
    excluded, which seats were spoken for, where places are. The policy of that day must give
    the recorded bytes again; every ranking that differs is reported.
    The other policy changes nothing for the next ranking: each is taken by
    itself, with seats taken and freed as they were.

    A change is new less old. Scores of two policies do not compare, so the
    new list is scored by the old policy, too: that is its value. A wait ends
    when the first of a request's first proposal can begin; how long a group
    gathers is not counted.

    The groups, and who else looked for one, are those of that moment. A
    ranking whose groups are not on record is left out and counted: it was
    made before they were kept, or only the other policy leads that client
    into one.

    Clients are told by case id, therapists by theirs. A figure of few people
    is not told (`smallest_group` of the live policy), nor any from which it
    could be worked out. --cases lists cases in place of groups: together
    they could tell of whom a group speaks. Who was erased is skipped and
    counted, and so is whoever could have shared a group with them.

    Needs the settings of the service. The same record gives the same output.

    Exit code 0: done. 1: failed. 2: a policy or a setting is wrong.
    3: done, but a ranking differs from its record.

    Example: python -m services.matching replay --since 2026-11-01
    --policy next.toml
    """
    if until is not None and until < since:
        typer.echo(f"--until {until:%Y-%m-%d} is before --since {since:%Y-%m-%d}", err=True)
        raise typer.Exit(2)
    settings = loaded(Settings)
    live = _rules(lambda: load_rules(settings.policy_file, settings.places_file))
    other = (
        None if policy is None else _rules(lambda: load_rules(policy, settings.places_file, named="--policy"))
    )
    span = Span(since.date(), None if until is None else until.date())
    with interruptible():
        replayed = _in_record(settings, lambda tx: _replayed(tx, span, other, quiet=as_json))
        made = finish(replayed, databases_of(settings))
    document = _document(span, other, made, live.policy.smallest_group, cases=cases)
    lines = [json.dumps(document, indent=2) + "\n"] if as_json else [f"{line}\n" for line in told(document)]
    _write(output, lines)
    if made.differing or made.unreadable:
        typer.echo(
            f"{len(made.differing)} rankings differ from the record, "
            f"{made.unreadable} cannot be read by this build any more",
            err=True,
        )
        raise typer.Exit(DIFFERS)


@dataclass(frozen=True, slots=True)
class Span:
    """Some days in London, the first and the last."""

    since: date
    until: date | None

    @property
    def begin(self) -> datetime:
        """The first moment."""
        return _midnight(self.since)

    @property
    def end(self) -> datetime:
        """The first moment after."""
        last = date.max if self.until is None else self.until
        # No day comes after the last that there is.
        return _midnight(min(last, date.max - timedelta(1)) + timedelta(1))


@dataclass(slots=True)
class Made:
    """What came of making rankings again."""

    rankings: int
    policies: list[tuple[str, str]]
    """Version and digest of each policy that ranked."""

    comparisons: list[Comparison] = field(default_factory=list)
    differing: list[dict[str, Any]] = field(default_factory=list)
    groups_unknown: int = 0
    erased: int = 0
    unreadable: int = 0


async def _replayed(tx: Transaction, span: Span, other: Rules | None, *, quiet: bool) -> Made:
    # One view of the record, whatever is ranked or forgotten meanwhile.
    await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    number, files = await store.policies_between(tx, span.begin, span.end)
    made = Made(
        number, sorted({(version, sha256(file.encode()).hexdigest()) for version, file, _ in files.values()})
    )
    recorded = {
        digest: rules
        for digest, (_, file, places) in files.items()
        if (rules := _recorded_rules(file, places)) is not None
    }
    again = Replay(recorded, other)
    last = 0
    with progress(quiet=quiet) as shown:
        bar = shown.add_task("Ranking again", total=number)
        while rankings := await store.rankings_between(tx, span.begin, span.end, last, AT_ONCE):
            for ranking in rankings:
                await _take(tx, again, ranking, made, readable=ranking.policy in recorded)
                shown.advance(bar)
            last = rankings[-1].id
    return made


async def _take(
    tx: Transaction, again: Replay, ranking: store.Ranking, made: Made, *, readable: bool
) -> None:
    if not readable:
        made.unreadable += 1
        return
    try:
        found = await again.again(tx, ranking)
    except OutOfStep:
        made.differing.append(_difference(ranking, None))
        return
    except ValidationError:
        made.unreadable += 1
        return
    if found is None:
        made.erased += 1
        return
    if not found.same:
        made.differing.append(_difference(ranking, found.comparison))
    if found.groups_known:
        made.comparisons.append(found.comparison)
    else:
        made.groups_unknown += 1


def _difference(ranking: store.Ranking, made: Comparison | None) -> dict[str, Any]:
    return {
        "ranking": ranking.id,
        "request": str(ranking.request_id),
        "recorded_first": None if ranking.first is None else str(ranking.first),
        "made_again_first": None if made is None or made.old.first is None else str(made.old.first),
    }


def _document(
    span: Span, other: Rules | None, made: Made, smallest_group: int, *, cases: bool
) -> dict[str, Any]:
    # Beside every single case there is nothing left to hide.
    fewest = 1 if cases else smallest_group
    document: dict[str, Any] = {
        "since": str(span.since),
        "until": None if span.until is None else str(span.until),
        "recorded_policies": [{"version": version, "sha256": digest} for version, digest in made.policies],
        "policy": None if other is None else {"version": other.policy.version, "sha256": other.policy_digest},
        "rankings": made.rankings,
        "compared": len(made.comparisons),
        "group_first": groups_first(made.comparisons, fewest),
        "groups_unknown": made.groups_unknown,
        "erased": made.erased,
        "unreadable": made.unreadable,
        "differing": made.differing,
    }
    if other is None:
        return document
    compared = report(made.comparisons, fewest)
    document["totals"] = compared["totals"]
    if cases:
        document["cases"] = [case_of(one) for one in made.comparisons if not one.same_first]
    else:
        document |= {"smallest_group": smallest_group, "groups": compared["groups"]}
    return document


def _write(output: Path | None, lines: list[str]) -> None:
    if output is None:
        typer.echo("".join(lines), nl=False)
        return
    try:
        replace(output, lines)
    except OSError as error:
        typer.echo(f"{output} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _rules(load: Callable[[], Rules]) -> Rules:
    try:
        return load()
    except Fatal as fatal:
        typer.echo(str(fatal), err=True)
        raise typer.Exit(2) from None


def _recorded_rules(policy: str, places: str) -> Rules | None:
    """The rules of a recorded policy; None for one that this build cannot read any more."""
    try:
        return Rules(read_policy(policy), read_places(places), policy)
    except (PolicyFault, PlacesFault):
        return None


async def _in_record(settings: Settings, work: Callable[[Transaction], Awaitable[Made]]) -> Made:
    async with await Keyring.open(settings) as keyring:
        database = await Database.open(settings, service="matching", keyring=keyring, wait_seconds=10)
        try:
            await database.check_migrated(migrating.of_service("matching"))
            async with database.transaction() as tx:
                return await work(tx)
        finally:
            await database.close()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON)
