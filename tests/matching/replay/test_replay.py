"""The replay command as an operator runs it: what it tells, what it never tells, and how it ends."""

from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.matching.handlers import offer_to_waiting
from services.matching.settings import POLICY, Settings
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchProposed
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import Format, Mode, Slot, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.places import LONDON
from tests.matching.builders import a_therapist, an_accreditation
from tests.matching.commands import Command, Outcome, begun, ended
from tests.matching.random_matching import random_case, random_therapist
from tests.matching.recorded import (
    a_matcher,
    another_policy,
    hear,
    in_directory,
    made_again,
    recorded,
    rules_of,
)
from tests.support.builders import a_case, a_request
from tests.support.environment import environment

# Ada is near and busy, Ben far and free: who comes first depends on what the policy thinks of a caseload.
ADA = a_therapist("ada", outcode="E1", seats_offered=10, seats_free=1)
BEN = a_therapist("ben", outcode="E17", seats_offered=10, seats_free=10)
NEARBY = {"mode": Mode.IN_PERSON, "outcode": "E1"}


@pytest.fixture
def replay(settings: Settings) -> Command:
    """Runs `python -m services.matching replay …` on the databases of the test."""

    async def run(*arguments: str | Path, **changes: str) -> Outcome:
        return await ended(await begun(environment(settings) | changes, "replay", *arguments))

    return run


async def asked(database: Database, number: int, **case: Any) -> list[RequestSubmitted]:
    """So many people ask for the same, each by a request of their own."""
    matcher = a_matcher()
    requests = [a_request(details=a_case(**NEARBY | case)) for _ in range(number)]
    for request in requests:
        await hear(database, matcher, request)
    return requests


async def two_in_directory(database: Database) -> None:
    await in_directory(database, ADA, BEN)
    # Seats are taken by being taken; nine of these are.
    await database.pool.execute("UPDATE therapists SET seats_taken = 9 WHERE id = $1", ADA.id)


async def test_a_policy_that_thinks_more_of_free_seats_proposes_who_has_them(
    database: Database, replay: Command, tmp_path: Path
) -> None:
    await two_in_directory(database)
    requests = await asked(database, 12)
    tried = another_policy(tmp_path, caseload="caseload = 900")

    told = await replay("--since", "2026-11-24", "--policy", tried, "--json")
    cases = await replay("--since", "2026-11-24", "--policy", tried, "--json", "--cases")

    assert (told.code, cases.code) == (0, 0)
    totals = told.document["totals"]
    assert (totals["rankings"], totals["same_first"], totals["other_first"]) == (12, 0, 12)
    assert totals["new_score"] > totals["old_score"]
    assert totals["value_change"] < 0
    assert totals["km_change"] > 5
    assert totals["overlap"] == 1
    assert {row["group"] for row in told.document["groups"]["mode"]} == {"in person"}
    [row] = told.document["groups"]["area"]
    assert (row["group"], row["requests"], row["agreement"]) == ("East", 12, 0)
    assert row["value_change"] == totals["value_change"]
    assert {case["request"] for case in cases.document["cases"]} == {
        str(each.request_id) for each in requests
    }
    for case in cases.document["cases"]:
        assert case["old"]["first"] == str(ADA.id)
        assert case["new"]["first"] == str(BEN.id)
        assert case["new"]["value"] - case["old"]["value"] == totals["value_change"]
    assert "groups" not in cases.document


async def test_nothing_is_told_that_names_anybody(
    database: Database, replay: Command, tmp_path: Path
) -> None:
    await two_in_directory(database)
    await asked(database, 3)
    tried = another_policy(tmp_path, caseload="caseload = 900")

    said = ""
    for arguments in ([], ["--json"], ["--cases"], ["--cases", "--json"]):
        outcome = await replay("--since", "2026-11-24", "--policy", tried, *arguments)
        said += outcome.out + outcome.err

    assert str(ADA.id) in said
    for private in ("Sampleford", "1991", "depression", "E17", "Since the move", "@"):
        assert private not in said


