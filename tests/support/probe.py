"""A small service that only tests run: it leaves a mark for every event, so that loss and doubling show."""

import asyncio
import itertools
import os

from starlette.applications import Starlette

from shared.contract import intake, matching
from shared.contract.sealing import opened
from shared.kit.command_line import command_line
from shared.kit.errors import Contended, NotYet, Rejected
from shared.kit.handlers import Handlers
from shared.kit.service import assemble
from shared.kit.settings import KitSettings
from shared.kit.transaction import Transaction

EFFECTS = """
    CREATE TABLE IF NOT EXISTS effects (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        request_id uuid NOT NULL,
        what text NOT NULL,
        version integer NOT NULL,
        pid integer NOT NULL
    )
"""
"""No unique constraint: an effect that happens twice is to be seen."""

BEATEN = 4
tries = itertools.count()

handlers = Handlers()


@handlers.on(intake.RequestSubmitted)
async def mark_request(event: intake.RequestSubmitted, tx: Transaction) -> None:
    """Marks the request; the person's own words say whether to fail on the way."""
    match opened(event.details).in_own_words:
        case "refuse":
            raise Rejected("refused_by_probe")
        case "bug":
            raise KeyError("a secret that must not be logged")
        case "beaten" if next(tries) < BEATEN:
            raise Contended("a mark")
        case "hang":
            await asyncio.Event().wait()
        case "slow":
            await asyncio.sleep(0.2)
    await _mark(tx, event.request_id, "submitted")
    await tx.publish(
        matching.MatchNotFound(
            request_id=event.request_id,
            subject_id=event.subject_id,
            policy_version="probe",
            findings=matching.NothingFound(pathways=(), text="marked"),
        )
    )


@handlers.on(intake.RequestWithdrawn)
async def mark_withdrawal(event: intake.RequestWithdrawn, tx: Transaction) -> None:
    """Marks the withdrawal."""
    await _mark(tx, event.request_id, "withdrawn")


@handlers.on(matching.MatchProposed)
async def mark_proposal(event: matching.MatchProposed, tx: Transaction) -> None:
    """Marks the proposal, once its request is known."""
    if not await tx.fetchval("SELECT count(*) FROM effects WHERE request_id = $1", event.request_id):
        raise NotYet("the request")
    await _mark(tx, event.request_id, "proposed")


@handlers.on(matching.SeatReserved)
async def mark_seat(event: matching.SeatReserved, tx: Transaction) -> None:
    """Marks the seat, whether or not its request is known."""
    await _mark(tx, event.request_id, "reserved")


async def _mark(tx: Transaction, request_id: object, what: str) -> None:
    version = tx.cause.aggregate_version if tx.cause is not None else None
    await tx.execute(
        "INSERT INTO effects (request_id, what, version, pid) VALUES ($1, $2, $3, $4)",
        request_id,
        what,
        version or 0,
        os.getpid(),
    )


def build_app(settings: KitSettings) -> Starlette:
    """The probe as a service."""
    return assemble("probe", settings, handlers=handlers)


app = command_line("probe", "Leaves marks, for tests.", KitSettings, build_app, handlers)

if __name__ == "__main__":
    app()
