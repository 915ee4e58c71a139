"""/live, /ready and /metrics: whether the process turns, whether its doors may open, what it has measured.

Doors stay open while Kafka is away: what they accept is kept in the outbox, and sent later.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import asyncpg
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.kit.consuming.subscribing import Subscription
from shared.kit.metrics import Metrics
from shared.kit.relay import Relay

PROBE_SECONDS = 3.0
FETCH_SECONDS = 15.0
PATHS = ("/live", "/ready", "/metrics")
FOR_OPERATORS = "/metrics"


class Health:
    """Knows the parts of a running service and what is wrong with them."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        relay: Relay,
        subscriptions: Sequence[Subscription],
        metrics: Metrics,
        failure: Callable[[], str | None],
        stopping: asyncio.Event,
        noted: Mapping[str, str],
    ) -> None:
        self._pool = pool
        self._relay = relay
        self._subscriptions = subscriptions
        self._metrics = metrics
        self._failure = failure
        self._stopping = stopping
        self._noted = noted
        self._parked = 0

    async def wrongs(self) -> dict[str, str]:
        """What keeps the doors shut, by part."""
        wrongs: dict[str, str] = {}
        if (failure := self._failure()) is not None:
            wrongs["service"] = failure
        if self._stopping.is_set():
            wrongs["service"] = "is stopping"
        for subscription in self._subscriptions:
            if not subscription.consumer.progress.has_joined:
                wrongs[subscription.consumer.name] = "has not joined its group yet"
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                self._parked = await self._pool.fetchval(
                    "SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL"
                )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            wrongs["database"] = type(error).__name__
        return wrongs

    def troubles(self) -> dict[str, str]:
        """What has to wait although the doors are open, by part; `wrongs` has looked before."""
        troubles = dict(self._noted)
        for subscription in self._subscriptions:
            name = subscription.consumer.name
            if not subscription.alive:
                troubles[name] = "does not poll"
            elif not subscription.consumer.progress.joined:
                troubles[name] = "has no assignment"
            elif subscription.consumer.progress.unfetched_seconds > FETCH_SECONDS:
                troubles[name] = "gets no answer from Kafka"
        if not self._relay.well:
            troubles["relay"] = "makes no progress"
        if self._parked:
            troubles["outbox"] = f"Kafka refuses {self._parked} of its rows"
        return troubles

    @property
    def failure(self) -> str | None:
        """Why the process is about to end, if it is."""
        return self._failure()

    def exposition(self) -> bytes:
        """What has been measured, in Prometheus's text format."""
        return generate_latest(self._metrics.registry)


async def live(request: Request) -> Response:
    """Answers as long as the event loop turns."""
    health: Health = request.app.state.health
    if health.failure is not None:
        return JSONResponse({"status": "failed", "service": health.failure}, 503)
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """Says whether the doors may open and whether all that they accept goes on, or names what keeps it."""
    health: Health = request.app.state.health
    if wrongs := await health.wrongs():
        return JSONResponse({"status": "not ready", "wrong": wrongs}, 503)
    if troubles := health.troubles():
        return JSONResponse({"status": "degraded", "wrong": troubles})
    return JSONResponse({"status": "ready"})


async def metrics(request: Request) -> Response:
    """Answers Prometheus."""
    health: Health = request.app.state.health
    # The content type is set as a header: Starlette would add its own charset to it.
    return Response(health.exposition(), headers={"content-type": CONTENT_TYPE_LATEST})


ROUTES = (Route("/live", live), Route("/ready", ready), Route(FOR_OPERATORS, metrics))
