"""What a program asks for: who it is, which entry it means, and which version of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from starlette.requests import Request

from services.matching import store
from services.matching.store import Caller, Role
from shared.kit import api_keys
from shared.kit.pace import keep_pace, turned_away
from shared.kit.problems import FieldError, Problem
from shared.kit.service import Service
from shared.kit.transaction import Transaction


def service_of(request: Request) -> Service:
    """The running service."""
    service: Service = request.app.state.service
    return service


@asynccontextmanager
async def let_in(request: Request) -> AsyncIterator[tuple[Caller, Transaction]]:
    """Whose key a request shows, and a transaction for them; who comes too often is asked to wait."""
    service = service_of(request)
    key = api_keys.key_in(request)
    if key is None:
        # Before a transaction is begun: that is for who has a key.
        raise turned_away(request, service.clock.now())
    async with service.database.transaction() as tx:
        caller = await store.find_caller(tx, key)
        if caller is None:
            raise turned_away(request, tx.now)
        keep_pace(request, caller.name, tx.now)
        yield caller, tx


async def let_editor_in(request: Request) -> None:
    """Turns away whose key may not change entries."""
    async with let_in(request) as (caller, _):
        if caller.role is not Role.EDITOR:
            raise Problem(403, "not_an_editor", detail="this key may read the directory and not change it")


def id_in(request: Request) -> UUID:
    """Which entry is meant."""
    written: str = request.path_params["id"]
    try:
        therapist_id = UUID(written)
    except ValueError:
        raise no_such_therapist() from None
    if str(therapist_id) != written.lower():
        raise no_such_therapist()
    return therapist_id


def no_such_therapist() -> Problem:
    """Nobody knows of such a therapist."""
    return Problem(404, "no_such_therapist", detail="the directory has no entry with this id")


def tags_in(request: Request, header: str) -> list[str]:
    """The entity tags of a conditional header; `*` stands for any."""
    return [tag for each in request.headers.getlist(header) for tag in map(str.strip, each.split(",")) if tag]


def refused(*errors: FieldError) -> Problem:
    """Every field that breaks a rule, with the rule."""
    return Problem(422, "invalid", errors=errors)
