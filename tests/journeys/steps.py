"""Steps that journeys have in common, and what holds of every mail."""

import re
from html import unescape
from typing import Any

import httpx

from shared.kit.testing import eventually
from tests.support.builders import a_submission
from tests.support.received import Received
from tests.support.system import System

CLIENT = "maya.okafor-lind@example.com"
"""Where the client of `a_submission` is written to."""

TELLING = re.compile(
    r"depress|anxi|bipolar|bulimi|anorex|psych|therap|\bipt\b|mental|suicid|disorder|diagnos", re.I
)


async def mails_about(system: System, address: str, number: int) -> list[Received]:
    """Waits for so many mails to an address, and lets no further one pass unnoticed."""
    await eventually(lambda: len(system.mail.to(address)) >= number, within=60, what=f"{number} mails came")
    mails = system.mail.to(address)
    assert len(mails) == number
    return mails


async def acknowledged(system: System, address: str) -> None:
    """Waits for the thanks, as a decision that comes within a blink holds them back: they would be untrue."""
    await mails_about(system, address, 1)


def assert_proper(mail: Received) -> None:
    """One recipient, both forms, and not a word that gives anything away."""
    assert len(mail.recipients) == 1
    assert str(mail.message["To"]).count("@") == 1
    assert mail.message["Cc"] is None
    for text in (str(mail.message["Subject"]), mail.text, unescape(mail.html)):
        assert not TELLING.search(text), TELLING.findall(text)


async def confirm(system: System, review: httpx.AsyncClient, request_id: str, **more: Any) -> dict[str, Any]:
    """Confirms the first of the shortlist as a reviewer does; returns the case as it was shown."""
    case = await system.case(review, request_id, "ready")
    answer = await review.post(
        f"/api/v1/cases/{request_id}/confirm", json={"version": case["version"], **more}
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    return case


async def matched(
    system: System, intake: httpx.AsyncClient, review: httpx.AsyncClient
) -> tuple[str, dict[str, Any]]:
    """Takes a new request as far as a match of which everybody was told; returns its id and the case."""
    request_id = (await intake.post("/api/v1/requests", json=a_submission())).json()["request_id"]
    await acknowledged(system, CLIENT)
    await confirm(system, review, request_id)
    case = await system.case(review, request_id, "matched")
    await mails_about(system, CLIENT, 2)
    return request_id, case
