"""What comes in through an HTTP door is JSON of a kind that every part reads alike, or is refused."""

import json
from typing import Any

import pytest
from starlette.requests import Request

from shared.kit.problems import Problem, read_json


def a_request(body: bytes, content_type: str = "application/json") -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b'{"a": 1, "a": 2}', 400, "a member is named twice"),
        (b'{"a": {"b": 1, "b": 1}}', 400, "a member is named twice"),
        (b'{"a": NaN}', 400, "NaN and Infinity are not JSON"),
        (b'{"a": -Infinity}', 400, "NaN and Infinity are not JSON"),
        (b'{"a": 1e999}', 400, "a number is too large"),
        (b"[" * 41 + b"]" * 41, 400, "nested deeper than 40 levels"),
        (b"[" * 30_000 + b"]" * 30_000, 400, "it cannot be read"),
        (b"1" * 5_000, 400, "it cannot be read"),
        (b'{"a": "\xff"}', 400, "the body is not UTF-8"),
        (b'{"a": ', 400, "line 1, column 7"),
        (b'{"a": "' + b"x" * 65_536 + b'"}', 413, "at most 65536 bytes"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)
async def test_what_is_not_json_of_our_kind_is_refused_with_the_rule(
    body: bytes, status: int, detail: str
) -> None:
    with pytest.raises(Problem) as refused:
        await read_json(a_request(body))

    assert refused.value.status == status
    assert detail in (refused.value.detail or "")


async def test_another_content_type_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        await read_json(a_request(b"{}", "text/plain"))

    assert refused.value.status == 415


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/merge-patch+json"])
async def test_json_is_read(content_type: str) -> None:
    document = {"name": "Zoë", "deep": [[[]]], "number": 1.5}

    assert await read_json(a_request(json.dumps(document).encode(), content_type)) == document