async def test_the_same_record_gives_the_same_output(
    database: Database, replay: Command, tmp_path: Path, clock: MovableClock
) -> None:
    dice = Random(8)
    await in_directory(database, *[random_therapist(dice) for _ in range(30)])
    matcher = a_matcher()
    for _ in range(30):
        await hear(database, matcher, a_request(details=random_case(dice)))
        await offer_to_waiting(database, matcher)
        clock.move(timedelta(hours=5))
    tried = another_policy(tmp_path, experience="experience = 700", strong="strong = 500")

    outcomes = [
        await replay("--since", "2026-11-24", "--policy", tried, "--json", PYTHONHASHSEED=str(seed))
        for seed in (1, 2)
    ]
    texts = [await replay("--since", "2026-11-24", "--policy", tried, "--cases") for _ in range(2)]
    await replay("--since", "2026-11-24", "--policy", tried, "--json", "--output", tmp_path / "told.json")

    assert outcomes[0].code == 0
    assert outcomes[0].document["rankings"] == len(await recorded(database)) > 30
    assert outcomes[0].out == outcomes[1].out == (tmp_path / "told.json").read_text(encoding="utf-8")
    assert texts[0].out == texts[1].out
    assert await made_again(database, rules_of(tried)) == await made_again(database, rules_of(tried))


async def test_without_another_policy_the_record_is_checked(database: Database, replay: Command) -> None:
    await two_in_directory(database)
    await asked(database, 10)

    checked = await replay("--since", "2026-11-24", "--json")
    same = await replay("--since", "2026-11-24", "--policy", POLICY, "--json")

    assert (checked.code, checked.document["compared"], checked.document["differing"]) == (0, 10, [])
    assert "totals" not in checked.document
    assert (same.code, same.document["totals"]["agreement"]) == (0, 1)


async def test_a_ranking_that_differs_from_its_record_is_told_and_fails(
    database: Database, replay: Command
) -> None:
    await two_in_directory(database)
    await asked(database, 2)
    first, second = await recorded(database)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE therapist_history SET entry = entry || '{\"fee_pence\": 4000}' WHERE therapist_id = $1",
            ADA.id,
        )
        await tx.execute("UPDATE rankings SET own_to = 0 WHERE id = $1", second.id)

    outcome = await replay("--since", "2026-11-24", "--json")

    assert outcome.code == 3
    assert [each["ranking"] for each in outcome.document["differing"]] == [first.id, second.id]
    assert outcome.document["differing"][0]["recorded_first"] == str(ADA.id)
    assert "2 rankings differ from the record" in outcome.err


async def test_places_are_where_they_were(database: Database, replay: Command, tmp_path: Path) -> None:
    await two_in_directory(database)
    await asked(database, 2)
    tried, moved = another_policy(tmp_path, caseload="caseload = 900"), tmp_path / "moved.csv"
    lines = LONDON.read_text(encoding="utf-8").splitlines()
    lines = ["E1,57.5,-4.2,1000" if line.startswith("E1,") else line for line in lines]
    moved.write_text("\n".join(lines), encoding="utf-8")

    then = await replay("--since", "2026-11-24", "--policy", tried, "--json")
    now = await replay("--since", "2026-11-24", "--policy", tried, "--json", PLACES_FILE=str(moved))

    assert (then.code, now.code) == (0, 0)
    assert now.out == then.out


async def test_a_group_that_was_first_is_compared_and_counted_unless_it_is_not_on_record(
    database: Database, replay: Command, tmp_path: Path
) -> None:
    await in_directory(database, a_therapist("cleo", accreditations=(an_accreditation(Variant.IPT_AST),)))
    young = a_case(
        date_of_birth=date(2012, 1, 15),
        format=Format.GROUP,
        conditions=(),
        diagnosed=None,
        preferences=(),
        availability=(Slot.TUE_EVENING,),
    )
    [said] = [
        each
        for each in await hear(database, a_matcher(), a_request(details=young), a_request(details=young))
        if isinstance(each, MatchProposed)
    ][:1]
    assert opened(said.shortlist).candidates[0].group is not None

    tried = another_policy(tmp_path, caseload="caseload = 900")
    outcome = await replay("--since", "2026-11-24", "--policy", tried, "--json")

    await database.pool.execute("UPDATE rankings SET groups = NULL WHERE id = (SELECT max(id) FROM rankings)")
    not_kept = await replay("--since", "2026-11-24", "--policy", tried, "--json", "--cases")
    read = await replay("--since", "2026-11-24", "--policy", tried)

    assert outcome.code == 0
    counted = [outcome.document[name] for name in ("compared", "group_first", "groups_unknown")]
    assert counted == [2, "withheld", 0]
    counted = [not_kept.document[name] for name in ("compared", "group_first", "groups_unknown")]
    assert counted == [1, 1, 1]
    assert not_kept.document["totals"]["rankings"] == 1
    assert "left out, as the groups that they depend on are not on record: 1" in read.out


