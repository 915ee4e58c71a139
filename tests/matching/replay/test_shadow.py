"""A policy tried beside the live one: every ranking is compared, and it is never in the way."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from services.matching.domain.comparing import Book
from services.matching.domain.ranking import Rules
from services.matching.handlers import Shadow, ShadowMetrics, measure, offer_to_waiting
from shared.contract.matching import MatchProposed
from shared.contract.sealing import Purpose
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import eventually, recording
from tests.matching.builders import RULES
from tests.matching.recorded import a_matcher, handle, hear, in_directory
from tests.matching.replay.shadowed import ADA, BEN
from tests.support.builders import a_case, a_request


def measured(registry: CollectorRegistry) -> dict[str, str]:
    lines = generate_latest(registry).decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: value for name, _, value in pairs}


async def test_every_ranking_since_is_compared_once(database: Database, tried: Rules, book: Book) -> None:
    await in_directory(database, ADA, BEN)
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
    database: Database, shadow: Shadow, book: Book
) -> None:
    async with recording(database) as slow:
        await handle(a_request(), slow, a_matcher())
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
    database: Database, shadow: Shadow, book: Book
) -> None:
    matcher, registry = a_matcher(), CollectorRegistry()
    metrics, fewest = ShadowMetrics(registry), RULES.policy.smallest_group

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
    await in_directory(database, ADA, BEN)
    await hear(database, a_matcher(), a_request())
    clock.move(timedelta(seconds=1))
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)

    assert await shadow.follow(database) == 0


async def test_two_processes_compare_every_ranking_once(database: Database, tried: Rules, book: Book) -> None:
    await in_directory(database, ADA, BEN)
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
    await in_directory(database, ADA, BEN)
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


async def test_a_shadow_that_hangs_holds_up_no_proposal(database: Database, shadow: Shadow) -> None:
    matcher = a_matcher()
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
    database: Database, shadow: Shadow, book: Book
) -> None:
    requests = [a_request(), a_request()]
    await hear(database, a_matcher(), *requests)
    await shadow.follow(database)
    async with database.transaction() as tx:
        older = await tx.seal(requests[0].subject_id, Purpose.CLINICAL, b'{"ranking": 1}')
        await tx.execute("UPDATE shadow_rankings SET comparison = $1 WHERE ranking_id = 1", older)

    await shadow.read(database)

    assert (len(book.comparisons), dict(book.faults)) == (1, {"kept by another build": 1})


async def test_what_differs_from_the_record_is_counted_and_not_compared(
    database: Database, shadow: Shadow, book: Book
) -> None:
    await hear(database, a_matcher(), a_request())
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM therapist_history WHERE therapist_id = $1", ADA.id)

    await shadow.follow(database)
    await shadow.read(database)

    assert (book.comparisons, sum(book.faults.values())) == ([], 1)


async def test_who_was_erased_is_not_in_the_comparison(
    database: Database, shadow: Shadow, book: Book
) -> None:
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


async def test_a_comparison_is_kept_sealed(database: Database, shadow: Shadow) -> None:
    await hear(database, a_matcher(), a_request())
    await shadow.follow(database)

    async with database.transaction() as tx:
        kept = await tx.fetchval("SELECT comparison FROM shadow_rankings")

    assert b"condition" not in kept
    assert b"26 to 64" not in kept
