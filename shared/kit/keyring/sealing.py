"""Seals the marked fields of an event on its way out and opens them on its way in."""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

from pydantic import ValidationError

from shared.contract.event import Event
from shared.contract.sealing import Purpose, SealedValue, sealed_fields
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken, column_place, field_place, shut, unshut
from shared.kit.keyring.keyring import DataKey

COLUMN_VERSION = 1
_PURPOSES = {Purpose.CONTACT: 1, Purpose.CLINICAL: 2}
_BY_NUMBER = {number: purpose for purpose, number in _PURPOSES.items()}
_HEAD = 1 + 1 + 16


class Keys(Protocol):
    """Where the data keys come from."""

    def may_open(self, purpose: Purpose) -> bool: ...
    async def key_for(self, purpose: Purpose, subject_id: UUID) -> DataKey: ...
    async def key_by_id(self, purpose: Purpose, kid: UUID) -> DataKey: ...
    async def keys_by_id(self, purpose: Purpose, kids: Collection[UUID]) -> Mapping[UUID, DataKey | None]: ...


class NoKeyForPurpose(Exception):
    """This service was not given the key of a purpose, and so can neither seal nor open for it."""


async def seal_event(event: Event, keys: Keys) -> bytes:
    """The event as it goes on the wire."""
    fields = sealed_fields(type(event))
    document = event.model_dump(mode="json")
    for name, purpose in fields.items():
        if document[name] is None:
            continue
        _require(keys, purpose)
        key = await keys.key_for(purpose, _subject(event))
        place = field_place(key.kid, event.type, event.key, name)
        box = shut(key.secret, _json(document[name]), place)
        document[name] = {"kid": str(key.kid), "box": base64.b64encode(box).decode()}
    return _json(document)


async def open_event(event_type: type[Event], document: Mapping[str, Any], keys: Keys) -> Event:
    """The event in plain; a field whose purpose this service may not open is None.

    Raises ValidationError for a wrong document, BoxBroken for a box that is not its own, KeyDestroyed
    for a person who was erased.
    """
    fields = sealed_fields(event_type)
    # First without what is sealed: a wrong document is found before a key is asked for.
    event = event_type.model_validate_json(_json({**document, **dict.fromkeys(fields)}))
    plain: dict[str, Any] = {}
    for name, purpose in fields.items():
        if document.get(name) is None or not keys.may_open(purpose):
            continue
        sealed, box = _sealed_value(document[name])
        key = await keys.key_by_id(purpose, sealed.kid)
        place = field_place(sealed.kid, event_type.type, event.key, name)
        plain[name] = json.loads(unshut(key.secret, box, place))
    if not plain:
        return event
    return event_type.model_validate_json(_json({**document, **dict.fromkeys(fields), **plain}))


async def seal_column(subject_id: UUID, purpose: Purpose, data: bytes, keys: Keys) -> bytes:
    """Data of a person for a service's own table: version, purpose, key id, nonce, ciphertext."""
    _require(keys, purpose)
    key = await keys.key_for(purpose, subject_id)
    head = bytes([COLUMN_VERSION, _PURPOSES[purpose]]) + key.kid.bytes
    return head + shut(key.secret, data, column_place(key.kid, purpose))


async def open_column(sealed: bytes, keys: Keys) -> bytes:
    """What `seal_column` sealed."""
    purpose, kid = _head_of(sealed)
    _require(keys, purpose)
    key = await keys.key_by_id(purpose, kid)
    return unshut(key.secret, sealed[_HEAD:], column_place(kid, purpose))


async def open_columns(sealed: Sequence[bytes], keys: Keys) -> list[bytes | KeyDestroyed | BoxBroken]:
    """Many of them with one look for their keys; what does not open is answered with why."""
    wanted: dict[Purpose, set[UUID]] = {}
    for each in sealed:
        with suppress(BoxBroken):
            purpose, kid = _head_of(each)
            wanted.setdefault(purpose, set()).add(kid)
    found: dict[tuple[Purpose, UUID], DataKey | None] = {}
    for purpose, kids in wanted.items():
        _require(keys, purpose)
        found |= {(purpose, kid): key for kid, key in (await keys.keys_by_id(purpose, kids)).items()}
    return [_opened(each, found) for each in sealed]


def _opened(
    sealed: bytes, found: Mapping[tuple[Purpose, UUID], DataKey | None]
) -> bytes | KeyDestroyed | BoxBroken:
    try:
        purpose, kid = _head_of(sealed)
        if (purpose, kid) not in found:
            return BoxBroken()
        key = found[purpose, kid]
        if key is None:
            return KeyDestroyed()
        return unshut(key.secret, sealed[_HEAD:], column_place(kid, purpose))
    except BoxBroken as broken:
        return broken


def _head_of(sealed: bytes) -> tuple[Purpose, UUID]:
    if len(sealed) <= _HEAD or sealed[0] != COLUMN_VERSION or sealed[1] not in _BY_NUMBER:
        raise BoxBroken
    return _BY_NUMBER[sealed[1]], UUID(bytes=sealed[2:_HEAD])


def _require(keys: Keys, purpose: Purpose) -> None:
    if not keys.may_open(purpose):
        raise NoKeyForPurpose(f"this service holds no key for the purpose {purpose}")


def _subject(event: Event) -> UUID:
    # The contract refuses an event class with sealed fields and no subject.
    subject_id: UUID = event.subject_id  # type: ignore[attr-defined]
    return subject_id


def _sealed_value(value: Any) -> tuple[SealedValue, bytes]:
    try:
        sealed = SealedValue.model_validate(value)
        return sealed, base64.b64decode(sealed.box, validate=True)
    except (ValidationError, ValueError):
        raise BoxBroken from None


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
