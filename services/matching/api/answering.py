"""Entries as a program sees them, each answer with a tag that changes when its content does."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.matching import store
from services.matching.api.asking import tags_in
from services.matching.domain.directory_json import entry_for_others, entry_of
from services.matching.domain.therapist import Therapist
from services.matching.store import Caller, Role
from shared.kit.transaction import Transaction

_HEADERS = {
    # May be kept by who asked, but looked at again before it is used: a seat is soon gone.
    "cache-control": "private, no-cache",
    "vary": "authorization",
}


async def entries_for(
    caller: Caller, tx: Transaction, therapists: Sequence[Therapist]
) -> list[dict[str, Any]]:
    """Entries as this caller may see them: a reader learns of seats no sooner than from the stream."""
    if caller.role is Role.EDITOR:
        return [entry_of(each) for each in therapists]
    told = await store.seats_told(tx, [each.id for each in therapists])
    return [entry_for_others(each, told.get(each.id)) for each in therapists]


def tag_of(document: object) -> str:
    """The strong entity tag of a document."""
    return f'"{hashlib.sha256(_text(document)).hexdigest()[:32]}"'


def answer(document: object, status: int = 200, **headers: str) -> Response:
    """A document with its tag."""
    return Response(
        _text(document),
        status,
        {"etag": tag_of(document), **_HEADERS, **headers},
        media_type="application/json",
    )


def answer_if_new(request: Request, document: object) -> Response:
    """A document, or word that the caller has it already."""
    tag = tag_of(document)
    known = {each.removeprefix("W/") for each in tags_in(request, "if-none-match")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers={"etag": tag, **_HEADERS})
    return answer(document)


def _text(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
