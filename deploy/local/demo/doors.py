"""The three doors, from outside: as another system, a browser and a partner's Kafka client use them."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
from aiokafka import AIOKafkaProducer

from deploy.local.demo.people import Asking, Door
from deploy.local.faults import StackFault
from shared.contract.submission import STREAM, TYPE


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was sent, and when; the request's id is known at once unless it was sent over Kafka."""

    asking: Asking
    at: datetime
    request_id: str | None = None
    event_id: str | None = None


class Doors:
    """Intake, as the world sees it."""

    def __init__(self, intake: str, kafka: str, partner_key: str, partner_source: str) -> None:
        self._intake = intake
        self._kafka = kafka
        self._key = partner_key
        self._source = partner_source

    async def submit(self, asking: Asking) -> Submitted:
        """Sends one request through its door."""
        match asking.door:
            case Door.API:
                return await self._by_api(asking)
            case Door.FORM:
                return await self._by_form(asking)
            case Door.KAFKA:
                return await self._by_kafka(asking)

    async def _by_api(self, asking: Asking) -> Submitted:
        async with httpx.AsyncClient(base_url=self._intake, timeout=30) as client:
            at = datetime.now(UTC)
            answer = await client.post(
                "/api/v1/requests",
                json=asking.document,
                headers={"authorization": f"Bearer {self._key}", "idempotency-key": str(uuid.uuid4())},
            )
        _require(answer, httpx.codes.CREATED, asking)
        return Submitted(asking, at, answer.json()["request_id"])

    async def _by_form(self, asking: Asking) -> Submitted:
        async with httpx.AsyncClient(base_url=self._intake, timeout=30) as browser:
            page = await browser.get("/request")
            _require(page, httpx.codes.OK, asking)
            filled = {**_hidden_fields(page.text), **asking.document}
            at = datetime.now(UTC)
            answer = await browser.post("/request", data=filled)
            _require(answer, httpx.codes.SEE_OTHER, asking)
            place = urlsplit(answer.headers["location"]).path
            _require(await browser.get(place), httpx.codes.OK, asking)
        return Submitted(asking, at, place.split("/")[2])

    async def _by_kafka(self, asking: Asking) -> Submitted:
        event_id = str(uuid.uuid4())
        producer = AIOKafkaProducer(bootstrap_servers=self._kafka, acks="all")
        await producer.start()
        try:
            at = datetime.now(UTC)
            await producer.send_and_wait(
                STREAM,
                value=json.dumps(asking.document).encode(),
                key=str(asking.document["reference"]).encode(),
                headers=[(name, value.encode()) for name, value in envelope(event_id, self._source).items()],
            )
        finally:
            await producer.stop()
        return Submitted(asking, at, event_id=event_id)


def envelope(event_id: str, source: str) -> dict[str, str]:
    """The headers of a partner's submission: CloudEvents in binary mode."""
    return {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_type": TYPE,
        "ce_source": source,
        "ce_time": datetime.now(UTC).isoformat(),
        "content-type": "application/json",
    }


def _require(answer: httpx.Response, status: int, asking: Asking) -> None:
    if answer.status_code != status:
        raise StackFault(
            f"“{asking.title}” was answered {answer.status_code} instead of {status} by {answer.url.path}: "
            f"{answer.text[:500]}"
        )


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.found[given["name"] or ""] = given.get("value") or ""


def _hidden_fields(page: str) -> dict[str, str]:
    parser = _Hidden()
    parser.feed(page)
    return parser.found
