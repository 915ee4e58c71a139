"""Keeps who else may send requests in, and a hash of each one's key."""

from dataclasses import dataclass
from datetime import datetime

from shared.kit import api_keys
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Partner:
    """Another system that may send requests in."""

    name: str
    source: str
    added_at: datetime
    revoked_at: datetime | None = None


async def add_partner(tx: Transaction, name: str, source: str) -> str | None:
    """Admits a partner; returns the API key, which is not kept, or None if name or source are taken."""
    key = api_keys.new_key()
    added = await tx.fetchval(
        """
        INSERT INTO partners (name, source, key_id, key_hash, added_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        RETURNING name
        """,
        name,
        source,
        key.id,
        key.hash,
        tx.now,
    )
    return None if added is None else key.text


async def renew_key(tx: Transaction, name: str) -> str | None:
    """Gives a partner another key in place of the one it has, and opens both doors again if they were shut.

    Returns the key, which is not kept; None if there is no such partner.
    """
    key = api_keys.new_key()
    renewed = await tx.fetchval(
        """
        UPDATE partners SET key_id = $2, key_hash = $3, revoked_at = NULL WHERE name = $1 RETURNING name
        """,
        name,
        key.id,
        key.hash,
    )
    return None if renewed is None else key.text


async def revoke_partner(tx: Transaction, name: str) -> bool:
    """Shuts both doors to a partner; False if there is none of that name that was let in."""
    return bool(
        await tx.fetchval(
            "UPDATE partners SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL RETURNING true",
            name,
            tx.now,
        )
    )


async def partners(tx: Transaction) -> list[Partner]:
    """Everybody who was ever let in."""
    rows = await tx.fetch("SELECT name, source, added_at, revoked_at FROM partners ORDER BY name")
    return [Partner(row["name"], row["source"], row["added_at"], row["revoked_at"]) for row in rows]


async def find_partner_by_key(tx: Transaction, key: str) -> str | None:
    """The partner whose API key this is."""
    row = await tx.fetchrow(
        "SELECT name, key_hash FROM partners WHERE key_id = $1 AND revoked_at IS NULL", api_keys.id_of(key)
    )
    right = api_keys.is_right(key, row["key_hash"] if row else None)
    return row["name"] if row and right else None


async def find_partner_by_source(tx: Transaction, source: str) -> str | None:
    """The partner that writes this CloudEvents source."""
    name: str | None = await tx.fetchval(
        "SELECT name FROM partners WHERE source = $1 AND revoked_at IS NULL", source
    )
    return name