async def test_days_are_londons_and_both_ends_count(
    database: Database, replay: Command, clock: MovableClock
) -> None:
    await two_in_directory(database)
    for _ in range(3):
        await asked(database, 1)
        clock.move(timedelta(days=1))

    async def number(*span: str) -> int:
        found: int = (await replay(*span, "--json")).document["rankings"]
        return found

    assert await number("--since", "2026-11-25") == 2
    assert await number("--since", "2026-11-24", "--until", "2026-11-25") == 2
    assert await number("--since", "2026-11-27") == 0
    assert await number("--since", "2026-11-24", "--until", "9999-12-31") == 3


async def test_days_that_end_before_they_begin_are_refused(replay: Command) -> None:
    refused = await replay("--since", "2026-11-25", "--until", "2026-11-24", "--json")
    one_day = await replay("--since", "2026-11-25", "--until", "2026-11-25", "--json")

    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "--until 2026-11-24 is before --since 2026-11-25\n"
    assert one_day.code == 0


async def test_who_was_erased_is_skipped_and_counted(
    database: Database, replay: Command, tmp_path: Path
) -> None:
    await two_in_directory(database)
    [erased, _] = await asked(database, 2)
    await database.keys.destroy(erased.subject_id)  # type: ignore[attr-defined]
    tried = another_policy(tmp_path, caseload="caseload = 900")

    outcome = await replay("--since", "2026-11-24", "--policy", tried, "--json", "--cases")

    assert outcome.code == 0
    assert (outcome.document["rankings"], outcome.document["erased"]) == (2, 1)
    assert str(erased.request_id) not in outcome.out


async def test_a_policy_that_is_wrong_is_refused_with_its_line(replay: Command, tmp_path: Path) -> None:
    tried = another_policy(tmp_path, caseload="caseload = -1")
    line = 1 + tried.read_text(encoding="utf-8").splitlines().index("caseload = -1")

    outcome = await replay("--since", "2026-11-24", "--policy", tried)
    absent = await replay("--since", "2026-11-24", "--policy", tmp_path / "absent.toml")

    assert (outcome.code, absent.code) == (2, 2)
    assert f"line {line}, weights.caseload: " in outcome.err
    assert outcome.out == ""
    assert "cannot be read" in absent.err


async def test_a_record_under_a_policy_that_cannot_be_read_any_more_is_told(
    database: Database, replay: Command
) -> None:
    await two_in_directory(database)
    await asked(database, 1)
    async with database.transaction() as tx:
        await tx.execute("UPDATE policies SET file = 'version = 3'")

    outcome = await replay("--since", "2026-11-24", "--json")

    assert outcome.code == 3
    assert (outcome.document["unreadable"], outcome.document["compared"]) == (1, 0)


async def test_a_case_that_cannot_be_read_any_more_is_told(database: Database, replay: Command) -> None:
    await two_in_directory(database)
    [kept, _] = await asked(database, 2)
    async with database.transaction() as tx:
        older = await tx.seal(kept.subject_id, Purpose.CLINICAL, b"{}")
        await tx.execute("UPDATE requests SET details = $2 WHERE id = $1", kept.request_id, older)

    outcome = await replay("--since", "2026-11-24", "--json")

    assert outcome.code == 3
    assert (outcome.document["unreadable"], outcome.document["compared"]) == (1, 1)


async def test_help_teaches(replay: Command) -> None:
    outcome = await replay("--help")

    assert outcome.code == 0
    for word in ("--since", "--until", "--policy", "--cases", "--json", "--output", "Exit code", "Example"):
        assert word in " ".join(outcome.out.split())
