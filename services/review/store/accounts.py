"""Staff accounts."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.review.domain.staff import Role, Staff
from services.review.store import audit, cases
from shared.contract.ids import StaffId
from shared.kit.transaction import Transaction


class EmailTaken(Exception):
    """There is already an account with that e-mail address."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as an operator sees it."""

    staff: Staff
    created_at: datetime
    disabled_at: datetime | None


async def add(tx: Transaction, staff: Staff, password_hash: str) -> None:
    """Adds an account; raises EmailTaken."""
    try:
        async with tx.savepoint():
            await tx.execute(
                """
                INSERT INTO staff (id, email, name, role, password_hash, created_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                """,
                staff.id,
                staff.email,
                staff.name,
                staff.role.value,
                password_hash,
                tx.now,
            )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "staff_one_per_email":
            raise EmailTaken from None
        raise
    await audit.add_for_account(tx, "account_added", staff.id, role=staff.role.value)


async def all_accounts(tx: Transaction) -> list[Account]:
    """All accounts, by e-mail address."""
    rows = await tx.fetch("SELECT id, email, name, role, created_at, disabled_at FROM staff ORDER BY email")
    return [Account(as_staff(row), row["created_at"], row["disabled_at"]) for row in rows]


async def disable(tx: Transaction, email: str) -> bool:
    """Disables an account and ends its sessions; claims it holds are given back. False if there is none."""
    staff_id: StaffId | None = await tx.fetchval(
        "UPDATE staff SET disabled_at = coalesce(disabled_at, $2) WHERE email = $1 RETURNING id",
        email,
        tx.now,
    )
    if staff_id is None:
        return False
    await _end_sessions(tx, staff_id)
    await cases.release_all(tx, staff_id)
    await audit.add_for_account(tx, "account_disabled", staff_id)
    return True


async def enable(tx: Transaction, email: str) -> bool:
    """Enables an account again; False if there is none that is disabled."""
    staff_id: StaffId | None = await tx.fetchval(
        "UPDATE staff SET disabled_at = NULL WHERE email = $1 AND disabled_at IS NOT NULL RETURNING id", email
    )
    if staff_id is None:
        return False
    await audit.add_for_account(tx, "account_enabled", staff_id)
    return True


async def set_password(tx: Transaction, email: str, password_hash: str) -> bool:
    """Gives an account a new password and ends its sessions; False if there is none."""
    staff_id: StaffId | None = await tx.fetchval(
        "UPDATE staff SET password_hash = $2 WHERE email = $1 RETURNING id", email, password_hash
    )
    if staff_id is None:
        return False
    await _end_sessions(tx, staff_id)
    await audit.add_for_account(tx, "password_reset", staff_id)
    return True


def as_staff(row: asyncpg.Record) -> Staff:
    """A row of staff."""
    return Staff(StaffId(row["id"]), row["name"], row["email"], Role(row["role"]))


async def _end_sessions(tx: Transaction, staff_id: StaffId) -> None:
    await tx.execute(
        "UPDATE sessions SET revoked_at = $2 WHERE staff_id = $1 AND revoked_at IS NULL", staff_id, tx.now
    )
