"""Goes on after a fault: past what is one request's own, so that nobody else waits for it, or in a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from shared.kit import logs
from shared.kit.consuming.verdicts import Kind, judge
from shared.kit.errors import Contended

_OTHERS_AT_IT = (Contended, asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError)
"""These pass by themselves, and yet say nothing of what else there is to do."""


@dataclass(slots=True)
class Skipped:
    """What became of a block that may be passed over."""

    over: bool = False
    for_now: bool = False
    """Others are at it: it may work in a moment."""


@contextmanager
def skipping(what: str, **ids: UUID | None) -> Iterator[Skipped]:
    """Ends the block at a fault of its own, and logs it by id alone; one that all would meet goes on."""
    skipped = Skipped()
    try:
        yield skipped
    except Exception as error:
        skipped.over, skipped.for_now = True, isinstance(error, _OTHERS_AT_IT)
        if not skipped.for_now and judge(error).kind in {Kind.TRANSIENT, Kind.FATAL}:
            raise
        named = {name: str(each) for name, each in ids.items()}
        tell = logs.logger().warning if skipped.for_now else logs.logger().error
        tell(what, **named, **logs.fault(error))


@contextmanager
def trying_again(what: str) -> Iterator[None]:
    """Ends the block at a fault that may pass, and logs it; one that stays goes on."""
    try:
        yield
    except Exception as error:
        if judge(error).kind is not Kind.TRANSIENT:
            raise
        logs.logger().warning(what, **logs.fault(error))
