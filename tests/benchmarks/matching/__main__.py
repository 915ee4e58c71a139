"""Compares the engine with a plain loop and with SQL: the same answers, and how long each takes.

    make bench-matching
    python -m tests.benchmarks.matching --therapists 70000 --rounds 5 --json

One process on one core; PostgreSQL's backend on another where there is one. In each round every engine
answers all requests, one after the other, so that noise falls on all alike; ratios are taken per round.
The pathways of every request are known beforehand to all of them alike.
"""

import argparse
import asyncio
import gc
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local import postgres, processes
from services.matching.app import load_rules
from services.matching.domain.engine import Engine, Entry, entry_of, warm_up
from services.matching.domain.gates import Search
from services.matching.domain.ranking import Rules, explain, look, search_for
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from tests.benchmarks.matching.groups import answers_in_groups
from tests.benchmarks.matching.loop import Loop
from tests.benchmarks.matching.population import THE_DAY, clients, country, price_of, register
from tests.benchmarks.matching.showing import LOOP_BELOW, goals, shown, summary
from tests.benchmarks.matching.sql import Sql
from tests.benchmarks.matching.table import measure
from tests.benchmarks.matching.ways import Best, Ways, shortlist

CHUNK = 10_000
WHOLE = "whole answer with explanation, per request"
IN_GROUPS = "the same for who may come into a group"
UNWORDED = "whole answer before it is worded, per request"

Answer = list[tuple[int, int]]
"""Score and id of everybody on the list, in order."""

Asked = Callable[[Search], Awaitable[Answer]]


