"""A process that only seems to run is ended: a consumer that does not move, a loop that does not turn."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from deploy.local.processes import free_port
from shared.kit.consuming.progress import Progress
from shared.kit.errors import Fatal
from shared.kit.kafka import Kafka
from shared.kit.metrics import Metrics
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from shared.kit.watchdog import EXIT_STUCK, Watchdog, complaint
from tests.support.processes import running


def joined() -> Progress:
    progress = Progress()
    progress.membership(True)
    return progress


def behind() -> Progress:
    progress = joined()
    progress.seen_at(0, position=5, end=9)
    return progress


def unanswered() -> Progress:
    progress = joined()
    progress.fetched_at(0, mark=1)
    return progress


def silent() -> Progress:
    progress = joined()
    progress.begin()
    return progress


@pytest.mark.parametrize(
    ("progress", "alive", "wrong", "excusable"),
    [
        (silent, True, "a handler has given no sign of life", False),
        (joined, False, "its task has ended", False),
        (Progress, True, "outside its group", True),
        (behind, True, "records have been waiting", True),
        (unanswered, True, "it has fetched nothing", True),
    ],
)
def test_a_consumer_that_has_stood_still_for_too_long_is_complained_of(
    progress: Callable[[], Progress], alive: bool, wrong: str, excusable: bool
) -> None:
    found = complaint(progress(), alive=alive, stuck=0, unassigned=0)

    assert found is not None
    assert wrong in found.wrong
    assert found.excusable is excusable


@pytest.mark.parametrize("progress", [silent, joined, Progress, behind, unanswered])
def test_a_consumer_that_has_not_stood_still_for_long_is_let_be(progress: Callable[[], Progress]) -> None:
    assert complaint(progress(), alive=True, stuck=60, unassigned=60) is None


def test_what_has_moved_is_not_complained_of() -> None:
    caught_up = behind()

    caught_up.seen_at(0, position=9, end=9)

    assert complaint(caught_up, alive=True, stuck=0, unassigned=0) is None


@pytest.mark.parametrize("progress", [silent, Progress, behind, unanswered])
def test_what_was_frozen_with_its_process_is_not_complained_of(
    progress: Callable[[], Progress], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken, afterwards = progress(), time.monotonic() + 90
    monkeypatch.setattr(time, "monotonic", lambda: afterwards)
    at_first = complaint(woken, alive=True, stuck=60, unassigned=60)

    woken.forgive()

    assert at_first is not None
    assert complaint(woken, alive=True, stuck=60, unassigned=60) is None


class Outside:
    """A subscription whose consumer has not been let into its group."""

    alive = True

    def __init__(self) -> None:
        self.consumer = self
        self.name = self.stream = "probe"
        self.progress = Progress()

    async def look(self) -> dict[int, int]:
        return {}


async def test_nobody_is_blamed_while_kafka_is_away_but_whoever_stands_still_when_it_is_there_is(
    settings: KitSettings,
) -> None:
    blamed: dict[str, list[str]] = {"away": [], "there": []}

    def watching(name: str, kafka: Kafka) -> Watchdog:
        def fail(fatal: Fatal) -> None:
            blamed[name].append(str(fatal))

        return Watchdog(
            subscriptions=cast(Any, [Outside()]),
            kafka=kafka,
            metrics=Metrics(CollectorRegistry()),
            stuck=1,
            unassigned=0.1,
            fail=fail,
        )

    tasks = [
        asyncio.create_task(watching("away", Kafka((f"127.0.0.1:{free_port()}",))).run()),
        asyncio.create_task(watching("there", Kafka.of(settings)).run()),
    ]
    try:
        await eventually(lambda: len(blamed["there"]) >= 3, within=30, what="the one was blamed")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert "outside its group" in blamed["there"][0]
    assert blamed["away"] == []


class Returning:
    """A Kafka that is away when first asked, and then answers."""

    def __init__(self) -> None:
        self.back_at: float | None = None
        self._asked = 0

    async def reachable(self) -> bool:
        self._asked += 1
        if self._asked <= 2:
            return False
        self.back_at = self.back_at or time.monotonic()
        return True


async def test_whoever_stands_still_has_time_to_move_again_after_kafka_is_back() -> None:
    kafka, blamed = Returning(), list[float]()
    watchdog = Watchdog(
        subscriptions=cast(Any, [Outside()]),
        kafka=cast(Any, kafka),
        metrics=Metrics(CollectorRegistry()),
        stuck=1,
        unassigned=0.1,
        fail=lambda _: blamed.append(time.monotonic()),
    )
    task = asyncio.create_task(watchdog.run())
    try:
        await eventually(lambda: blamed, within=30, what="it was blamed in the end")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert kafka.back_at is not None
    assert blamed[0] - kafka.back_at >= 1


GUARDED = """
import time
from shared.kit.watchdog import LoopGuard
guard = LoopGuard(stuck={stuck})
guard.start()
{then}
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("stuck", "then", "why"),
    [
        (0.2, "", "the event loop does not turn"),
        (60, "guard.end_within(0.2)", "the process does not end by itself"),
    ],
)
async def test_a_process_whose_loop_hangs_is_ended_from_outside_it(stuck: float, then: str, why: str) -> None:
    async with running("-c", GUARDED.format(stuck=stuck, then=then), environment={}) as process:
        assert await process.ended(within=30) == EXIT_STUCK

    assert why in process.output


async def test_a_process_whose_loop_turns_is_let_be() -> None:
    turning = "for _ in range(30): guard.turned(); time.sleep(0.1)\nguard.stop(); raise SystemExit(0)"

    async with running("-c", GUARDED.format(stuck=2, then=turning), environment={}) as process:
        assert await process.ended(within=30) == 0
