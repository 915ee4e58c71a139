"""Changes the directory: an entry is put whole, confirmed to be true still, or removed."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.matching import store
from services.matching.api.answering import answer, tag_of
from services.matching.api.asking import id_in, let_editor_in, no_such_therapist, refused, service_of, tags_in
from services.matching.domain.directory_file import Reading, read_rows
from services.matching.domain.directory_json import entry_of, row_of
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Therapist
from shared.ages import day_in_london
from shared.kit.problems import FieldError, Problem, read_json


async def put(request: Request) -> Response:
    """PUT /api/v1/therapists/{id}: adds an entry, or replaces the version that the caller has seen."""
    # Who may not is told so before anything is read.
    await let_editor_in(request)
    therapist_id = id_in(request)
    if not tags_in(request, "if-match") and tags_in(request, "if-none-match") != ["*"]:
        raise Problem(
            428,
            "version_needed",
            detail="send If-Match with the ETag that you have seen, or If-None-Match: * for a new entry",
        )
    reading = _reading(request, therapist_id, await read_json(request))
    async with service_of(request).database.transaction() as tx:
        await store.lock_entry(tx, therapist_id)
        before = await store.find_therapist(tx, therapist_id)
        _check_version(request, before)
        saved = await store.save_therapist(tx, reading.therapists[0], reading.undated)
        await store.want_reoffer(tx, "a therapist was changed")
    document = entry_of(saved)
    # What keeps a good entry from being proposed is no part of it, so the tag is that of the entry alone.
    notes = [{"field": note.field, "text": note.text} for note in reading.notes]
    told, tag = document | ({"notes": notes} if notes else {}), tag_of(document)
    if before is None:
        path = str(request.app.url_path_for("api-therapist", id=therapist_id))
        return answer(told, 201, etag=tag, location=path)
    return answer(told, etag=tag)


async def confirm(request: Request) -> Response:
    """POST /api/v1/therapists/{id}/confirm: the entry is true today; repeating it is harmless."""
    await let_editor_in(request)
    therapist_id = id_in(request)
    async with service_of(request).database.transaction() as tx:
        await store.lock_entry(tx, therapist_id)
        before = await store.find_therapist(tx, therapist_id)
        if before is None:
            raise no_such_therapist()
        _check_version(request, before)
        saved = await store.save_therapist(tx, replace(before, confirmed_on=day_in_london(tx.now)))
        await store.want_reoffer(tx, "a therapist was confirmed")
    return answer(entry_of(saved))


async def remove(request: Request) -> Response:
    """DELETE /api/v1/therapists/{id}: nobody is proposed them any more, and nothing of the entry is left."""
    await let_editor_in(request)
    therapist_id = id_in(request)
    if not tags_in(request, "if-match"):
        raise Problem(428, "version_needed", detail="send If-Match with the ETag that you have seen")
    async with service_of(request).database.transaction() as tx:
        await store.lock_entry(tx, therapist_id)
        before = await store.find_therapist(tx, therapist_id)
        if before is None:
            raise no_such_therapist()
        _check_version(request, before)
        cases = await store.remove_therapist(tx, therapist_id)
    # Which cases these are is for staff alone.
    return JSONResponse({"id": str(therapist_id), "clients": len(cases or ())})


def _reading(request: Request, therapist_id: UUID, body: Any) -> Reading:
    """The one entry of a body, without a fault."""
    if not isinstance(body, dict):
        raise refused(FieldError("body", "must be an object"))
    rules: Rules = request.app.state.provided[Rules]
    # The id stands in the address; in the body it may be left out.
    row = row_of(1, {"id": str(therapist_id), **body})
    reading = read_rows([row], rules.places, day_in_london(service_of(request).clock.now()))
    faults = [FieldError(fault.field, fault.rule) for fault in reading.faults]
    if any(therapist.id != therapist_id for therapist in reading.therapists):
        faults.append(FieldError("id", "must be the id in the address"))
    if faults:
        raise refused(*faults)
    return reading


def _check_version(request: Request, before: Therapist | None) -> None:
    current = None if before is None else entry_of(before)
    wanted = tags_in(request, "if-match")
    as_wanted = current is not None and ("*" in wanted or tag_of(current) in wanted)
    as_new = current is None or "*" not in tags_in(request, "if-none-match")
    if (not wanted or as_wanted) and as_new:
        return
    raise Problem(
        412,
        "version_changed",
        "The entry is not as you have seen it",
        detail="nothing was changed; look at what is current and decide again",
        headers={} if current is None else {"etag": tag_of(current)},
        current=current,
    )
