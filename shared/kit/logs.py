"""Logs as JSON lines with ids and never payloads; one form for our own code and for every library."""

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

LIBRARIES = {"aiokafka": logging.WARNING, "faststream": logging.WARNING, "uvicorn": logging.INFO}
REPEATERS = frozenset({"aiokafka", "asyncpg"})
REPEAT_SECONDS = 10.0


def logger() -> Any:
    """The logger of a room; a fixed phrase plus fields, never an f-string."""
    return structlog.stdlib.get_logger()


def configure(service: str, level: str = "INFO") -> None:
    """Sets up logging for the process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        _fault_without_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    line = logging.StreamHandler(sys.stdout)
    line.addFilter(_Repeats())
    line.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _library_without_colour],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [line]
    root.setLevel(level)
    for name, quiet in LIBRARIES.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(quiet, logging.getLevelName(level)))
    # The access log of uvicorn writes query strings; the kit writes its own.
    logging.getLogger("uvicorn.access").disabled = True


def fault(error: BaseException) -> dict[str, Any]:
    """An exception as log fields: its class and where it came from, never its text, which may hold data."""
    return {"error": _name(error), "at": _places(error.__traceback__)}


def on_loop_exception(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Stands in for asyncio's own handler, which writes the text of exceptions."""
    error = context.get("exception")
    fields = fault(error) if isinstance(error, BaseException) else {}
    logger().error("a task failed unobserved", **fields)


class LibraryLogger:
    """What FastStream logs through: its phrases carry exception texts, so errors are reduced to a class."""

    def __init__(self) -> None:
        self._log = logging.getLogger("faststream")

    def log(
        self,
        level: int,
        msg: Any,
        /,
        *,
        exc_info: Any = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        fields: dict[str, Any] = {name: value for name, value in (extra or {}).items() if value}
        if getattr(exc_info, "expected", False):
            phrase, level = "a batch will be read again", logging.DEBUG
        elif isinstance(exc_info, BaseException):
            phrase, fields = "failed inside the Kafka library", fields | fault(exc_info)
        elif level >= logging.ERROR:
            phrase = "error inside the Kafka library"
        else:
            phrase, level = str(msg), logging.DEBUG
        structlog.stdlib.get_logger("faststream").log(level, phrase, **fields)


class _Repeats(logging.Filter):
    """Lets a library say the same thing once in a while: aiokafka complains many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in REPEATERS:
            return True
        said_where, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._said.get(said_where, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._said[said_where] = now
        return True


def _named(service: str) -> structlog.typing.Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def _fault_without_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event.update(fault(error))
    event.pop("exc_text", None)
    event.pop("stack_info", None)
    return event


def _library_without_colour(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord) and record.exc_info:
        event.update(fault(record.exc_info[1]) if record.exc_info[1] else {})
        # The formatter would otherwise append the traceback with its text.
        record.exc_info = record.exc_text = None
    return event


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-8:]
    return [
        f"{frame.filename.rpartition('/site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames
    ]
