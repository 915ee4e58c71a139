"""Counts how often keys are looked up."""

from collections.abc import Collection, Mapping
from uuid import UUID

from shared.contract.sealing import Purpose
from shared.kit.keyring.keyring import DataKey
from shared.kit.keyring.sealing import Keys


class Counted:
    """The real keys, and how often somebody asked for one of them or for many at once, and for how many."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.single = 0
        self.looks = 0
        self.kids = 0

    def may_open(self, purpose: Purpose) -> bool:
        """As the real ones."""
        return self._keys.may_open(purpose)

    async def key_for(self, purpose: Purpose, subject_id: UUID) -> DataKey:
        """As the real ones."""
        return await self._keys.key_for(purpose, subject_id)

    async def key_by_id(self, purpose: Purpose, kid: UUID) -> DataKey:
        """As the real ones, counted."""
        self.single += 1
        return await self._keys.key_by_id(purpose, kid)

    async def keys_by_id(self, purpose: Purpose, kids: Collection[UUID]) -> Mapping[UUID, DataKey | None]:
        """As the real ones, counted."""
        self.looks += 1
        self.kids += len(kids)
        return await self._keys.keys_by_id(purpose, kids)
