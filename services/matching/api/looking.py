"""Reads the directory: page by page, or one entry."""

from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.matching import store
from services.matching.api.answering import answer_if_new, entries_for
from services.matching.api.asking import id_in, let_in, no_such_therapist, refused
from services.matching.store import Wanted
from shared.contract.vocabulary import AgeGroup, Format, Mode, Variant
from shared.kit.pace import keep_pace
from shared.kit.problems import FieldError
from shared.languages import A_CODE, LANGUAGES
from shared.places import outcode_of

MOST = 500
USUAL = 100
ENTRIES_FOR_ONE = 25
"""So many entries of a page count as one further request."""

_QUESTIONS = frozenset({"after", "limit", "variant", "mode", "format", "age_group", "language", "outcode"})

E = TypeVar("E", bound=StrEnum)


async def page(request: Request) -> Response:
    """GET /api/v1/therapists: some entries in the order of their ids, and where the next ones are."""
    async with let_in(request) as (caller, tx):
        wanted, limit = _wanted(request)
        keep_pace(request, caller.name, tx.now, limit / ENTRIES_FOR_ONE)
        # One more than is shown: whether there is a next page is known without counting.
        found = await store.page_of_therapists(tx, wanted, limit + 1)
        shown = await entries_for(caller, tx, found[:limit])
    following = None
    if len(found) > limit:
        query = dict(request.query_params) | {"after": shown[-1]["id"]}
        following = f"{request.url.path}?{urlencode(query)}"
    return answer_if_new(request, {"therapists": shown, "next": following})


async def show(request: Request) -> Response:
    """GET /api/v1/therapists/{id}: one entry."""
    async with let_in(request) as (caller, tx):
        therapist = await store.find_therapist(tx, id_in(request))
        if therapist is None:
            raise no_such_therapist()
        [entry] = await entries_for(caller, tx, [therapist])
    return answer_if_new(request, entry)


def _wanted(request: Request) -> tuple[Wanted, int]:
    query, faults = request.query_params, []
    for name in query:
        if name not in _QUESTIONS:
            faults.append(FieldError(name[:40], "is not something to ask for"))
        elif len(query.getlist(name)) > 1:
            faults.append(FieldError(name, "must be given once"))
    after = None
    try:
        after = UUID(query["after"]) if "after" in query else None
    except ValueError:
        faults.append(FieldError("after", "must be the id of an entry"))
    limit = query.get("limit", str(USUAL))
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 4 and 1 <= int(limit) <= MOST):
        faults.append(FieldError("limit", f"must be a number from 1 to {MOST}"))
    outcode = outcode_of(query["outcode"]) if "outcode" in query else None
    if "outcode" in query and outcode is None:
        faults.append(FieldError("outcode", "must be a postcode or its first half"))
    wanted = Wanted(
        after=after,
        variant=_word("variant", list(Variant), query.get("variant"), faults),
        mode=_word("mode", [Mode.ONLINE, Mode.IN_PERSON], query.get("mode"), faults),
        format=_word("format", list(Format), query.get("format"), faults),
        age_group=_word("age_group", list(AgeGroup), query.get("age_group"), faults),
        language=query.get("language"),
        outcode=outcode,
    )
    if wanted.language is not None and wanted.language not in LANGUAGES:
        faults.append(FieldError("language", f"must be {A_CODE}"))
    if faults:
        raise refused(*faults)
    return wanted, int(limit)


def _word(field: str, words: list[E], written: str | None, faults: list[FieldError]) -> E | None:
    if written is None:
        return None
    for word in words:
        if word == written:
            return word
    faults.append(FieldError(field, f"must be one of {', '.join(words)}"))
    return None
