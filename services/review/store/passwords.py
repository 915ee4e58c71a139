"""Keeps passwords as argon2id hashes, a few at a time, away from the event loop."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

LONGEST = 1024
"""Longer ones are not hashed at all."""


class Passwords:
    """Hashes and checks; each check costs as much whether the account exists or not."""

    def __init__(self, at_once: int) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(at_once)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(16))
        self.checks = 0
        """How many checks were worked through; the same for known and unknown accounts."""

    async def hash(self, password: str) -> str:
        """A new hash."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether the password is right; None for an account that does not exist."""
        async with self._turns:
            right = await asyncio.to_thread(self._check, password[:LONGEST], stored or self._nobodys)
        return right and stored is not None and len(password) <= LONGEST

    def is_outdated(self, stored: str) -> bool:
        """Whether today's parameters are stronger than those of a hash."""
        return self._hasher.check_needs_rehash(stored)

    def _check(self, password: str, stored: str) -> bool:
        try:
            right: bool = self._hasher.verify(stored, password)
        except VerifyMismatchError:
            right = False
        except (VerificationError, InvalidHashError):
            return False
        self.checks += 1
        return right
