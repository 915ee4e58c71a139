"""What stands before every door: security headers, limits, a guard against other sites, a log line."""

import time
from collections.abc import Collection, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from shared.kit import logs, tracing
from shared.kit.problems import ExceptionHandler, Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FROM_HERE = frozenset({"same-origin", "none"})

CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
))  # fmt: skip

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # What these pages show is about people; a page that may be kept says so itself.
    "cache-control": "no-store",
}
TRANSPORT_SECURITY = "max-age=63072000; includeSubDomains"


class SecurityHeaders:
    """Adds the headers that keep pages to themselves; a header that a door sets itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    headers.setdefault("strict-transport-security", TRANSPORT_SECURITY)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class FetchMetadataGuard:
    """Refuses unsafe requests that another site makes a browser send with our cookies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and foreign(scope):
            problem = Problem(403, "cross_site", detail="the request comes from another site")
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)


def foreign(scope: Scope) -> bool:
    """Whether a request is unsafe, carries cookies, and was not made by one of our own pages."""
    headers = Headers(scope=scope)
    if scope["method"] in SAFE_METHODS or "cookie" not in headers:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in FROM_HERE
    # Browsers too old for fetch metadata still say where they come from; programs say nothing.
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != HTTPConnection(scope).url.netloc


class BodyLimit:
    """Cuts a request off when its body is longer than any door takes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = Problem(413, "too_large", detail=f"a request may have at most {self._limit} bytes")
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._limit:
            await too_large.response()(scope, receive, send)
            return
        seen = 0

        async def receive_within_limit() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                # Inside the door that reads the body: answered like any other problem there.
                raise too_large
            return message

        await self._app(scope, receive_within_limit, send)


class OperatorsOnly:
    """Knows nothing of what is for operators at another port, if they have one of their own."""

    def __init__(self, app: ASGIApp, paths: Collection[str], port: int | None) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        theirs = self._port is not None and scope["type"] == "http" and scope["path"] in self._paths
        # The port is that of the socket: no header has a say in it.
        if theirs and scope["server"][1] != self._port:
            await Problem(404, "not_found").response()(scope, receive, send)
            return
        await self._app(scope, receive, send)


class LastResort:
    """Answers a request whose door failed; here, and not in Starlette, so that the other guards see it."""

    def __init__(self, app: ASGIApp, handler: ExceptionHandler) -> None:
        self._app = app
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await self._handler(Request(scope), error)
            await response(scope, receive, send)


class RequestLog:
    """One line per request: method, route, status, time. Neither the query string nor what a path names."""

    def __init__(self, app: ASGIApp, quiet: Sequence[str] = ()) -> None:
        self._app = app
        self._quiet = frozenset(quiet)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        begin = time.perf_counter()
        trace = tracing.child_of(Headers(scope=scope).get("traceparent"))
        token = tracing.current.set(trace)

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with bound_contextvars(trace=trace.split("-")[1]):
                await self._app(scope, receive, note_status)
        finally:
            tracing.current.reset(token)
            route = _route(scope)
            if route not in self._quiet:
                logs.logger().info(
                    "request served",
                    method=scope["method"],
                    route=route,
                    status=status,
                    milliseconds=round((time.perf_counter() - begin) * 1000, 1),
                )


def _route(scope: Scope) -> str:
    """The pattern of the route, such as `/status/{token}`: the path itself may hold a secret."""
    path: str = getattr(scope.get("route"), "path", "unknown")
    return path
