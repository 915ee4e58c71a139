"""Goes on after a fault: past what cannot be read, so that nobody else waits for it, or again in a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared.kit import logs
from shared.kit.consuming.verdicts import Kind, judge


@contextmanager
def skipping(what: str, **ids: UUID | None) -> Iterator[None]:
    """Ends the block at a fault that stays, and logs it by id alone; one that may pass goes on."""
    try:
        yield
    except Exception as error:
        if judge(error).kind in {Kind.TRANSIENT, Kind.FATAL}:
            raise
        named = {name: str(each) for name, each in ids.items()}
        logs.logger().error(what, **named, **logs.fault(error))


@contextmanager
def trying_again(what: str) -> Iterator[None]:
    """Ends the block at a fault that may pass, and logs it; one that stays goes on."""
    try:
        yield
    except Exception as error:
        if judge(error).kind is not Kind.TRANSIENT:
            raise
        logs.logger().warning(what, **logs.fault(error))
