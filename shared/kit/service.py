"""Assembles a service: its doors, its handlers and the plumbing between, started and stopped in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from shared.contract.catalogue import EVENTS
from shared.kit import health, logs, migrating, problems
from shared.kit.clock import Clock, SystemClock
from shared.kit.consuming import subscribing
from shared.kit.consuming.patience import Patience
from shared.kit.consuming.stream import StreamConsumer
from shared.kit.consuming.subscribing import Subscription, make_broker, subscribe
from shared.kit.database import Database
from shared.kit.errors import Fatal
from shared.kit.guards import (
    BodyLimit,
    FetchMetadataGuard,
    LastResort,
    OperatorsOnly,
    RequestLog,
    SecurityHeaders,
)
from shared.kit.handlers import Bound, Handlers, Provided
from shared.kit.health import Health
from shared.kit.kafka import Kafka
from shared.kit.keyring import Keyring
from shared.kit.metrics import Metrics
from shared.kit.relay import Relay
from shared.kit.settings import KitSettings
from shared.kit.watchdog import Watchdog, measure, tidy

RELAY_FLUSH_SECONDS = 10.0


@dataclass(slots=True)
class Service:
    """A running service, as its doors and workers see it."""

    name: str
    settings: KitSettings
    database: Database
    clock: Clock
    stopping: asyncio.Event
    """Set as soon as the process is asked to end."""

    metrics: CollectorRegistry
    keyring: Keyring
    provided: Provided
    """What `assemble` and `prepare` provide, by type."""

    troubles: dict[str, str] = field(default_factory=dict)
    """What has to wait, by part, as workers note it; `/ready` tells it."""

    failed: asyncio.Event = field(default_factory=asyncio.Event)
    failure: str | None = None

    def fail(self, fatal: Fatal) -> None:
        """Calls for the end of the process; the first reason counts."""
        if self.failure is None:
            self.failure = str(fatal)
            logs.logger().critical("the service has failed", why=self.failure)
            self.failed.set()


Worker = Callable[[Service], Awaitable[None]]
"""Runs beside the doors until cancelled; shields what must not be cut short. Its crash ends the process."""

Prepare = Callable[[Service], Awaitable[Sequence[object]]]
"""Builds what handlers need and only the database can tell, such as an index."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a service is made of, before it runs."""

    name: str
    settings: KitSettings
    handlers: Handlers
    provide: Sequence[object]
    prepare: Prepare | None
    workers: Sequence[Worker]
    clock: Clock


def assemble(
    name: str,
    settings: KitSettings,
    *,
    handlers: Handlers,
    routes: Sequence[BaseRoute] = (),
    for_operators: Sequence[Route] = (),
    provide: Sequence[object] = (),
    prepare: Prepare | None = None,
    workers: Sequence[Worker] = (),
    middleware: Sequence[Middleware] = (),
    exception_handlers: Mapping[Any, problems.ExceptionHandler] | None = None,
    clock: Clock | None = None,
) -> Starlette:
    """One app with everything in it; nothing happens before its lifespan begins.

    The kit's guards stand before `middleware`. Handlers are given by type what is in `provide`, what
    `prepare` returns, the settings, the clock, the database and the Service.
    """
    plan = Plan(name, settings, handlers, provide, prepare, workers, clock or SystemClock())
    theirs = [health.FOR_OPERATORS, *(route.path for route in for_operators)]
    on_exception = {**problems.HANDLERS, **(exception_handlers or {})}
    app = Starlette(
        lifespan=_lifespan,
        middleware=[
            Middleware(RequestLog, quiet=health.PATHS),
            Middleware(SecurityHeaders),
            Middleware(BodyLimit, limit=settings.http_body_limit),
            Middleware(FetchMetadataGuard),
            Middleware(OperatorsOnly, paths=theirs, port=settings.operator_port),
            Middleware(LastResort, handler=on_exception.pop(Exception)),
            *middleware,
        ],
        exception_handlers=on_exception,
        routes=[*health.ROUTES, *for_operators, *routes],
    )
    app.state.plan = plan
    app.state.stopping = asyncio.Event()
    return app


