"""What operators are shown of a policy that is tried beside the live one, and that it is once it is set."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from deploy.local.processes import free_port
from services.matching import pages
from services.matching.app import build_app
from services.matching.domain.comparing import Book
from services.matching.handlers import Shadow
from services.matching.settings import Settings
from shared.contract.vocabulary import Mode
from shared.kit.database import Database
from shared.kit.errors import Fatal
from shared.kit.handlers import Provided
from shared.kit.keyring import Keyring
from shared.kit.service import streams_of
from shared.kit.testing import eventually
from tests.matching.builders import RULES
from tests.matching.recorded import a_matcher, another_policy, hear, in_directory
from tests.matching.replay.shadowed import ADA, ADA_FIRST, BEN
from tests.support.builders import a_case, a_request
from tests.support.environment import environment
from tests.support.processes import running
from tests.support.raw import raw
from tests.support.streams import Streams


async def seen_by_operators(book: Book, path: str) -> httpx.Response:
    """What matching's door answers, with the page alone behind it."""
    app = Starlette(routes=pages.routes())
    app.state.provided = Provided([pages.ShadowPage.of(book, RULES.policy.smallest_group)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://matching") as client:
        return await client.get(path)


async def test_the_page_tells_what_would_change_and_hides_the_few(
    database: Database, shadow: Shadow, book: Book
) -> None:
    online, in_person = a_case(), a_case(mode=Mode.IN_PERSON)
    await hear(database, a_matcher(), *[a_request(details=case) for case in [online] * 3 + [in_person] * 29])
    while await shadow.follow(database):
        pass
    await shadow.read(database)

    page = await seen_by_operators(book, "/shadow")
    told = (await seen_by_operators(book, "/shadow.json")).json()

    assert (told["live"], told["shadow"], told["behind"]) == (RULES.policy.version, "tried", 0)
    assert (told["totals"]["rankings"], told["totals"]["other_first"]) == (30, 30)
    assert told["totals"]["agreement"] == 0
    assert told["totals"]["overlap"] == 1
    assert told["groups"]["mode"] == [
        {"group": "in person", "requests": "withheld"},
        {"group": "online", "requests": "<10"},
    ]
    assert told["groups"]["condition"][0]["requests"] == 30
    assert page.status_code == 200
    for words in (
        "Policy tried beside 2026-11",
        "30 rankings of 30 requests",
        "before any group",
        "&lt;10",
        "withheld",
        "0%",
    ):
        assert words in page.text
    assert "<script" not in page.text
    for private in (
        *("Sampleford", "1991-03-14"),
        str(ADA.id),
        *(str(one.request_id) for one in book.comparisons),
    ):
        assert private not in page.text + json.dumps(told)


async def test_without_a_shadow_policy_the_page_says_how_to_set_one() -> None:
    book = Book(live=RULES.policy.version, shadow=None)

    page = await seen_by_operators(book, "/shadow")
    told = (await seen_by_operators(book, "/shadow.json")).json()

    assert "SHADOW_POLICY_FILE" in page.text
    assert told["shadow"] is None
    assert (await seen_by_operators(book, "/shadow.css")).headers["content-type"].startswith("text/css")


async def test_a_shadow_policy_that_is_wrong_is_refused_at_start(settings: Settings, tmp_path: Path) -> None:
    wrong = another_policy(tmp_path, caseload="caseload = -1")

    with pytest.raises(Fatal, match=r"SHADOW_POLICY_FILE .*\n  line \d+, weights.caseload"):
        build_app(settings.model_copy(update={"shadow_policy_file": wrong}))


async def test_the_service_compares_while_it_runs(
    settings: Settings,
    database: Database,
    create_topics: Callable[..., Awaitable[None]],
    tmp_path: Path,
) -> None:
    streams = Streams(settings.kafka_url, settings.kafka_topic_prefix)
    plan = build_app(settings).state.plan
    await create_topics(streams_of(plan), partitions=2)
    today = datetime.now(UTC).date()
    await in_directory(database, *(replace(each, confirmed_on=today) for each in (ADA, BEN)))
    tried = another_policy(tmp_path, problem_area=ADA_FIRST)
    port = free_port()
    wanted = settings.model_copy(update={"shadow_policy_file": tried, "http_port": port})

    async def answer(path: str) -> str:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            return (await client.get(path)).text

    async def compared() -> Any:
        told = json.loads(await answer("/shadow.json"))
        return told if told["totals"] else None

    async with (
        await Keyring.open(settings) as keyring,
        running("-m", "services.matching", "run", environment=environment(wanted)) as process,
    ):
        await eventually(lambda: "the service is up" in process.output, within=60, what="the service came up")
        requests = [await raw(a_request(), keyring) for _ in range(RULES.policy.smallest_group)]
        await streams.send("intake.requests", requests)
        told = await eventually(compared, within=60, what="rankings were compared")
        measures = await answer("/metrics")
        page = await answer("/shadow")

    assert told["totals"]["other_first"] == 10
    assert 'attune_shadow_rankings{first="other"} 10.0' in measures
    assert "attune_shadow_value_change -" in measures
    assert "10 rankings of 10 requests" in page
    assert "the shadow policy failed" not in process.output
