"""Sessions, and the count of tries to get one; of a token only its hash is kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.review.domain.staff import WINDOW, Attempts, Lifetime, Staff
from services.review.store import audit
from services.review.store.accounts import as_staff
from services.review.store.passwords import Passwords
from shared.contract.ids import StaffId
from shared.kit.database import Database
from shared.kit.transaction import Transaction

NOTED_EVERY = timedelta(minutes=1)
"""A session's last use is noted no more often than this."""

LOCK = 4_276_301
KEPT_AFTER_END = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has just begun; the only time its token is seen."""

    token: str
    expires_at: datetime
    staff: Staff


class WrongSignIn(Exception):
    """No account with that e-mail address and password; which of the two is not said."""


class TooManyAttempts(Exception):
    """Too many tries within the window; try later."""


async def sign_in(
    database: Database,
    passwords: Passwords,
    *,
    email: str,
    password: str,
    address: str,
    lifetime: Lifetime,
    replaces: str | None = None,
) -> Session:
    """Begins a session; raises WrongSignIn or TooManyAttempts.

    `replaces` is the token of a session that the same browser had; it ends.
    """
    email = email.strip().lower()
    async with database.transaction() as tx:
        # Counted before the password is looked at: tries made side by side count, too.
        allowed = await _note_attempt(tx, email, address)
        found = await _account_of(tx, email)
    if not allowed:
        raise TooManyAttempts
    stored = found["password_hash"] if found is not None else None
    right = await passwords.check(password, stored)
    rehashed = await passwords.hash(password) if right and passwords.is_outdated(stored or "") else None
    async with database.transaction() as tx:
        staff = as_staff(found) if found is not None else None
        if not right or staff is None or not await _still_valid(tx, staff, stored or ""):
            await audit.add_for_account(tx, "sign_in_failed", staff.id if staff else None, actor="visitor")
        else:
            if rehashed is not None:
                await tx.execute("UPDATE staff SET password_hash = $2 WHERE id = $1", staff.id, rehashed)
            if replaces is not None:
                await _revoke(tx, replaces)
            await _forget_attempts(tx, email, address)
            return await _begin(tx, staff, lifetime)
    raise WrongSignIn


async def staff_for(tx: Transaction, token: str, idle: timedelta) -> Staff | None:
    """Whose live session a token is."""
    row = await tx.fetchrow(
        """
        SELECT staff.id, staff.email, staff.name, staff.role, sessions.used_at
        FROM sessions JOIN staff ON staff.id = sessions.staff_id
        WHERE token_hash = $1 AND revoked_at IS NULL AND expires_at > $2 AND used_at > $3
              AND staff.disabled_at IS NULL
        """,
        _hashed(token),
        tx.now,
        tx.now - idle,
    )
    if row is None:
        return None
    if tx.now - row["used_at"] > NOTED_EVERY:
        await tx.execute("UPDATE sessions SET used_at = $2 WHERE token_hash = $1", _hashed(token), tx.now)
    return as_staff(row)


async def sign_out(tx: Transaction, token: str) -> None:
    """Ends a session."""
    staff_id = await _revoke(tx, token)
    if staff_id is not None:
        await audit.add_for_account(tx, "signed_out", staff_id, actor="staff")


async def tidy(tx: Transaction) -> None:
    """Forgets sessions and tries that have long ended."""
    await tx.execute("DELETE FROM sessions WHERE expires_at < $1", tx.now - KEPT_AFTER_END)
    await tx.execute("DELETE FROM sign_in_attempts WHERE at < $1", tx.now - WINDOW)


async def _account_of(tx: Transaction, email: str) -> asyncpg.Record | None:
    # What cannot be in an address cannot be asked for either: PostgreSQL takes no NUL in a text.
    if not email.isprintable():
        return None
    return await tx.fetchrow(
        "SELECT id, email, name, role, password_hash FROM staff WHERE email = $1 AND disabled_at IS NULL",
        email,
    )


async def _still_valid(tx: Transaction, staff: Staff, stored: str) -> bool:
    # The account may have been disabled, or its password reset, while the password was checked.
    found = await tx.fetchval(
        "SELECT id FROM staff WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL FOR UPDATE",
        staff.id,
        stored,
    )
    return found is not None


async def _note_attempt(tx: Transaction, email: str, address: str) -> bool:
    # One at a time, or a hundred tries made at once would each see a count of nought.
    await tx.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    row = await tx.fetchrow(
        """
        SELECT count(*) FILTER (WHERE account = $1 AND address = $2) AS here,
               count(*) FILTER (WHERE address = $2) AS of_address,
               count(*) FILTER (WHERE account = $1) AS on_account
        FROM sign_in_attempts WHERE at > $3 AND (account = $1 OR address = $2)
        """,
        _account(email),
        address,
        tx.now - WINDOW,
    )
    if row is None or Attempts(**dict(row)).too_many:
        return False
    await tx.execute(
        "INSERT INTO sign_in_attempts (account, address, at) VALUES ($1, $2, $3)",
        _account(email),
        address,
        tx.now,
    )
    return True


async def _forget_attempts(tx: Transaction, email: str, address: str) -> None:
    await tx.execute(
        "DELETE FROM sign_in_attempts WHERE account = $1 AND address = $2", _account(email), address
    )


async def _begin(tx: Transaction, staff: Staff, lifetime: Lifetime) -> Session:
    session = Session(secrets.token_urlsafe(32), tx.now + lifetime.longest, staff)
    await tx.execute(
        """
        INSERT INTO sessions (token_hash, staff_id, created_at, used_at, expires_at)
        VALUES ($1, $2, $3, $3, $4)
        """,
        _hashed(session.token),
        staff.id,
        tx.now,
        session.expires_at,
    )
    await audit.add_for_account(tx, "signed_in", staff.id, actor="staff")
    return session


async def _revoke(tx: Transaction, token: str) -> StaffId | None:
    staff_id: StaffId | None = await tx.fetchval(
        "UPDATE sessions SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL RETURNING staff_id",
        _hashed(token),
        tx.now,
    )
    return staff_id


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _account(email: str) -> bytes:
    return hashlib.sha256(email.encode()).digest()
