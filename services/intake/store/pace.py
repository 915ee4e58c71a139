"""How often the form was sent lately, so that it cannot be used to flood a mailbox."""

import hashlib
from datetime import timedelta

from shared.kit.transaction import Transaction

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_LOCK = 7_305_001


async def keeps_pace(
    tx: Transaction, *, mailbox: str, origin: str, per_mailbox_a_day: int, per_origin_an_hour: int
) -> bool:
    """Counts one more sending; False, and not counted, if there were too many of late."""
    # One at a time, or a hundred sent at once would each see a count of nought.
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    await tx.execute("DELETE FROM form_sendings WHERE at < $1", tx.now - DAY)
    hashed = hashlib.sha256(mailbox.strip().lower().encode()).digest()
    row = await tx.fetchrow(
        """
        SELECT count(*) FILTER (WHERE mailbox_hash = $1) AS to_mailbox,
               count(*) FILTER (WHERE origin = $2 AND at > $3) AS from_origin
        FROM form_sendings WHERE mailbox_hash = $1 OR origin = $2
        """,
        hashed,
        origin,
        tx.now - HOUR,
    )
    if row is None or row["to_mailbox"] >= per_mailbox_a_day or row["from_origin"] >= per_origin_an_hour:
        return False
    await tx.execute(
        "INSERT INTO form_sendings (mailbox_hash, origin, at) VALUES ($1, $2, $3)", hashed, origin, tx.now
    )
    return True
