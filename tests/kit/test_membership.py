"""Members of a group come, go and die while events keep coming: nothing is lost and nothing happens twice."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from shared.contract import intake
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.builders import a_request
from tests.support.marks import DEAD, PROBE, PROPOSALS, REQUESTS, as_probe, effects, effects_of, happened, up
from tests.support.processes import Process, running
from tests.support.raw import raw
from tests.support.streams import Streams

CreateTopics = Callable[..., Awaitable[None]]
BATCH, AHEAD = 20, 100


class Feed:
    """Requests that keep coming, always some ahead of the consumers."""

    def __init__(self, database: Database, streams: Streams, keyring: Keyring) -> None:
        self.sent: list[intake.RequestSubmitted] = []
        self.done = asyncio.Event()
        self._database = database
        self._streams = streams
        self._keyring = keyring

    async def run(self) -> None:
        """Sends until `done`."""
        while not self.done.is_set():
            batch = [a_request() for _ in range(BATCH)]
            await self._streams.send(REQUESTS, [await raw(request, self._keyring) for request in batch])
            self.sent += batch
            await eventually(self._wanted, within=60, what="the consumers came after")

    async def grew(self, by: int = 2 * BATCH) -> None:
        """Waits until more has been sent, and handled, since now."""
        sent, handled = len(self.sent), len(await effects(self._database))

        async def more() -> bool:
            return len(self.sent) >= sent + by and len(await effects(self._database)) >= handled + by

        await eventually(more, within=60, what="requests went on coming and being handled")

    async def _wanted(self) -> bool:
        return self.done.is_set() or len(self.sent) - len(await effects(self._database)) < AHEAD


@asynccontextmanager
async def feeding(database: Database, streams: Streams, keyring: Keyring) -> AsyncIterator[Feed]:
    feed = Feed(database, streams, keyring)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
        # The changes in the block befell a stream that was still being written.
        assert not task.done()
    finally:
        feed.done.set()
        await task


async def test_members_joining_leaving_and_dying_mid_stream_lose_and_double_nothing(
    database: Database,
    settings: KitSettings,
    streams: Streams,
    keyring: Keyring,
    create_topics: CreateTopics,
) -> None:
    await create_topics([REQUESTS], partitions=6)
    await create_topics([PROPOSALS, DEAD], partitions=1)

    async with AsyncExitStack() as stack:

        async def join(**changes: str) -> Process:
            process = await stack.enter_async_context(
                running(*PROBE, environment=as_probe(settings, **changes))
            )
            await up(process)
            return process

        async def works(member: Process) -> None:
            async def has_worked() -> bool:
                return await effects_of(database, member) > 0

            await eventually(has_worked, within=60, what="the member had a share of the work")

        first = await join()
        async with feeding(database, streams, keyring) as feed:
            await works(first)
            second = await join()
            await works(second)
            # With a batch in hand: one that is not done, and one that is done and not yet acknowledged.
            for step in ("consume.before_commit@3", "consume.after_commit@3"):
                doomed = await join(ATTUNE_FAILPOINT=step)
                assert await doomed.ended() == -signal.SIGKILL
                await works(doomed)
                await feed.grew()
            second.send(signal.SIGTERM)
            assert await second.ended() == 0
            await feed.grew()
        await happened(database, feed.sent, within=90)
        first.send(signal.SIGTERM)
        assert await first.ended() == 0
