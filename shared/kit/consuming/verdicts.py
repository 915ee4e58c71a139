"""What a failure means for the record that caused it; pure."""

from dataclasses import dataclass
from enum import StrEnum, auto

import asyncpg
from aiokafka.errors import KafkaError

from shared.kit.errors import Contended, Fatal, KeyDestroyed, NotYet, Rejected
from shared.kit.keyring.boxes import BoxBroken

CODE_LENGTH = 60


class Reason(StrEnum):
    """Why a record lies in the dead letters, and what to do about it; a handler's `Rejected` adds its own.

    tombstone: no value. Nobody of ours sends that but on a stream that forgets; find out who did, discard.
    too_large: larger than any event may be. Find the sender, discard.
    bad_header: a header is null or not UTF-8. Fix the sender, have it sent again, discard. If it is a
        name that is not UTF-8, not even the client can read the record: only its place is known.
    bad_envelope: the CloudEvents headers are missing or wrong, or do not fit the key or the stream. Likewise.
    unknown_type: well formed, but this build does not know the type. Deploy the newer build, then replay.
        Whoever hears a stream is deployed before whoever says something new on it.
    bad_json: the value is not JSON, or holds NaN or a number beyond all bounds. Fix the sender, discard.
    bad_schema: the value breaks the contract. Fix whichever side is wrong; replay or discard.
    bad_seal: a sealed field cannot be opened: altered, moved, or the wrong sealing key here. Check the key.
    not_yet: another stream did not bring in time what this event needs, or it lies among the dead letters
        of the same request. Replay those first, or see that stream; then replay.
    handler_failed: a bug here; `error_class` names it and the log has the place. Fix, deploy, replay.
    rejected: a handler refused it without a code of its own. Ask its author; discard.
    """

    TOMBSTONE = auto()
    TOO_LARGE = auto()
    BAD_HEADER = auto()
    BAD_ENVELOPE = auto()
    UNKNOWN_TYPE = auto()
    BAD_JSON = auto()
    BAD_SCHEMA = auto()
    BAD_SEAL = auto()
    NOT_YET = auto()
    HANDLER_FAILED = auto()
    REJECTED = auto()


class Kind(StrEnum):
    """The ways in which handling can fail."""

    PERMANENT = auto()
    """Will never work: park it."""

    TRANSIENT = auto()
    """Something around it is away, or others are at it: wait, for as long as it takes."""

    NOT_YET = auto()
    """Another stream has to bring something first: wait, but not for ever."""

    ERASED = auto()
    """The person was erased: remember the event, do nothing."""

    BUG = auto()
    """Our own fault, perhaps passing: a few tries, then park it."""

    FATAL = auto()
    """The process must end."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a failure means; `reason` is given for a permanent one."""

    kind: Kind
    reason: str | None = None


# Classes of SQLSTATE that speak of the server or of other transactions, not of what was asked.
_PASSING_CLASSES = ("08", "40", "53", "57", "58")
_PASSING_STATES = frozenset({
    "25006",  # read-only: a standby answers during a failover
    "25P03", "25P04",  # the server ended our idle or long transaction
    "55P03", "55006",  # a lock was not to be had in time
    "28000", "28P01", "3D000",  # sign-in refused: secrets are being changed
})  # fmt: skip
# The server refused or ended the whole session, for whatever reason; a faulty statement is only an ERROR.
_SESSION_ENDED = ("FATAL", "PANIC")
_BROKEN_CONNECTION = ("closed", "closing", "connection lost", "not connected", "released back")


def judge(error: BaseException) -> Verdict:  # noqa: PLR0911 - a table
    """Says what a failure means."""
    match error:
        case Fatal():
            return Verdict(Kind.FATAL)
        case Rejected():
            return Verdict(Kind.PERMANENT, code(error.reason))
        case NotYet():
            return Verdict(Kind.NOT_YET)
        case Contended():
            return Verdict(Kind.TRANSIENT)
        case KeyDestroyed():
            return Verdict(Kind.ERASED)
        case BoxBroken():
            return Verdict(Kind.PERMANENT, Reason.BAD_SEAL)
        case asyncpg.PostgresError():
            return Verdict(Kind.TRANSIENT if _passes(error) else Kind.BUG)
        case asyncpg.InterfaceError():
            # Of asyncpg's own complaints, only those about a lost connection pass by themselves.
            lost = any(sign in str(error) for sign in _BROKEN_CONNECTION)
            return Verdict(Kind.TRANSIENT if lost else Kind.BUG)
        case asyncpg.InternalClientError():
            # The server has ended the session, and its last word was not read to the end.
            return Verdict(Kind.TRANSIENT)
        case FileNotFoundError() | PermissionError() | IsADirectoryError() | NotADirectoryError() if (
            error.filename
        ):
            # A file of ours that is not as it should be; only a socket without a name may come back.
            return Verdict(Kind.BUG)
        case OSError() | TimeoutError() | KafkaError():
            return Verdict(Kind.TRANSIENT)
        case _:
            return Verdict(Kind.BUG)


def code(reason: str) -> str:
    """A reason as it may be stored and logged: a short code, or `rejected`, for a text could hold data."""
    plain = reason.isascii() and reason.replace("_", "a").isalnum() and reason == reason.lower()
    return reason if plain and len(reason) <= CODE_LENGTH else Reason.REJECTED


def _passes(error: asyncpg.PostgresError) -> bool:
    if getattr(error, "severity_en", None) in _SESSION_ENDED:
        return True
    state = getattr(error, "sqlstate", None) or ""
    return state.startswith(_PASSING_CLASSES) or state in _PASSING_STATES
