"""Errors of the HTTP doors as RFC 9457 problem details: they name the field and the rule, never a value."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.kit import logs
from shared.kit.consuming.verdicts import Kind, judge
from shared.kit.errors import KeyDestroyed

MEDIA_TYPE = "application/problem+json"
JSON_LIMIT = 64 * 1024
DEPTH_LIMIT = 40

_TITLES = {
    400: "The request could not be understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "There is nothing here",
    405: "This address does not take that method",
    410: "This has been erased",
    412: "It is not what it was",
    413: "The request is too large",
    415: "The content type is not supported",
    422: "The request breaks a rule",
    428: "Say which version this is about",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "Not available at the moment",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong: where, and which rule it breaks."""

    field: str
    rule: str


class Problem(Exception):
    """An answer to a request that cannot be met; `extra` members are added to the document."""

    def __init__(  # noqa: PLR0917 - the order is RFC 9457's
        self,
        status: int,
        code: str,
        title: str | None = None,
        detail: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title or _TITLES.get(status, "The request failed")
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """The problem as JSON."""
        document: dict[str, Any] = {
            "type": f"urn:attune:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail is not None:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = [{"field": error.field, "rule": error.rule} for error in self.errors]
        return document | self.extra

    def response(self) -> Response:
        """The problem as an answer."""
        return JSONResponse(self.document(), self.status, self.headers, media_type=MEDIA_TYPE)


def field_errors(error: ValidationError) -> list[FieldError]:
    """What pydantic found wrong, without the values."""
    return [
        FieldError(".".join(map(str, fault["loc"])) or "body", fault["msg"].removeprefix("Value error, "))
        for fault in error.errors(include_input=False, include_context=False, include_url=False)
    ]


async def read_body(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is longer than the limit."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise Problem(413, "too_large", detail=f"the body may have at most {limit} bytes")
    return bytes(body)


async def read_json(request: Request, limit: int = JSON_LIMIT) -> Any:
    """The body as JSON, refused if it is none, is too long, nested too deep, or names a member twice."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(415, "not_json", detail="send application/json")
    body = await read_body(request, limit)
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise Problem(400, "bad_json", detail="the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, "bad_json", detail=f"the body is not JSON: {error.msg} at {where}") from None
    except (ValueError, RecursionError) as error:
        rule = str(error) if isinstance(error, _NotOurJson) else "it cannot be read"
        raise Problem(400, "bad_json", detail=f"the body is not JSON that we take: {rule}") from None
    if _depth(value) > DEPTH_LIMIT:
        raise Problem(400, "bad_json", detail=f"the body is nested deeper than {DEPTH_LIMIT} levels")
    return value


async def on_problem(_request: Request, error: Exception) -> Response:
    """Answers a Problem."""
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class only
    return error.response()


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Answers what Starlette itself refuses, such as 404 and 405."""
    assert isinstance(error, HTTPException)  # noqa: S101
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    code = codes.get(error.status_code, f"http_{error.status_code}")
    return Problem(error.status_code, code, headers=error.headers).response()


async def on_erased(_request: Request, _error: Exception) -> Response:
    """Answers a request about a person who was erased."""
    return Problem(410, "erased").response()


async def on_unexpected(_request: Request, error: Exception) -> Response:
    """Answers what nobody foresaw: a bug, or something that is away. Nothing of it is shown."""
    if isinstance(error, Problem):
        return error.response()
    if judge(error).kind is Kind.TRANSIENT:
        logs.logger().warning("a request came while something was away", **logs.fault(error))
        return Problem(503, "not_available", headers={"retry-after": "5"}).response()
    logs.logger().error("a request failed", **logs.fault(error))
    return Problem(500, "internal").response()


ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]

HANDLERS: dict[Any, ExceptionHandler] = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    KeyDestroyed: on_erased,
    Exception: on_unexpected,
}


class _NotOurJson(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NotOurJson("a member is named twice")
    return members


def _no_constant(_name: str) -> Any:
    raise _NotOurJson("NaN and Infinity are not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise _NotOurJson("a number is too large")
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (
                outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
            )
        ]
    return depth
