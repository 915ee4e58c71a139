"""What is sealed opens only where it belongs, for whom it is meant, and while its key exists."""

import asyncio
import base64
import json
from uuid import uuid4

import pytest

from shared.contract.intake import RequestSubmitted
from shared.contract.sealing import Purpose
from shared.kit.database import Database
from shared.kit.errors import Fatal, KeyDestroyed
from shared.kit.keyring import Keyring
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.keyring.sealing import open_event, seal_event
from shared.kit.settings import KitSettings
from tests.support.builders import a_request
from tests.support.keys import Counted


async def test_a_sealed_event_holds_nothing_of_the_person(database: Database) -> None:
    request = a_request()

    wire = await seal_event(request, database.keys)

    document = json.loads(wire)
    boxes = [base64.b64decode(value.pop("box")) for value in document.values() if isinstance(value, dict)]
    in_clear = json.dumps(document).replace(str(request.request_id), "")
    assert len(boxes) == 2
    for secret in ("Maya", "okafor", "1991-03-14", "E1", "move", "depression", "020 7946"):
        assert secret not in in_clear
    # Short words turn up in random bytes by chance; these do not.
    for words in (b"Maya Okafor", b"date_of_birth", b"depression", b"020 7946"):
        assert not any(words in box for box in boxes)
    assert await open_event(RequestSubmitted, json.loads(wire), database.keys) == request


async def test_a_service_without_the_clinical_key_sees_contact_fields_only(
    database: Database, settings: KitSettings
) -> None:
    request = a_request()
    wire = json.loads(await seal_event(request, database.keys))

    async with await Keyring.open(settings.model_copy(update={"sealing_key_clinical": None})) as notify:
        event = await open_event(RequestSubmitted, wire, notify)

    assert isinstance(event, RequestSubmitted)
    assert event.contact == request.contact
    assert event.details is None


async def test_a_box_moved_to_another_request_does_not_open(database: Database) -> None:
    request = a_request()
    wire = json.loads(await seal_event(request, database.keys))

    with pytest.raises(BoxBroken):
        await open_event(RequestSubmitted, wire | {"request_id": str(uuid4())}, database.keys)


async def test_a_box_moved_to_another_field_does_not_open(database: Database) -> None:
    wire = json.loads(await seal_event(a_request(), database.keys))

    with pytest.raises(BoxBroken):
        await open_event(RequestSubmitted, wire | {"contact": wire["details"]}, database.keys)


async def test_after_erasure_nothing_opens_and_nothing_new_is_sealed(
    database: Database, keyring: Keyring
) -> None:
    request = a_request()
    wire = json.loads(await seal_event(request, database.keys))

    await keyring.destroy(request.subject_id)

    with pytest.raises(KeyDestroyed):
        await open_event(RequestSubmitted, wire, keyring)
    with pytest.raises(KeyDestroyed):
        await seal_event(request, keyring)


async def test_many_who_seal_for_a_new_person_at_once_share_one_key(
    database: Database, settings: KitSettings
) -> None:
    subject_id = uuid4()
    rings = [await Keyring.open(settings) for _ in range(6)]
    try:
        keys = await asyncio.gather(*(ring.key_for(Purpose.CONTACT, subject_id) for ring in rings))
    finally:
        for ring in rings:
            await ring.close()

    assert len({key.kid for key in keys}) == 1
    assert len({key.secret for key in keys}) == 1


async def test_many_columns_are_opened_at_once_and_one_that_does_not_open_loses_none_of_the_others(
    database: Database,
) -> None:
    people = [uuid4() for _ in range(4)]
    erased, *others = people
    async with database.transaction() as tx:
        sealed = [await tx.seal(each, Purpose.CLINICAL, each.bytes) for each in people]
        sealed.append(await tx.seal(people[1], Purpose.CONTACT, b"a name"))
    assert isinstance(database.keys, Keyring)
    await database.keys.destroy(erased)
    altered = bytearray(sealed[1])
    altered[-1] ^= 1
    unknown = sealed[2][:2] + uuid4().bytes + sealed[2][18:]

    async with database.transaction() as tx:
        opened = await tx.open_all([*sealed, bytes(altered), unknown, b"", b"x" * 60])
        nothing = await tx.open_all([])

    assert isinstance(opened[0], KeyDestroyed)
    assert opened[1:5] == [*(each.bytes for each in others), b"a name"]
    assert [type(each) for each in opened[5:]] == [BoxBroken] * 4
    assert nothing == []


async def test_the_keys_of_many_are_asked_for_in_one_look(database: Database) -> None:
    async with database.transaction() as tx:
        sealed = [await tx.seal(uuid4(), Purpose.CLINICAL, b"words") for _ in range(20)]
    keys = Counted(database.keys)
    counting = Database(database.pool, service="test", keys=keys)

    async with counting.transaction() as tx:
        opened = await tx.open_all(sealed)

    assert opened == [b"words"] * 20
    assert (keys.single, keys.looks) == (0, 1)


async def test_a_column_is_sealed_and_opened_within_a_transaction(
    database: Database, keyring: Keyring
) -> None:
    subject_id = uuid4()

    async with database.transaction() as tx:
        sealed = await tx.seal(subject_id, Purpose.CLINICAL, b"in confidence")
        assert await tx.open(sealed) == b"in confidence"
    await keyring.destroy(subject_id)

    assert b"confidence" not in sealed
    async with database.transaction() as tx:
        tx.keys = keyring
        assert await tx.open(sealed) is None


async def test_the_wrong_sealing_key_is_found_at_start(database: Database, settings: KitSettings) -> None:
    await database.keys.key_for(Purpose.CONTACT, uuid4())
    wrong = settings.model_copy(update={"sealing_key_contact": settings.sealing_key_clinical})

    async with await Keyring.open(wrong) as keyring:
        with pytest.raises(Fatal, match="SEALING_KEY_CONTACT does not fit the keyring"):
            await keyring.check()


def test_a_key_never_shows_its_secret() -> None:
    from shared.kit.keyring.keyring import DataKey

    assert "topsecret" not in repr(DataKey(uuid4(), b"topsecret"))