@asynccontextmanager
async def furnished(plan: Plan, stopping: asyncio.Event) -> AsyncIterator[tuple[Service, Bound]]:
    """The service without Kafka: its database, keyring, and handlers with all they need."""
    settings = plan.settings
    async with AsyncExitStack() as stack:
        wait = settings.startup_wait_seconds
        keyring = await stack.enter_async_context(await Keyring.open(settings, wait_seconds=wait))
        database = await Database.open(
            settings, service=plan.name, keyring=keyring, clock=plan.clock, wait_seconds=wait
        )
        stack.push_async_callback(database.close)
        await database.check_migrated(migrating.of_service(plan.name))
        await keyring.check()
        service = Service(
            name=plan.name,
            settings=settings,
            database=database,
            clock=plan.clock,
            stopping=stopping,
            metrics=CollectorRegistry(),
            keyring=keyring,
            provided=Provided([*plan.provide, settings, plan.clock, database]),
        )
        service.provided.add([service])
        if plan.prepare is not None:
            service.provided.add(await plan.prepare(service))
        yield service, plan.handlers.bind(service.provided)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    plan: Plan = app.state.plan
    stopping: asyncio.Event = app.state.stopping
    async with AsyncExitStack() as stack:
        # Whatever is entered first is left last.
        service, bound = await stack.enter_async_context(furnished(plan, stopping))
        stack.callback(stopping.set)
        metrics = Metrics(service.metrics)
        kafka = Kafka.of(plan.settings)
        await kafka.wait_for(streams_of(plan), plan.settings.startup_wait_seconds)
        relay = await stack.enter_async_context(_relaying(service, kafka, metrics))
        for worker in plan.workers:
            await stack.enter_async_context(_working(service, worker, plan.settings.graceful_seconds))
        subscriptions = await stack.enter_async_context(_consuming(service, bound, kafka, metrics))
        app.state.service = service
        app.state.provided = service.provided
        # For a page that replays dead letters.
        app.state.bound = bound
        app.state.health = Health(
            pool=service.database.pool,
            relay=relay,
            subscriptions=subscriptions,
            metrics=metrics,
            failure=lambda: service.failure,
            stopping=stopping,
            noted=service.troubles,
        )
        yield
        stopping.set()
        logs.logger().info("the service is going down")


def streams_of(plan: Plan) -> list[str]:
    """The streams that a service hears or says something on; their topics must be there."""
    said = {event.stream for kind, event in EVENTS.items() if kind.startswith(f"attune.{plan.name}.")}
    return sorted({*plan.handlers.streams, *said, f"{plan.name}.dead-letters"})


@asynccontextmanager
async def _relaying(service: Service, kafka: Kafka, metrics: Metrics) -> AsyncIterator[Relay]:
    relay = Relay(
        url=service.settings.database_url.get_secret_value(),
        kafka=kafka,
        service=service.name,
        metrics=metrics,
        poll_seconds=service.settings.relay_poll_seconds,
    )
    async with _task(service, "relay", relay.run()) as task:
        yield relay
        relay.finish()
        await asyncio.wait({task}, timeout=RELAY_FLUSH_SECONDS)


@asynccontextmanager
async def _working(service: Service, worker: Worker, graceful: float) -> AsyncIterator[None]:
    name = getattr(worker, "__name__", type(worker).__name__)

    async def work() -> None:
        await worker(service)

    async with _task(service, name, work(), graceful):
        yield


@asynccontextmanager
async def _consuming(
    service: Service, bound: Bound, kafka: Kafka, metrics: Metrics
) -> AsyncIterator[list[Subscription]]:
    settings = service.settings
    patience = Patience(
        entry_seconds=settings.entry_seconds,
        not_yet_seconds=settings.not_yet_seconds,
        tries=settings.handler_tries,
        dead_letters_in_a_row=settings.dead_letters_in_a_row,
    )
    streams = sorted({EVENTS[kind].stream for kind in bound.events} | set(bound.untrusted))
    consumers = [
        StreamConsumer(
            stream,
            database=service.database,
            handlers=bound,
            metrics=metrics,
            stopping=service.stopping,
            fail=service.fail,
            patience=patience,
        )
        for stream in streams
    ]
    broker = make_broker(kafka, service.name, settings.graceful_seconds)
    subscriptions = subscribe(broker, kafka, consumers)
    watchdog = Watchdog(
        subscriptions=subscriptions,
        kafka=kafka,
        metrics=metrics,
        stuck=settings.stuck_after_seconds,
        unassigned=settings.unassigned_after_seconds,
        fail=service.fail,
    )
    try:
        await _start(broker, settings.startup_wait_seconds)
        async with (
            _task(service, "watchdog", watchdog.run()),
            _task(service, "measure", measure(service.database.pool, metrics)),
            _task(service, "tidy", tidy(service.database.pool, settings.inbox_days)),
        ):
            yield subscriptions
    finally:
        service.stopping.set()
        # Side by side: each may wait as long as a batch in hand is allowed to take.
        graceful = settings.graceful_seconds
        await asyncio.gather(*(each.stop(graceful) for each in subscriptions), return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await broker.stop()


async def _start(broker: KafkaBroker, within: float) -> None:
    try:
        async with asyncio.timeout(within):
            await subscribing.start(broker)
    except (TimeoutError, KafkaError) as error:
        raise Fatal(f"the consumers could not start within {within:g} s: {type(error).__name__}") from None


@asynccontextmanager
async def _task(
    service: Service, name: str, work: Any, graceful: float = 5.0
) -> AsyncIterator[asyncio.Task[None]]:
    """A task whose end, before it is asked to, is the end of the process."""
    task: asyncio.Task[None] = asyncio.create_task(work, name=name)

    def on_end(ended: asyncio.Task[None]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if ended.cancelled() or service.stopping.is_set():
            return
        if error is not None:
            logs.logger().error("a worker crashed", worker=name, **logs.fault(error))
        why = f"crashed with {type(error).__name__}" if error is not None else "ended by itself"
        service.fail(Fatal(f"{name} {why}"))

    task.add_done_callback(on_end)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=graceful)
