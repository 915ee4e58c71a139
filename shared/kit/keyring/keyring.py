"""The data keys of people: one per person and purpose, made on first use, destroyed on erasure."""

import asyncio
import base64
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import UUID

import asyncpg

from shared.contract.sealing import Purpose
from shared.kit import migrating
from shared.kit.errors import Fatal, KeyDestroyed
from shared.kit.identifiers import new_id
from shared.kit.keyring import boxes
from shared.kit.settings import KitSettings

CACHE_SECONDS = 60.0
CACHE_SIZE = 10_000

# A table per purpose: rights are granted by table, and no name comes from outside.
_FIND = {
    Purpose.CONTACT: "SELECT kid, wrapped FROM contact_keys WHERE kid = $1",
    Purpose.CLINICAL: "SELECT kid, wrapped FROM clinical_keys WHERE kid = $1",
}
_FIND_ALL = {
    Purpose.CONTACT: "SELECT kid, wrapped FROM contact_keys WHERE kid = ANY($1)",
    Purpose.CLINICAL: "SELECT kid, wrapped FROM clinical_keys WHERE kid = ANY($1)",
}
_FIND_FOR = {
    Purpose.CONTACT: "SELECT kid, wrapped FROM contact_keys WHERE subject_id = $1",
    Purpose.CLINICAL: "SELECT kid, wrapped FROM clinical_keys WHERE subject_id = $1",
}
_ADD = {
    Purpose.CONTACT: """
        INSERT INTO contact_keys (kid, subject_id, wrapped) VALUES ($1, $2, $3)
        ON CONFLICT ON CONSTRAINT contact_keys_one_per_subject DO NOTHING
    """,
    Purpose.CLINICAL: """
        INSERT INTO clinical_keys (kid, subject_id, wrapped) VALUES ($1, $2, $3)
        ON CONFLICT ON CONSTRAINT clinical_keys_one_per_subject DO NOTHING
    """,
}
# A row is left behind even if there was no key yet: nothing can be sealed for this person later.
_DESTROY = {
    Purpose.CONTACT: """
        INSERT INTO contact_keys (kid, subject_id, wrapped, destroyed_at) VALUES ($1, $2, NULL, now())
        ON CONFLICT ON CONSTRAINT contact_keys_one_per_subject
        DO UPDATE SET wrapped = NULL, destroyed_at = coalesce(contact_keys.destroyed_at, now())
    """,
    Purpose.CLINICAL: """
        INSERT INTO clinical_keys (kid, subject_id, wrapped, destroyed_at) VALUES ($1, $2, NULL, now())
        ON CONFLICT ON CONSTRAINT clinical_keys_one_per_subject
        DO UPDATE SET wrapped = NULL, destroyed_at = coalesce(clinical_keys.destroyed_at, now())
    """,
}
_NEWEST = {
    Purpose.CONTACT: """
        SELECT kid, wrapped FROM contact_keys WHERE wrapped IS NOT NULL ORDER BY kid DESC LIMIT 1
    """,
    Purpose.CLINICAL: """
        SELECT kid, wrapped FROM clinical_keys WHERE wrapped IS NOT NULL ORDER BY kid DESC LIMIT 1
    """,
}


@dataclass(frozen=True, slots=True)
class DataKey:
    """One person's opened key for one purpose; lives in memory only, and briefly."""

    kid: UUID
    secret: bytes

    def __repr__(self) -> str:
        return f"DataKey(kid={self.kid})"


