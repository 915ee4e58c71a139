"""A policy tried beside the live one: compared, shown, and never in the way."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette

from deploy.local.processes import free_port
from services.matching import pages, store
from services.matching.app import build_app
from services.matching.domain.comparing import Book
from services.matching.domain.ranking import Rules
from services.matching.handlers import Shadow, ShadowMetrics, handlers, measure, offer_to_waiting
from services.matching.settings import Settings
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchProposed
from shared.contract.sealing import Purpose
from shared.contract.vocabulary import Mode
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.errors import Fatal
from shared.kit.handlers import Provided
from shared.kit.keyring import Keyring
from shared.kit.service import streams_of
from shared.kit.testing import eventually, recording
from tests.matching.builders import RULES, a_therapist
from tests.matching.recorded import a_matcher, another_policy, hear, rules_of
from tests.support.builders import a_case, a_request
from tests.support.environment import environment
from tests.support.processes import running
from tests.support.raw import raw
from tests.support.streams import Streams

ADA = a_therapist("ada", seats_offered=10, seats_free=10, problem_areas=frozenset())
BEN = a_therapist("ben", seats_offered=10, seats_free=10, fee_pence=8900)


@pytest.fixture
def tried(tmp_path: Path) -> Rules:
    """A policy that thinks nothing of problem areas, and so puts Ada first."""
    return rules_of(another_policy(tmp_path, problem_area="problem_area = 0"))


@pytest.fixture
def book(tried: Rules) -> Book:
    return Book(live=RULES.policy.version, shadow=tried.policy.version)


async def in_directory(database: Database) -> None:
    async with database.transaction() as tx:
        await store.save_therapist(tx, ADA)
        await store.save_therapist(tx, BEN)


async def seen_by_operators(book: Book, path: str) -> httpx.Response:
    """What matching's door answers, with the page alone behind it."""
    app = Starlette(routes=pages.routes())
    app.state.provided = Provided([pages.ShadowPage.of(book, RULES.policy.smallest_group)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://matching") as client:
        return await client.get(path)


def measured(registry: CollectorRegistry) -> dict[str, str]:
    lines = generate_latest(registry).decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: value for name, _, value in pairs}


async def test_every_ranking_since_is_compared_once(database: Database, tried: Rules, book: Book) -> None:
    await in_directory(database)
    shadow, matcher = Shadow(RULES, tried, book), a_matcher()
    await hear(database, matcher, a_request(details=a_case(languages=("cy",))))
    # Else whoever comes now would be kept for the pass over the list.
    await offer_to_waiting(database, matcher)
    await shadow.begin(database)
    for case in (a_case(), a_case(), a_case(languages=("cy",))):
        await hear(database, matcher, a_request(details=case))

    assert await shadow.follow(database) == 4
    assert await shadow.follow(database) == 0
    assert await shadow.read(database) == 4
    assert await shadow.read(database) == 0

    # All stand at one moment of the clock, so the one before is in it, too.
    assert sum(one.same_first for one in book.comparisons) == 2
    [other, _] = [one for one in book.comparisons if not one.same_first]
    assert (other.old.first, other.new.first) == (BEN.id, ADA.id)
    assert other.new.value is not None
    assert other.old.value is not None
    assert other.new.value < other.old.value


async def test_what_is_committed_late_is_compared_although_younger_rankings_were(
    database: Database, tried: Rules, book: Book
) -> None:
    await in_directory(database)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)

    async with recording(database) as slow:
        await handlers.events[RequestSubmitted](a_request(), slow, a_matcher())
        await hear(database, a_matcher(), a_request())
        assert await shadow.follow(database) == 1
        assert await shadow.read(database) == 1
        assert (book.behind, await shadow.follow(database)) == (0, 0)

    await hear(database, a_matcher(), a_request())

    assert await shadow.follow(database) == 2
    await shadow.read(database)
    assert await shadow.read(database) == 0
    assert (len(book.comparisons), book.behind, await shadow.follow(database)) == (3, 0, 0)


async def test_what_is_measured_is_of_no_fewer_than_may_be_told(
    database: Database, tried: Rules, book: Book
) -> None:
    await in_directory(database)
    shadow, matcher, registry = Shadow(RULES, tried, book), a_matcher(), CollectorRegistry()
    metrics, fewest = ShadowMetrics(registry), RULES.policy.smallest_group
    await shadow.begin(database)

    told = []
    for requests in (fewest - 1, 1, fewest - 1, 1):
        await hear(database, matcher, *[a_request() for _ in range(requests)])
        while await shadow.follow(database):
            pass
        await shadow.read(database)
        measure(metrics, book.comparisons, fewest)
        counted = measured(registry)
        told.append(counted['attune_shadow_rankings{first="other"}'])
        assert (counted["attune_shadow_value_change"] == "NaN") == (told[-1] == "0.0")

    assert told == ["0.0", "10.0", "10.0", "20.0"]


