"""Runs an assembled app as a process: serves HTTP, ends on SIGTERM, and always ends with a true exit code."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette

from shared.kit import logs
from shared.kit.errors import Fatal
from shared.kit.service import RELAY_FLUSH_SECONDS, Service
from shared.kit.settings import KitSettings
from shared.kit.watchdog import LoopGuard

HTTP_DRAIN_SECONDS = 5
STOPPED_WELL, FAILED = 0, 1


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to the process, which has more to stop than HTTP.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # Not before: whoever reads this may knock at the door at once.
            logs.logger().info("the service is up")


def run(app: Starlette, settings: KitSettings) -> int:
    """Runs until told to stop or until something fails; returns the exit code."""
    guard = LoopGuard(settings.stuck_after_seconds)
    guard.start()
    try:
        return asyncio.run(_run(app, settings, guard))
    finally:
        # Only now: a task that ignores its cancellation would keep asyncio.run from returning.
        guard.stop()


async def _run(app: Starlette, settings: KitSettings, guard: LoopGuard) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.on_loop_exception)
    turning = asyncio.create_task(_turn(guard))
    asked = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, asked.set)
    life = asyncio.create_task(_live(app, settings, asked))
    try:
        asking = asyncio.create_task(asked.wait())
        await asyncio.wait({life, asking}, return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        # Consumers, relay and pool each have their own bound; this one is for what ignores them.
        guard.end_within(2 * settings.graceful_seconds + RELAY_FLUSH_SECONDS + HTTP_DRAIN_SECONDS + 30)
        return await life
    finally:
        turning.cancel()


async def _live(app: Starlette, settings: KitSettings, asked: asyncio.Event) -> int:
    lifespan = app.router.lifespan_context(app)
    starting = asyncio.ensure_future(lifespan.__aenter__())
    asking = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({starting, asking}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with suppress(asyncio.CancelledError):
                await starting
            return STOPPED_WELL
        await starting
    except Fatal as fatal:
        logs.logger().critical("the service cannot start", why=str(fatal))
        return FAILED
    except Exception as error:  # said in one line, without the text of the exception
        logs.logger().critical("the service cannot start", **logs.fault(error))
        return FAILED
    finally:
        asking.cancel()
    try:
        served = await _serve(app, settings, asked)
    finally:
        app.state.stopping.set()
        await lifespan.__aexit__(None, None, None)
    service: Service = app.state.service
    return STOPPED_WELL if served and service.failure is None else FAILED


async def _serve(app: Starlette, settings: KitSettings, asked: asyncio.Event) -> bool:
    """Serves HTTP until asked to stop or until the service fails; False if it cannot be served at all."""
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.forwarded_allow_ips),
            forwarded_allow_ips=settings.forwarded_allow_ips,
            timeout_graceful_shutdown=HTTP_DRAIN_SECONDS,
        )
    )
    service: Service = app.state.service

    async def until_the_end() -> None:
        waits = [asyncio.create_task(event.wait()) for event in (asked, service.failed)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        # Waits inside handlers end at once; HTTP and the batch in hand may finish.
        service.stopping.set()
        server.should_exit = True

    ending = asyncio.create_task(until_the_end())
    try:
        await server.serve(_ports(settings))
    except (SystemExit, OSError):
        logs.logger().critical("HTTP cannot be served", host=settings.http_host, port=settings.http_port)
        return False
    finally:
        ending.cancel()
    return server.started


def _ports(settings: KitSettings) -> list[socket.socket] | None:
    """Both ports, if operators have one of their own."""
    if settings.operator_port is None:
        return None
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    ports = (settings.http_port, settings.operator_port)
    return [socket.create_server((settings.http_host, port), family=family) for port in ports]


async def _turn(guard: LoopGuard) -> None:
    while True:
        guard.turned()
        await asyncio.sleep(0.5)
