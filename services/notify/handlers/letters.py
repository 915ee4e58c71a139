"""A rendered mail and its address, sealed until it is sent."""

import base64
import json
from dataclasses import dataclass
from uuid import UUID

from shared.contract.sealing import Purpose
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to the mail server."""

    recipient: str
    mail: bytes


async def sealed_letter(tx: Transaction, subject_id: UUID, recipient: str, mail: bytes) -> bytes:
    """A letter as it is kept."""
    document = {"recipient": recipient, "mail": base64.b64encode(mail).decode()}
    return await tx.seal(subject_id, Purpose.CONTACT, json.dumps(document).encode())


async def opened_letter(tx: Transaction, sealed: bytes) -> Letter | None:
    """The letter; None once its person was erased."""
    data = await tx.open(sealed)
    if data is None:
        return None
    document = json.loads(data)
    return Letter(document["recipient"], base64.b64decode(document["mail"]))