class Keyring:
    """Finds, makes and destroys data keys; holds the key-encryption keys that this service was given."""

    def __init__(self, pool: asyncpg.Pool, wrapping: Mapping[Purpose, bytes]) -> None:
        self._pool = pool
        self._wrapping = wrapping
        self._cache: OrderedDict[tuple[Purpose, UUID], tuple[float, DataKey]] = OrderedDict()

    @classmethod
    async def open(cls, settings: KitSettings, *, wait_seconds: float = 10) -> Self:
        """Connects to the keyring's database with the keys of these settings; waits for it to come up."""
        url = settings.keyring_url.get_secret_value()
        await (await migrating.connect(url, wait_seconds, "the keyring")).close(timeout=5)
        secrets = {
            Purpose.CONTACT: settings.sealing_key_contact,
            Purpose.CLINICAL: settings.sealing_key_clinical,
        }
        # min_size=0: a keyring that is away holds nothing up but what needs it.
        pool = await asyncpg.create_pool(url, min_size=0, max_size=4, timeout=10, command_timeout=10)
        return cls(
            pool,
            {
                purpose: base64.b64decode(secret.get_secret_value())
                for purpose, secret in secrets.items()
                if secret is not None
            },
        )

    def may_open(self, purpose: Purpose) -> bool:
        """Whether this service was given the key of a purpose."""
        return purpose in self._wrapping

    async def check(self) -> None:
        """Proves that the given keys fit the keyring, before anything is sealed under the wrong ones."""
        for purpose in self._wrapping:
            try:
                row = await self._pool.fetchrow(_NEWEST[purpose])
            except asyncpg.UndefinedTableError:
                raise Fatal("the keyring has no tables: run `python -m shared.kit keyring migrate`") from None
            except asyncpg.InsufficientPrivilegeError:
                raise Fatal(f"the keyring's {purpose} keys are not granted to this service") from None
            if row is not None:
                try:
                    self._unwrap(purpose, row["kid"], row["wrapped"])
                except boxes.BoxBroken:
                    raise Fatal(
                        f"SEALING_KEY_{purpose.upper()} does not fit the keyring: it wraps no key there"
                    ) from None

    async def key_for(self, purpose: Purpose, subject_id: UUID) -> DataKey:
        """The person's key, made if there is none yet; safe when several ask at once."""
        if (known := self._cached(purpose, subject_id)) is not None:
            return known
        row = await self._pool.fetchrow(_FIND_FOR[purpose], subject_id)
        if row is None:
            kid = new_id()
            wrapped = boxes.shut(self._wrapping[purpose], boxes.new_key(), kid.bytes)
            await self._pool.execute(_ADD[purpose], kid, subject_id, wrapped)
            # Another process may have been first; what the table says counts.
            row = await self._pool.fetchrow(_FIND_FOR[purpose], subject_id)
        return self._remembered(purpose, subject_id, row)

    async def key_by_id(self, purpose: Purpose, kid: UUID) -> DataKey:
        """The key a box was sealed under."""
        if (known := self._cached(purpose, kid)) is not None:
            return known
        return self._remembered(purpose, kid, await self._pool.fetchrow(_FIND[purpose], kid))

    async def keys_by_id(self, purpose: Purpose, kids: Collection[UUID]) -> dict[UUID, DataKey | None]:
        """The keys of many boxes in one look, remembered nowhere; None for one that was destroyed.

        A key that is not here, or does not fit this keyring, is left out.
        """
        rows = await self._pool.fetch(_FIND_ALL[purpose], list(kids))
        found: dict[UUID, DataKey | None] = {}
        for row in rows:
            with suppress(boxes.BoxBroken):
                wrapped = row["wrapped"]
                found[row["kid"]] = None if wrapped is None else self._unwrap(purpose, row["kid"], wrapped)
        return found

    async def destroy(self, subject_id: UUID) -> None:
        """Erases a person: whatever was sealed for them can never be opened again, by anyone."""
        async with self._pool.acquire() as connection, connection.transaction():
            for statement in _DESTROY.values():
                await connection.execute(statement, new_id(), subject_id)
        self._cache.clear()

    async def close(self) -> None:
        """Gives the connections back, within a bound."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _unwrap(self, purpose: Purpose, kid: UUID, wrapped: bytes) -> DataKey:
        return DataKey(kid, boxes.unshut(self._wrapping[purpose], wrapped, kid.bytes))

    def _cached(self, purpose: Purpose, name: UUID) -> DataKey | None:
        since, key = self._cache.get((purpose, name), (0.0, None))
        return key if key is not None and time.monotonic() - since < CACHE_SECONDS else None

    def _remembered(self, purpose: Purpose, name: UUID, row: asyncpg.Record | None) -> DataKey:
        if row is None:
            # An erased person's row stays behind; a key that was never here means another keyring's box.
            raise boxes.BoxBroken
        if row["wrapped"] is None:
            raise KeyDestroyed
        key = self._unwrap(purpose, row["kid"], row["wrapped"])
        self._cache[(purpose, name)] = (time.monotonic(), key)
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return key
