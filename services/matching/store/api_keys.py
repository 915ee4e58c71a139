"""Keeps which other systems may use the directory, and a hash of each one's key."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.kit import api_keys
from shared.kit.transaction import Transaction


class Role(StrEnum):
    """What a key opens: only an editor changes entries and sees them whole, with e-mail address."""

    READER = "reader"
    EDITOR = "editor"


@dataclass(frozen=True, slots=True)
class Caller:
    """Another system that may use the directory."""

    name: str
    role: Role
    added_at: datetime
    revoked_at: datetime | None = None


async def add_caller(tx: Transaction, name: str, role: Role) -> str | None:
    """Admits a system; returns its API key, which is not kept, or None if the name was used before."""
    key = api_keys.new_key()
    added = await tx.fetchval(
        """
        INSERT INTO api_keys (name, role, key_id, key_hash, added_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) DO NOTHING
        RETURNING name
        """,
        name,
        role,
        key.id,
        key.hash,
        tx.now,
    )
    return None if added is None else key.text


async def revoke_caller(tx: Transaction, name: str) -> bool:
    """Shuts the door to a system at once; False if there is none of that name that was let in."""
    return bool(
        await tx.fetchval(
            "UPDATE api_keys SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL RETURNING true",
            name,
            tx.now,
        )
    )


async def callers(tx: Transaction) -> list[Caller]:
    """Every system that was ever let in."""
    rows = await tx.fetch("SELECT name, role, added_at, revoked_at FROM api_keys ORDER BY name")
    return [Caller(row["name"], Role(row["role"]), row["added_at"], row["revoked_at"]) for row in rows]


async def find_caller(tx: Transaction, key: str) -> Caller | None:
    """The system whose API key this is."""
    row = await tx.fetchrow(
        "SELECT name, role, added_at, key_hash FROM api_keys WHERE key_id = $1 AND revoked_at IS NULL",
        api_keys.id_of(key),
    )
    right = api_keys.is_right(key, row["key_hash"] if row else None)
    return Caller(row["name"], Role(row["role"]), row["added_at"]) if row and right else None
