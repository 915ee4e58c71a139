"""The whole service on real Kafka and PostgreSQL: it hears, a person decides, it says so."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.review.app import build_app
from services.review.settings import Settings
from shared.contract.envelope import Envelope
from shared.contract.event import Event, RequestEvent
from shared.contract.review import MatchConfirmed
from shared.kit.identifiers import new_id
from shared.kit.keyring import Keyring
from shared.kit.keyring.sealing import open_event, seal_event
from shared.kit.service import Service
from shared.kit.testing import eventually
from tests.review.builders import REASON, Office, a_mail, case_url
from tests.support.builders import (
    a_case,
    a_confirmation,
    a_flag,
    a_proposal,
    a_request,
    a_seat,
    id_of,
)
from tests.support.streams import Seen, Streams

STREAMS = (
    "intake.requests",
    "matching.proposals",
    "notify.messages",
    "review.cases",
    "review.dead-letters",
)


@pytest.fixture
def streams(settings: Settings) -> Streams:
    """The topics of this test."""
    return Streams(settings.kafka_url, settings.kafka_topic_prefix)


@pytest.fixture
async def keyring(settings: Settings) -> AsyncIterator[Keyring]:
    """The keys that intake, matching and notify seal with."""
    async with await Keyring.open(settings) as keyring:
        yield keyring


@pytest.fixture
async def review(
    settings: Settings, create_topics: Callable[..., Awaitable[None]]
) -> AsyncIterator[httpx.AsyncClient]:
    """The running service, with a reviewer signed in."""
    await create_topics(STREAMS, partitions=2)
    app = build_app(settings)
    async with app.router.lifespan_context(app):
        service: Service = app.state.service
        # The office borrows the running service to hire somebody.
        office = Office(app, service, service.clock)  # type: ignore[arg-type]
        async with office.program() as bea:
            yield bea


async def tell(streams: Streams, keyring: Keyring, *events: tuple[Event, int]) -> None:
    """Puts events on their topics as their producers do: sealed, in their envelopes, counted."""
    for event, number in events:
        envelope = Envelope(
            id=new_id(),
            type=event.type,
            source="attune.tests",
            subject=str(event.key),
            time=datetime.now(UTC),
            aggregate_version=number,
        )
        record = (str(event.key).encode(), await seal_event(event, keyring), envelope.headers())
        await streams.send(event.stream, [record])


async def shown(client: httpx.AsyncClient, request: RequestEvent, **expected: object) -> dict[str, Any]:
    """The case, once it is as expected."""

    async def check() -> dict[str, Any]:
        case: dict[str, Any] = (await client.get(case_url(request))).json()
        assert {name: case.get(name) for name in expected} == expected
        return case

    return await eventually(check, within=30, what="the case")


async def test_a_case_is_built_from_the_streams_and_the_decision_goes_out_on_the_topic(
    review: httpx.AsyncClient, streams: Streams, keyring: Keyring
) -> None:
    request = a_request(details=a_case(flags=(a_flag(),)))
    proposal = a_proposal(request)

    # The shortlist and the mail come before the request that they are about.
    await tell(streams, keyring, (a_mail(request), 1), (proposal, 1), (request, 1))
    case = await shown(review, request, state="ready")
    fields = {"therapist_id": str(id_of("ben")), "reason": REASON, "flags_seen": True}
    answer = await review.post(case_url(request, "choose"), json={"version": case["version"], **fields})

    async def on_the_topic() -> list[Seen]:
        return [each for each in await streams.read("review.cases") if each.type == MatchConfirmed.type]

    [record] = await eventually(on_the_topic, within=30, what="the decision on the topic")
    said = await open_event(MatchConfirmed, record.document, keyring)
    assert isinstance(said, MatchConfirmed)
    assert answer.status_code == 200
    assert (said.therapist_id, said.overruled, said.reason) == (id_of("ben"), True, REASON)
    assert str(said.decision_id) == answer.json()["decision_id"]
    assert REASON.encode() not in (record.value or b"")

    await tell(streams, keyring, (a_seat(a_confirmation(proposal, "ben", decision_id=said.decision_id)), 2))
    matched = await shown(review, request, state="matched")
    assert matched["decision"]["therapist"] == "Therapist Ben"


async def test_a_redelivered_shortlist_is_heard_once(
    review: httpx.AsyncClient, streams: Streams, keyring: Keyring
) -> None:
    request = a_request()
    await tell(streams, keyring, (request, 1), (a_proposal(request), 1))
    await shown(review, request, state="ready", version=2)
    records = [
        (each.key, each.value, each.headers)
        for each in await streams.read("intake.requests", "matching.proposals")
    ]

    for stream, record in zip(("intake.requests", "matching.proposals"), records, strict=True):
        await streams.send(stream, [record, record])
    other = a_request(request_id=request.request_id, subject_id=request.subject_id)
    newer = a_proposal(other, "dev")
    await tell(streams, keyring, (newer, 2))

    case = await shown(review, request, first=str(id_of("dev")))
    assert case["version"] == 3
    assert [each["action"] for each in case["history"]] == ["submitted", "proposed", "proposed"]


async def test_the_service_is_ready_once_it_hears_and_says_so(review: httpx.AsyncClient) -> None:
    async def ready() -> bool:
        return (await review.get("/ready")).status_code == 200

    await eventually(ready, within=30, what="readiness")
    assert (await review.get("/live")).status_code == 200
    assert "attune" in (await review.get("/metrics")).text
