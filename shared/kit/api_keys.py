"""API keys for other systems: an id to find one by, and a secret of which only a hash is kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from starlette.requests import Request

from shared.kit.problems import Problem

_NOBODYS = bytes(32)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A new key; its text is handed out once and not kept."""

    id: str
    hash: bytes
    text: str = field(repr=False)


def new_key() -> ApiKey:
    """A key that nobody can guess."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return ApiKey(key_id, digest(secret), f"{key_id}.{secret}")


def key_in(request: Request) -> str | None:
    """The key that a request shows: `Authorization: Bearer <key>`."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def id_of(key: str) -> str:
    """By what a key is found."""
    return key.partition(".")[0]


def is_right(key: str, kept: bytes | None) -> bool:
    """Whether a key is the one whose hash is kept; None, for a key that was not found, takes as long."""
    same = hmac.compare_digest(kept or _NOBODYS, digest(key.partition(".")[2]))
    return same and kept is not None


def digest(secret: str) -> bytes:
    """Enough for secrets of 32 random bytes, which nobody can guess their way to."""
    return hashlib.sha256(secret.encode()).digest()


def no_such_key() -> Problem:
    """The answer to a request that shows no key, or none that opens anything."""
    return Problem(
        401,
        "no_such_key",
        title="An API key is needed",
        detail="send the key that the clinic gave you: Authorization: Bearer <key>",
        headers={"WWW-Authenticate": "Bearer"},
    )
