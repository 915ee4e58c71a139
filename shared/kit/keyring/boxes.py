"""The cryptography: AES-256-GCM boxes, bound to where they belong; pure but for the nonce."""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


class BoxBroken(Exception):
    """The box was altered, moved from where it belongs, or sealed under another key."""


def new_key() -> bytes:
    """A fresh key of 256 bits."""
    return AESGCM.generate_key(bit_length=256)


def shut(key: bytes, data: bytes, place: bytes) -> bytes:
    """Seals data for one place: nonce and ciphertext."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, place)


def unshut(key: bytes, box: bytes, place: bytes) -> bytes:
    """Opens a box that was sealed for this place."""
    try:
        return AESGCM(key).decrypt(box[:NONCE], box[NONCE:], place)
    except (InvalidTag, ValueError):
        raise BoxBroken from None


def field_place(kid: UUID, event_type: str, event_key: UUID, field: str) -> bytes:
    """Where a sealed field belongs, so that it cannot be moved to another event, key or field."""
    return f"{kid}|{event_type}|{event_key}|{field}".encode()


def column_place(kid: UUID, purpose: str) -> bytes:
    """Where a sealed column of a service belongs."""
    return f"{kid}|column|{purpose}".encode()