async def test_rankings_of_before_are_not_compared(
    database: Database, tried: Rules, book: Book, clock: MovableClock
) -> None:
    await in_directory(database)
    await hear(database, a_matcher(), a_request())
    clock.move(timedelta(seconds=1))
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)

    assert await shadow.follow(database) == 0


async def test_two_processes_compare_every_ranking_once(database: Database, tried: Rules, book: Book) -> None:
    await in_directory(database)
    other_book = replace(book, comparisons=[])
    processes = [Shadow(RULES, tried, book), Shadow(RULES, tried, other_book)]
    for shadow in processes:
        await shadow.begin(database)
    await hear(database, a_matcher(), *[a_request() for _ in range(30)])

    compared = 0
    while compared < 30:
        compared += sum(await asyncio.gather(*(shadow.follow(database) for shadow in processes)))
    for shadow in processes:
        await shadow.read(database)

    assert compared == 30
    assert len(book.comparisons) == len(other_book.comparisons) == 30


async def test_a_fault_of_the_shadow_never_touches_the_live_proposal(
    database: Database, tried: Rules, book: Book
) -> None:
    await in_directory(database)
    broken = Rules(tried.policy.model_copy(update={"evidence": {}}), tried.places, tried.file)
    shadow, registry, matcher = Shadow(RULES, broken, book), CollectorRegistry(), a_matcher()
    await shadow.begin(database)

    said = await hear(database, matcher, a_request())
    assert await shadow.follow(database, ShadowMetrics(registry)) == 1
    said += await hear(database, matcher, a_request())
    assert await shadow.follow(database) == 1
    await shadow.read(database)

    assert [type(event) for event in said] == [MatchProposed, MatchProposed]
    assert measured(registry)['attune_shadow_faults_total{fault="KeyError"}'] == "1.0"
    assert (book.comparisons, dict(book.faults), book.behind) == ([], {"KeyError": 2}, 0)
    assert await shadow.follow(database) == 0


async def test_a_shadow_that_hangs_holds_up_no_proposal(database: Database, tried: Rules, book: Book) -> None:
    await in_directory(database)
    shadow, matcher = Shadow(RULES, tried, book), a_matcher()
    await shadow.begin(database)
    await hear(database, matcher, a_request())

    async def hangs() -> bool:
        async with database.transaction() as tx:
            waiting = await tx.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(waiting)

    async with database.transaction() as held:
        await held.execute("LOCK TABLE shadow_rankings IN ACCESS EXCLUSIVE MODE")
        following = asyncio.create_task(shadow.follow(database))
        await eventually(hangs, within=30, what="the shadow hangs")
        said = await hear(database, matcher, a_request())
        assert [type(event) for event in said] == [MatchProposed]
        assert not following.done()
    assert await following > 0


async def test_a_comparison_of_another_build_is_counted_and_passed(
    database: Database, tried: Rules, book: Book
) -> None:
    await in_directory(database)
    shadow, requests = Shadow(RULES, tried, book), [a_request(), a_request()]
    await shadow.begin(database)
    await hear(database, a_matcher(), *requests)
    await shadow.follow(database)
    async with database.transaction() as tx:
        older = await tx.seal(requests[0].subject_id, Purpose.CLINICAL, b'{"ranking": 1}')
        await tx.execute("UPDATE shadow_rankings SET comparison = $1 WHERE ranking_id = 1", older)

    await shadow.read(database)

    assert (len(book.comparisons), dict(book.faults)) == (1, {"kept by another build": 1})


async def test_what_differs_from_the_record_is_counted_and_not_compared(
    database: Database, tried: Rules, book: Book
) -> None:
    await in_directory(database)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)
    await hear(database, a_matcher(), a_request())
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM therapist_history WHERE therapist_id = $1", ADA.id)

    await shadow.follow(database)
    await shadow.read(database)

    assert (book.comparisons, sum(book.faults.values())) == ([], 1)


async def test_who_was_erased_is_not_in_the_comparison(database: Database, tried: Rules, book: Book) -> None:
    await in_directory(database)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)
    requests = [a_request(), a_request(), a_request()]
    await hear(database, a_matcher(), *requests[:2])
    await shadow.follow(database)
    await hear(database, a_matcher(), requests[2])

    for erased in (requests[0], requests[2]):
        await database.keys.destroy(erased.subject_id)  # type: ignore[attr-defined]
    await shadow.follow(database)
    await shadow.read(database)

    assert len(book.comparisons) == 1
    assert dict(book.faults) == {"erased": 2}


