"""Everything dies in the middle of the work; afterwards nothing is lost, doubled or silent."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx

from shared.kit.testing import eventually
from tests.support.builders import a_submission
from tests.support.mail_server import Step
from tests.support.system import SERVICES, System

REQUESTS = 20
SENDERS = 4


def a_person(number: int) -> dict[str, Any]:
    """One of twenty people, told apart by their address."""
    person = a_submission(reference=f"NG-{number}")
    person["client"] = person["client"] | {"name": f"Person {number}", "email": f"p{number}@example.com"}
    return person


async def confirm(review: httpx.AsyncClient, request_id: str) -> bool:
    """Opens a case and confirms whoever is first; False until the seat is taken."""
    case = (await review.get(f"/api/v1/cases/{request_id}")).json()
    if case.get("state") == "matched":
        return True
    if case.get("state") == "ready":
        await review.post(f"/api/v1/cases/{request_id}/confirm", json={"version": case["version"]})
    return False


async def test_twenty_requests_survive_a_power_cut_in_the_middle(system: System) -> None:
    # One acknowledgement is cut after the final dot: whether it was taken is not to be known.
    system.mail.cut(Step.TAKEN, recipient="p3@example.com")
    accepted: dict[int, str] = {}

    async def send(number: int) -> None:
        async with system.at_intake() as intake:
            try:
                answer = await intake.post("/api/v1/requests", json=a_person(number))
            except httpx.TransportError:
                return
            if answer.status_code == httpx.codes.CREATED:
                accepted[number] = answer.json()["request_id"]

    await asyncio.gather(*(send(number) for number in range(8)))
    await eventually(lambda: len(system.mail.mails) >= 2, within=60, what="mails had begun to go out")
    sending = asyncio.gather(*(send(number) for number in range(8, REQUESTS)))
    await eventually(lambda: len(accepted) >= 12, within=30, what="it was in the middle of the work")
    await system.kill(*SERVICES)
    await sending
    promised = dict(accepted)
    await system.start(*SERVICES)
    # A partner who got no answer sends again; who got one and sends again changes nothing.
    await asyncio.gather(*(send(number) for number in range(REQUESTS)))

    assert len(accepted) == REQUESTS
    assert promised.items() <= accepted.items()
    requests = list(accepted.values())
    await _decide(system, requests[:8])
    # Once more, between decisions, seats and mails.
    deciding = asyncio.create_task(_decide(system, requests[8:12]))
    await eventually(lambda: len(system.mail.mails) >= REQUESTS + 8, within=90, what="matches were told")
    await system.kill(*SERVICES)
    with suppress(httpx.TransportError, AssertionError):
        await deciding
    await system.start(*SERVICES)
    await _decide(system, requests)
    await _every_message_has_its_word(system)

    taken = system.mail.accepted
    assert max(taken.values()) == 1, "no mail is accepted twice"
    messages = json.loads(await system.command("notify", "messages", "list", "--limit", "1000", "--json"))
    assert Counter(message["kind"] for message in messages) == {
        "acknowledgement": REQUESTS,
        "matched": REQUESTS,
        "referral": REQUESTS,
    }
    assert {message["status"] for message in messages} <= {"sent", "uncertain"}
    uncertain = [message for message in messages if message["status"] == "uncertain"]
    assert accepted[3] in {message["request_id"] for message in uncertain}
    # Only what was under way when the power went may be in doubt.
    assert len(uncertain) <= 2 * SENDERS + 1
    # What is said to be sent was taken, and what was not taken is not said to be sent.
    assert len(messages) - len(uncertain) <= len(taken) <= len(messages)


async def _decide(system: System, requests: Sequence[str]) -> None:
    async with await system.at_review() as review:
        for request_id in requests:

            async def decided(request_id: str = request_id) -> bool:
                return await confirm(review, request_id)

            await eventually(decided, within=90, every=0.2, what="the case could be decided")


async def _every_message_has_its_word(system: System) -> None:
    async def told() -> bool:
        seen = await system.streams.read("notify.messages")
        return len({event.document["message_id"] for event in seen}) == 3 * REQUESTS

    await eventually(told, within=240, every=1, what="the fate of every message was told")
