"""What others hear of the directory: every change, once and in order, and nothing else."""

import asyncio
import json
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.directory_feed import news, public_entry
from services.matching.domain.therapist import Therapist
from services.matching.settings import Settings
from shared.contract.envelope import Envelope
from shared.contract.intake import RequestWithdrawn, WithdrawalReason
from shared.contract.matching import DIRECTORY, DirectoryEntry, TherapistChanged, TherapistListed
from shared.kit.database import Database
from shared.kit.identifiers import new_id
from shared.kit.testing import eventually, recording
from shared.kit.tracing import current
from tests.matching.builders import a_registration, a_therapist, an_accreditation
from tests.matching.seated import a_request_with_a_seat
from tests.support.environment import environment
from tests.support.processes import running
from tests.support.streams import Seen, Streams

ADA = a_therapist("ada")
RELAY = ("-m", "tests.support.relay")


def changed(now: Therapist) -> tuple[str, ...]:
    said = news(ADA, now)
    assert isinstance(said, TherapistChanged)
    assert said.entry == public_entry(now)
    return said.changed


def test_a_new_entry_is_listed_without_the_e_mail_address() -> None:
    said = news(None, ADA)

    assert isinstance(said, TherapistListed)
    assert said.therapist_id == ADA.id
    assert "@" not in said.model_dump_json()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"fee_pence": 9000}, ("fee_pence",)),
        ({"seats_free": 3}, ("seats_free",)),
        ({"languages": frozenset({"en", "pl"}), "outcode": "N1"}, ("outcode", "languages")),
        ({"registration": None}, ("registration",)),
        ({"registration": a_registration(number="SYN1")}, ("registration",)),
        ({"accreditations": (an_accreditation(cases=21),)}, ("accreditations",)),
        ({"confirmed_on": ADA.confirmed_on + timedelta(days=1)}, ("confirmed_on",)),
        ({"email": "new@therapists.example", "name": "Ada Renamed"}, ("name",)),
    ],
)
def test_a_change_names_the_fields_and_brings_the_whole_entry(
    change: dict[str, Any], fields: tuple[str, ...]
) -> None:
    assert changed(replace(ADA, **change)) == fields


def test_nothing_is_said_of_an_entry_that_is_the_same_to_others() -> None:
    assert news(ADA, ADA) is None
    assert news(ADA, replace(ADA, email="new@therapists.example")) is None


def test_every_field_of_an_entry_but_the_address_and_outcomes_is_published() -> None:
    # Nobody outside is to make a league table of therapists.
    published = set(DirectoryEntry.model_fields) | {"id", "email", "outcomes"}

    assert published == set(Therapist.__dataclass_fields__)


async def test_saving_says_what_is_new_and_what_has_changed_and_no_more(database: Database) -> None:
    ben, cai = a_therapist("ben"), a_therapist("cai")
    async with database.transaction() as tx:
        await store.save_therapists(tx, [ADA, ben])
    async with recording(database) as later:
        await store.save_therapists(later, [ADA, replace(ben, fee_pence=1), cai])

    assert [(type(each), each.key) for each in later.published] == [
        (TherapistChanged, ben.id),
        (TherapistListed, cai.id),
    ]


async def test_a_seat_taken_or_freed_is_said_as_it_is_then(database: Database) -> None:
    async with database.transaction() as tx:
        await store.save_therapist(tx, replace(ADA, seats_offered=2))
    request_id = await a_request_with_a_seat(database, ADA)

    async with recording(database) as tx:
        await store.free_seat(tx, request_id, "test")
        await store.free_seat(tx, request_id, "test")

    [said] = tx.published
    assert isinstance(said, TherapistChanged)
    assert (said.changed, said.entry.seats_free) == (("seats_free",), 2)


async def test_a_seat_that_no_longer_exists_is_given_back_in_silence(database: Database) -> None:
    async with database.transaction() as tx:
        await store.save_therapist(tx, replace(ADA, seats_offered=1))
    request_id = await a_request_with_a_seat(database, ADA)
    async with database.transaction() as tx:
        await store.save_therapist(tx, replace(ADA, seats_offered=0))

    async with recording(database) as tx:
        assert await store.free_seat(tx, request_id, "test")

    assert tx.published == []