async def test_a_comparison_is_kept_sealed(database: Database, tried: Rules, book: Book) -> None:
    await in_directory(database)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)
    await hear(database, a_matcher(), a_request())
    await shadow.follow(database)

    async with database.transaction() as tx:
        kept = await tx.fetchval("SELECT comparison FROM shadow_rankings")

    assert b"condition" not in kept
    assert b"26 to 64" not in kept


# ------------------------------------------------------------------------------------------- the page


async def test_the_page_tells_what_would_change_and_hides_the_few(
    database: Database, tried: Rules, book: Book
) -> None:
    await in_directory(database)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)
    online, in_person = a_case(), a_case(mode=Mode.IN_PERSON)
    await hear(database, a_matcher(), *[a_request(details=case) for case in [online] * 3 + [in_person] * 29])
    while await shadow.follow(database):
        pass
    await shadow.read(database)

    page = await seen_by_operators(book, "/shadow")
    told = (await seen_by_operators(book, "/shadow.json")).json()

    assert (told["live"], told["shadow"], told["behind"]) == (RULES.policy.version, "tried", 0)
    assert (told["totals"]["rankings"], told["totals"]["other_first"]) == (30, 30)
    assert told["totals"]["agreement"] == 0
    assert told["totals"]["overlap"] == 1
    assert told["groups"]["mode"] == [
        {"group": "in person", "requests": "withheld"},
        {"group": "online", "requests": "<10"},
    ]
    assert told["groups"]["condition"][0]["requests"] == 30
    assert page.status_code == 200
    for words in (
        "Policy tried beside 2026-11",
        "30 rankings of 30 requests",
        "before any group",
        "&lt;10",
        "withheld",
        "0%",
    ):
        assert words in page.text
    assert "<script" not in page.text
    for private in (
        *("Sampleford", "1991-03-14"),
        str(ADA.id),
        *(str(one.request_id) for one in book.comparisons),
    ):
        assert private not in page.text + json.dumps(told)


async def test_without_a_shadow_policy_the_page_says_how_to_set_one() -> None:
    book = Book(live=RULES.policy.version, shadow=None)

    page = await seen_by_operators(book, "/shadow")
    told = (await seen_by_operators(book, "/shadow.json")).json()

    assert "SHADOW_POLICY_FILE" in page.text
    assert told["shadow"] is None
    assert (await seen_by_operators(book, "/shadow.css")).headers["content-type"].startswith("text/css")


async def test_a_shadow_policy_that_is_wrong_is_refused_at_start(settings: Settings, tmp_path: Path) -> None:
    wrong = another_policy(tmp_path, caseload="caseload = -1")

    with pytest.raises(Fatal, match=r"SHADOW_POLICY_FILE .*\n  line \d+, weights.caseload"):
        build_app(settings.model_copy(update={"shadow_policy_file": wrong}))


async def test_the_service_compares_while_it_runs(
    settings: Settings,
    database: Database,
    create_topics: Callable[..., Awaitable[None]],
    tmp_path: Path,
) -> None:
    streams = Streams(settings.kafka_url, settings.kafka_topic_prefix)
    plan = build_app(settings).state.plan
    await create_topics(streams_of(plan), partitions=2)
    today = datetime.now(UTC).date()
    async with database.transaction() as tx:
        for therapist in (ADA, BEN):
            await store.save_therapist(tx, replace(therapist, confirmed_on=today))
    tried = another_policy(tmp_path, problem_area="problem_area = 0")
    port = free_port()
    wanted = settings.model_copy(update={"shadow_policy_file": tried, "http_port": port})

    async def answer(path: str) -> str:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            return (await client.get(path)).text

    async def compared() -> Any:
        told = json.loads(await answer("/shadow.json"))
        return told if told["totals"] else None

    async with (
        await Keyring.open(settings) as keyring,
        running("-m", "services.matching", "run", environment=environment(wanted)) as process,
    ):
        await eventually(lambda: "the service is up" in process.output, within=60, what="the service came up")
        requests = [await raw(a_request(), keyring) for _ in range(RULES.policy.smallest_group)]
        await streams.send("intake.requests", requests)
        told = await eventually(compared, within=60, what="rankings were compared")
        measures = await answer("/metrics")
        page = await answer("/shadow")

    assert told["totals"]["other_first"] == 10
    assert 'attune_shadow_rankings{first="other"} 10.0' in measures
    assert "attune_shadow_value_change -" in measures
    assert "10 rankings of 10 requests" in page
    assert "the shadow policy failed" not in process.output
