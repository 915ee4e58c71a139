"""The audit: a row for every action, written with it and never changed; words in it are sealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.review.domain.case import Case
from services.review.domain.deciding import Look
from shared.contract.ids import RequestId, StaffId, SubjectId, TherapistId
from shared.contract.sealing import Purpose
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done, as it is read back."""

    at: datetime
    actor: str
    staff_id: StaffId | None
    staff_name: str | None
    case_version: int | None
    action: str
    decision_id: UUID | None
    therapist_id: UUID | None
    codes: Mapping[str, Any]
    words: Mapping[str, str] | None
    """What was written; empty if nothing was, None if it cannot be opened any more."""


@dataclass(frozen=True, slots=True)
class View:
    """Somebody opened a case."""

    at: datetime
    staff_name: str
    case_version: int


async def note(tx: Transaction, actor: str, action: str, case: Case, **codes: object) -> None:
    """Adds what became of a case without a decision of staff."""
    await add_for_case(
        tx,
        actor=actor,
        action=action,
        request_id=case.request_id,
        subject_id=case.subject_id,
        case_version=case.version,
        codes=codes,
    )


async def add_for_case(
    tx: Transaction,
    *,
    actor: str,
    action: str,
    request_id: RequestId,
    subject_id: SubjectId,
    case_version: int,
    staff_id: StaffId | None = None,
    decision_id: UUID | None = None,
    therapist_id: UUID | None = None,
    codes: Mapping[str, object] | None = None,
    words: Mapping[str, str] | None = None,
) -> None:
    """Adds what was done with a case."""
    sealed = None
    if words:
        sealed = await tx.seal(subject_id, Purpose.CLINICAL, json.dumps(dict(words)).encode())
    await tx.execute(
        """
        INSERT INTO audit
            (at, actor, staff_id, request_id, case_version, action, decision_id, therapist_id, codes, words)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        tx.now,
        actor,
        staff_id,
        request_id,
        case_version,
        action,
        decision_id,
        therapist_id,
        json.dumps(dict(codes or {})),
        sealed,
    )


async def add_for_account(
    tx: Transaction, action: str, staff_id: StaffId | None, actor: str = "operator", **codes: object
) -> None:
    """Adds what was done with an account."""
    await tx.execute(
        "INSERT INTO audit (at, actor, staff_id, action, codes) VALUES ($1, $2, $3, $4, $5)",
        tx.now,
        actor,
        staff_id,
        action,
        json.dumps(codes),
    )


async def history(tx: Transaction, request_id: RequestId, since_version: int = 0) -> list[Entry]:
    """What was done with a case, oldest first."""
    rows = await tx.fetch(
        """
        SELECT audit.at, actor, staff_id, staff.name AS staff_name, case_version, action, decision_id,
               therapist_id, codes, words
        FROM audit LEFT JOIN staff ON staff.id = audit.staff_id
        WHERE request_id = $1 AND case_version > $2
        ORDER BY audit.id
        """,
        request_id,
        since_version,
    )
    return [
        Entry(
            **{name: row[name] for name in Entry.__slots__ if name not in {"codes", "words"}},
            codes=json.loads(row["codes"]),
            words=await _words(tx, row["words"]),
        )
        for row in rows
    ]


async def add_view(tx: Transaction, case: Case, staff_id: StaffId, look: Look) -> None:
    """Notes that somebody on the staff has the case before them, and whom they see beside the client."""
    sealed = None
    if look.beside:
        beside = {str(therapist): sorted(map(str, members)) for therapist, members in look.beside.items()}
        sealed = await tx.seal(case.subject_id, Purpose.CLINICAL, json.dumps(beside).encode())
    await tx.execute(
        """
        INSERT INTO case_views (request_id, staff_id, case_version, at, beside) VALUES ($1, $2, $3, $4, $5)
        """,
        case.request_id,
        staff_id,
        case.version,
        look.at,
        sealed,
    )


async def looks_since(
    tx: Transaction, request_id: RequestId, staff_id: StaffId, since: datetime
) -> list[Look]:
    """When somebody opened the case after a moment, and whom they saw, in order."""
    rows = await tx.fetch(
        "SELECT at, beside FROM case_views WHERE request_id = $1 AND staff_id = $2 AND at >= $3 ORDER BY at",
        request_id,
        staff_id,
        since,
    )
    opened = iter(await tx.open_all([row["beside"] for row in rows if row["beside"] is not None]))
    return [Look(row["at"], {} if row["beside"] is None else _beside(next(opened))) for row in rows]


async def views(tx: Transaction, request_id: RequestId) -> list[View]:
    """Who has opened a case, newest first; the last hundred times."""
    rows = await tx.fetch(
        """
        SELECT case_views.at, staff.name AS staff_name, case_version
        FROM case_views JOIN staff ON staff.id = case_views.staff_id
        WHERE request_id = $1 ORDER BY case_views.id DESC LIMIT 100
        """,
        request_id,
    )
    return [View(row["at"], row["staff_name"], row["case_version"]) for row in rows]


def _beside(plain: bytes | KeyDestroyed | BoxBroken) -> dict[TherapistId, frozenset[RequestId]]:
    if not isinstance(plain, bytes):
        raise plain
    return {
        TherapistId(UUID(therapist_id)): frozenset(RequestId(UUID(each)) for each in members)
        for therapist_id, members in json.loads(plain).items()
    }


async def _words(tx: Transaction, sealed: bytes | None) -> Mapping[str, str] | None:
    if sealed is None:
        return {}
    plain = await tx.open(sealed)
    if plain is None:
        return None
    words: dict[str, str] = json.loads(plain)
    return words