async def test_who_hears_the_directory_does_not_learn_whose_seat_it_was(database: Database) -> None:
    async with database.transaction() as tx:
        await store.save_therapist(tx, ADA)
    request_id = await a_request_with_a_seat(database, ADA)
    withdrawal = Envelope(
        id=new_id(),
        type=RequestWithdrawn.type,
        source="/attune/intake",
        subject=str(request_id),
        time=datetime.now(UTC),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    await database.pool.execute("DELETE FROM outbox")
    trace = current.set("00-11111111111111111111111111111111-2222222222222222-01")
    try:
        async with database.transaction(withdrawal) as tx:
            assert await store.free_seat(tx, request_id, "test")
            await tx.publish(RequestWithdrawn(request_id=request_id, reason=WithdrawalReason.PARTNER_ASKED))
    finally:
        current.reset(trace)

    of_directory, of_request = [
        {name.decode(): value.decode() for name, value in zip(*row, strict=True)}
        for row in await database.pool.fetch(
            "SELECT header_names, header_values FROM outbox ORDER BY stream = $1 DESC", DIRECTORY
        )
    ]
    said = " ".join(of_directory.values())
    for secret in ("0af7651916cd43dd8448eb211c80319c", "1" * 32, str(withdrawal.id), str(request_id)):
        assert secret not in said
    assert "ce_causationid" not in of_directory
    # What is said of the request does tell: the cause is there to be told.
    assert of_request["ce_causationid"] == str(withdrawal.id)
    assert "0af7651916cd43dd8448eb211c80319c" in of_request["traceparent"]


async def test_a_change_that_is_undone_is_not_said(database: Database) -> None:
    async def save_and_fail() -> None:
        async with database.transaction() as tx:
            await store.save_therapist(tx, ADA)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await save_and_fail()

    assert await database.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_reader_of_the_stream_has_the_directory_though_the_relay_is_killed_on_the_way(
    database: Database,
    settings: Settings,
    create_topics: Callable[..., Awaitable[None]],
    topic_prefix: str,
) -> None:
    await create_topics([DIRECTORY])
    names = ("ada", "ben", "cai", "dara")
    dice = random.Random(7)

    async def work(name: str) -> None:
        therapist = a_therapist(name, seats_offered=3)
        async with database.transaction() as tx:
            await store.save_therapist(tx, therapist)
        for _ in range(6):
            request_id = await a_request_with_a_seat(database, therapist)
            async with database.transaction() as tx:
                await store.save_therapist(tx, replace(therapist, fee_pence=dice.randrange(1, 20_000)))
            async with database.transaction() as tx:
                await store.free_seat(tx, request_id, "test")

    # Twice each, side by side: rows of one therapist are changed from two places at once.
    await asyncio.gather(*(work(name) for name in names * 2))
    told = environment(settings)
    async with running(*RELAY, environment=told | {"ATTUNE_FAILPOINT": "relay.after_send"}) as killed:
        assert await killed.ended() == -signal.SIGKILL
    async with running(*RELAY, environment=told):
        await eventually(lambda: _drained(database), within=60, what="the outbox was drained")

    records = await Streams(settings.kafka_url, topic_prefix).read(DIRECTORY)
    once = {record.event_id: record for record in records}
    assert len(records) > len(once)
    async with database.transaction() as tx:
        for therapist in await store.therapists(tx):
            about = [each for each in once.values() if each.key == str(therapist.id).encode()]
            assert [each.version for each in about] == list(range(1, len(about) + 1))
            assert [each.type for each in about].count(TherapistListed.type) == 1
            assert about[0].type == TherapistListed.type
            assert _entry(about[-1]) == public_entry(therapist)
            # Each says how many seats are free after it: never two steps at once.
            free = [_entry(each).seats_free for each in about]
            assert all(abs(one - other) <= 1 for one, other in pairwise(free))
            assert {2, 3} <= set(free)


async def _drained(database: Database) -> bool:
    return not await database.pool.fetchval("SELECT count(*) FROM outbox")


def _entry(record: Seen) -> DirectoryEntry:
    return DirectoryEntry.model_validate_json(json.dumps(record.document["entry"]))