def main() -> None:
    """Reads the arguments and prints a table or JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.matching",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--therapists", type=int, nargs="+", default=[70_000], metavar="N")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--check", action="store_true", help="fail if a goal is missed")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    results = [asyncio.run(compare(count, given.requests, given.rounds, cores)) for count in given.therapists]
    if given.json:
        sys.stdout.write(json.dumps(results) + "\n")
    else:
        for result in results:
            sys.stdout.write(shown(result))
    missed = [goal for result in results for goal, met in goals(result) if not met]
    if given.check and missed:
        sys.exit(f"goals missed: {'; '.join(missed)}")


async def compare(count: int, requests: int, rounds: int, cores: list[int]) -> dict[str, Any]:
    """Builds all engines over one population and takes the rounds."""
    live = load_rules()
    rules = Rules(live.policy, country(live.places))
    searches = [
        search_for(case, THE_DAY, rules, waited=timedelta(weeks=place % 4))
        for place, case in enumerate(clients(requests, rules.places))
    ]
    warm_up(rules.policy, rules.places)
    engine = Engine(rules.policy, rules.places, THE_DAY)
    engine.expect(count)
    # What is measured runs on one core; the database began with all, and keeps them.
    os.sched_setaffinity(0, cores)
    with database() as url:
        os.sched_setaffinity(0, cores[:1])
        async with connected(url, cores[-1]) as connection:
            tables = [Sql(connection, rules, arrays=arrays) for arrays in (False, True)]
            therapists = await fill(count, rules, engine, tables)
            # What is kept for the loop is none of the engine's: else collecting garbage would go through it.
            gc.collect()
            gc.freeze()
            searches = [naming_others(place, each, engine) for place, each in enumerate(searches)]
            ways = Ways(searches, rules.policy)
            await tables[0].know_distances({s.case.outcode for s in searches if s.case.outcode})
            for table in tables:
                table.know_ways(ways)
                await table.index()
            size = rules.policy.shortlist_size
            contenders = {"engine": asked_of_engine(engine, size)}
            if therapists:
                contenders["loop"] = asked_of(Loop(therapists, rules, ways).best, ways, size)
            contenders["SQL, masks"] = asked_of(tables[0].best, ways, size)
            contenders["SQL, arrays"] = asked_of(tables[1].best, ways, size)
            taken = await take_rounds(contenders, searches, rounds)
            taken[WHOLE if therapists else UNWORDED] = whole_answers(
                engine, rules, searches, rounds, therapists
            )
            if therapists:
                taken[IN_GROUPS] = answers_in_groups(engine, rules, requests, rounds, therapists)
        found = summary(count, requests, engine, taken)
        if therapists:
            found["rebuild_s"] = rebuilt(therapists, rules)
            measured = await measure(url, therapists, searches, rules)
            found["table"] = {name: round(value, 2) for name, value in measured._asdict().items()}
    return found


async def fill(count: int, rules: Rules, engine: Engine, tables: list[Sql]) -> list[Therapist]:
    """Puts the population everywhere, a chunk at a time; returns it where the loop is to run as well."""
    for table in tables:
        await table.create()
    kept: list[Therapist] = []
    ahead: list[Entry] = []
    prices: dict[TherapistId, int] = {}
    everybody = register(count, rules.places)
    for done in range(0, count, CHUNK):
        chunk = list(itertools.islice(everybody, CHUNK))
        if count <= LOOP_BELOW:
            kept += chunk
        entries: list[Entry] = [entry_of(therapist) for therapist in chunk]
        for table in tables:
            await table.add(entries)
        ahead += entries
        prices |= {therapist.id: price for therapist in chunk if (price := price_of(therapist.id))}
        # All at once if there is room: the engine puts neighbours side by side within what it is given.
        if len(ahead) >= LOOP_BELOW or done + CHUNK >= count:
            engine.put(ahead)
            ahead = []
        say(f"{min(done + CHUNK, count)} of {count} therapists")
    engine.set_prices(prices)
    return kept


async def take_rounds(
    contenders: dict[str, Asked], searches: list[Search], rounds: int
) -> dict[str, list[list[float]]]:
    """Seconds per contender, round and request; every answer must be the engine's."""
    taken: dict[str, list[list[float]]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        truth: list[Answer] = []
        for name, best in contenders.items():
            times = []
            for place, search in enumerate(searches):
                began = time.perf_counter()
                answer = await best(search)
                times.append(time.perf_counter() - began)
                if len(truth) == place:
                    truth.append(answer)
                if answer != truth[place]:
                    sys.exit(f"{name} and the engine disagree on {search.case}")
            taken[name].append(times)
            warms_up = "" if number else " (to warm up, not counted)"
            say(f"round {number} of {rounds}{warms_up}: {name} took {sum(times):.1f} s")
    return {name: times[1:] for name, times in taken.items()}


def asked_of_engine(engine: Engine, size: int) -> Asked:
    """The engine as matching asks it."""

    async def ask(search: Search) -> Answer:
        return [(each.score, each.number) for each in engine.shortlist(search, size)]

    return ask


def asked_of(best: Best, ways: Ways, size: int) -> Asked:
    """The same of somebody else."""

    async def ask(search: Search) -> Answer:
        return [(each.score, each.number) for each in await shortlist(search, size, ways.of(search), best)]

    return ask


def naming_others(place: int, search: Search, engine: Engine) -> Search:
    """Every third search may not choose its best, and of every fourth others were offered a seat first."""
    best = [each.therapist_id for each in engine.best(search, 20)]
    return replace(
        search,
        excluded=frozenset(best[:3]) if place % 3 == 0 else frozenset(),
        spoken_for={each: 1 + number % 2 for number, each in enumerate(best[3:])} if place % 4 == 0 else {},
    )


def whole_answers(
    engine: Engine, rules: Rules, searches: list[Search], rounds: int, therapists: list[Therapist]
) -> list[list[float]]:
    """Seconds for all that is asked for one request, and for its wording where entries are at hand."""
    known = {therapist.id: therapist for therapist in therapists}
    taken = []
    for _ in range(rounds):
        times = []
        for search in searches:
            began = time.perf_counter()
            found = look(search, engine, rules)
            if known:
                explain(search, found, known, rules)
            times.append(time.perf_counter() - began)
        taken.append(times)
    return taken


def rebuilt(therapists: list[Therapist], rules: Rules) -> float:
    """Seconds until an engine is built from entries that are in memory."""
    entries = [entry_of(each) for each in therapists]
    began = time.perf_counter()
    engine = Engine(rules.policy, rules.places, THE_DAY)
    engine.expect(len(entries))
    engine.put(entries)
    return round(time.perf_counter() - began, 2)


@contextmanager
def database() -> Iterator[str]:
    """A PostgreSQL of the benchmark's own."""
    folder = Path(tempfile.mkdtemp(prefix="attune-bench-"))
    port = processes.free_port()
    postgres.prepare(folder, "bench")
    process: subprocess.Popen[bytes] = postgres.start(folder, port=port, durable=False)
    try:
        give_up = time.monotonic() + 60
        while not processes.listens(port):
            assert time.monotonic() < give_up, "PostgreSQL does not answer"
            time.sleep(0.1)
        yield postgres.url(port, "bench")
    finally:
        processes.stop(process, 20)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def connected(url: str, core: int) -> Any:
    """A connection whose backend works alone on its core."""
    connection = await asyncpg.connect(url)
    try:
        os.sched_setaffinity(await connection.fetchval("SELECT pg_backend_pid()"), {core})
        await connection.execute(
            "SET max_parallel_workers_per_gather = 0; SET jit = off; SET work_mem = '64MB';"
            " SET random_page_cost = 1.1"
        )
        yield connection
    finally:
        await connection.close()


def say(progress: str) -> None:
    """Tells whoever waits how far it is."""
    sys.stderr.write(f"  {progress}\n")


if __name__ == "__main__":
    main()
