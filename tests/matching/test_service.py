"""The whole service as a process, on real Kafka: what goes in and what comes out."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local.processes import free_port
from services.matching import store
from services.matching.settings import POLICY, Settings
from shared.contract.ids import RequestId
from shared.contract.matching import MatchNotFound, MatchProposed, SeatReserved
from shared.contract.sealing import opened
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.keyring.sealing import open_event
from shared.kit.testing import eventually
from tests.matching.builders import a_therapist
from tests.support.builders import a_case, a_confirmation, a_request
from tests.support.environment import environment
from tests.support.processes import Process, running
from tests.support.raw import raw
from tests.support.streams import Seen, Streams

REQUESTS, CASES, PROPOSALS = "intake.requests", "review.cases", "matching.proposals"
DIRECTORY = "matching.directory"
MATCHING = ("-m", "services.matching", "run")

SAID = {event.type: event for event in (MatchProposed, MatchNotFound, SeatReserved)}


@pytest.fixture
async def keyring(settings: Settings, database: Database) -> AsyncIterator[Keyring]:
    """What the other services hold: the keys to seal for matching and to open what it says."""
    async with await Keyring.open(settings) as keyring:
        yield keyring


@pytest.fixture
async def streams(settings: Settings, create_topics: Callable[..., Awaitable[None]]) -> Streams:
    await create_topics([REQUESTS, CASES, PROPOSALS, DIRECTORY, "matching.dead-letters"], partitions=2)
    return Streams(settings.kafka_url, settings.kafka_topic_prefix)


async def up(process: Process) -> None:
    await eventually(lambda: "the service is up" in process.output, within=60, what="the service came up")


async def said_about(streams: Streams, request_id: RequestId, count: int) -> list[Seen]:
    async def enough() -> list[Seen]:
        seen = [each for each in await streams.read(PROPOSALS) if each.key == str(request_id).encode()]
        return seen if len(seen) >= count else []

    return await eventually(enough, within=60, what=f"{count} answers")


async def in_directory(database: Database, name: str) -> None:
    async with database.transaction() as tx:
        await store.save_therapist(tx, a_therapist(name, confirmed_on=datetime.now(UTC).date()))
        await store.want_reoffer(tx, "test")


async def test_a_request_becomes_a_shortlist_and_a_decision_a_seat(
    settings: Settings, database: Database, keyring: Keyring, streams: Streams
) -> None:
    await in_directory(database, "ada")
    request = a_request()

    async with running(*MATCHING, environment=environment(settings)) as process:
        await up(process)
        await streams.send(REQUESTS, [await raw(request, keyring)])
        [first] = await said_about(streams, request.request_id, 1)
        proposal = await open_event(SAID[first.type], first.document, keyring)
        assert isinstance(proposal, MatchProposed)
        decision = a_confirmation(proposal)
        await streams.send(CASES, [await raw(decision, keyring)])
        _, second = await said_about(streams, request.request_id, 2)
        seat = await open_event(SAID[second.type], second.document, keyring)
        process.send(signal.SIGTERM)
        assert await process.ended() == 0

    [candidate] = opened(proposal.shortlist).candidates
    assert candidate.name == "Ada Sampleford"
    assert isinstance(seat, SeatReserved)
    assert (seat.decision_id, seat.decided_by) == (decision.decision_id, decision.decided_by)
    assert (first.version, second.version) == (1, 2)
    assert b"Sampleford" not in (first.value or b"") + (second.value or b"")
    for private in ("1991-03-14", "Sampleford", "depression"):
        assert private not in process.output


async def test_a_decision_that_overtakes_its_request_is_carried_out_once_that_has_come(
    settings: Settings, database: Database, keyring: Keyring, streams: Streams
) -> None:
    early, late = a_request(), a_request(details=a_case(languages=("cy",)))
    await in_directory(database, "ada")

    async with running(*MATCHING, environment=environment(settings)) as process:
        await up(process)
        await streams.send(REQUESTS, [await raw(early, keyring)])
        [first] = await said_about(streams, early.request_id, 1)
        proposal = await open_event(SAID[first.type], first.document, keyring)
        assert isinstance(proposal, MatchProposed)
        of_late = a_confirmation(proposal).model_copy(
            update={"request_id": late.request_id, "subject_id": late.subject_id}
        )
        await streams.send(CASES, [await raw(of_late, keyring)])
        await streams.send(REQUESTS, [await raw(late, keyring)])
        seen = await said_about(streams, late.request_id, 2)

    assert [each.type for each in seen] == [
        "attune.matching.match-not-found.v1",
        "attune.matching.seat-unavailable.v1",
    ]


async def test_who_waits_is_offered_a_therapist_who_comes_later(
    settings: Settings, database: Database, keyring: Keyring, streams: Streams
) -> None:
    request = a_request()

    async with running(*MATCHING, environment=environment(settings)) as process:
        await up(process)
        await streams.send(REQUESTS, [await raw(request, keyring)])
        await said_about(streams, request.request_id, 1)
        await in_directory(database, "ada")
        seen = await said_about(streams, request.request_id, 2)

    assert [each.type for each in seen] == [
        "attune.matching.match-not-found.v1",
        "attune.matching.match-proposed.v1",
    ]


async def test_a_wrong_policy_keeps_the_service_from_starting(settings: Settings, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.read_text(encoding="utf-8").replace("fresh_days = 120", "fresh_days = 0"))
    wrong = environment(settings) | {"POLICY_FILE": str(policy), "HTTP_PORT": str(free_port())}

    async with running(*MATCHING, environment=wrong) as process:
        assert await process.ended() == 2

    assert "fresh_days: Input should be greater than or equal to 1" in process.output
    assert "Traceback" not in process.output
