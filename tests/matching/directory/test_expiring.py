"""Who drops out of the directory is told before it happens, to the day."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.gates import Fit, check
from services.matching.domain.pathways import pathways_of
from services.matching.domain.therapist import Route, Therapist
from services.matching.handlers import Expiring, count
from services.matching.settings import Settings
from services.matching.store import Expiry, What
from shared.ages import day_in_london
from shared.contract.vocabulary import Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.service import Service
from tests.matching.builders import (
    RULES,
    THE_DAY,
    a_registration,
    a_search,
    a_therapist,
    an_accreditation,
)
from tests.matching.commands import Command, saved
from tests.matching.gathering import in_directory
from tests.matching.processes import a_service

FRESH = RULES.policy.fresh_days
DAYS = [timedelta(days=days) for days in (-1, 0, 1)]
ADA = a_therapist("ada", accreditations=(an_accreditation(),))


def until(what: What, last_day: Any) -> Therapist:
    """Somebody one thing of whom counts until a day, and all else for years."""
    match what:
        case What.CONFIRMATION:
            return replace(ADA, confirmed_on=last_day - timedelta(days=FRESH))
        case What.REGISTRATION:
            return replace(ADA, registration=a_registration(expires_on=last_day))
        case What.ACCREDITATION:
            return replace(ADA, accreditations=(an_accreditation(expires_on=last_day),))


async def found(database: Database, on: Any = THE_DAY) -> list[Expiry]:
    async with database.transaction() as tx:
        return await store.expiring(tx, on, FRESH)


def numbers(service: Service) -> dict[tuple[str, str], float]:
    samples = next(
        each for each in service.metrics.collect() if each.name == "attune_directory_expiring"
    ).samples
    return {(each.labels["what"], each.labels["when"]): each.value for each in samples if each.value}


@pytest.mark.parametrize("what", What)
@pytest.mark.parametrize("beside", DAYS, ids=["the day before", "that day", "the day after"])
async def test_it_is_told_on_the_very_day_from_which_the_gates_keep_somebody_off(
    database: Database, what: What, beside: timedelta
) -> None:
    entry = until(what, THE_DAY + beside)
    await in_directory(database, entry)

    search = a_search()
    fitting = pathways_of(search.case, search.on, RULES.policy).fitting
    [pathway] = [each for each in fitting if each.variant is Variant.IPT]
    fits = isinstance(check(search, pathway, entry, RULES.policy, RULES.places), Fit)

    assert [each.what for each in await found(database)] == ([] if fits else [what])


async def test_what_runs_out_first_is_told_first(database: Database) -> None:
    later = until(What.REGISTRATION, THE_DAY + timedelta(days=3))
    sooner = replace(until(What.ACCREDITATION, THE_DAY), id=a_therapist("ben").id)
    await in_directory(database, later, sooner)

    told = await found(database, THE_DAY + timedelta(days=4))

    assert [(each.therapist_id, each.what, each.variant) for each in told] == [
        (sooner.id, What.ACCREDITATION, Variant.IPT),
        (later.id, What.REGISTRATION, None),
    ]
    assert await found(database, THE_DAY) == []


@pytest.mark.parametrize(
    "entry",
    [
        replace(until(What.REGISTRATION, THE_DAY - timedelta(days=1)), seats_offered=0, seats_free=0),
        replace(
            ADA,
            accreditations=(an_accreditation(route=Route.KSA, expires_on=THE_DAY - timedelta(days=1)),),
        ),
    ],
    ids=["who has left", "the KSA route"],
)
async def test_nothing_is_told_of_whom_nothing_is_expected(database: Database, entry: Therapist) -> None:
    await in_directory(database, entry)

    assert await found(database) == []


async def test_operators_see_how_many_and_whether_it_is_too_late(
    database: Database, settings: Settings, clock: MovableClock
) -> None:
    service = a_service(database, settings)
    expiring = Expiring(service.metrics)
    await in_directory(database, until(What.REGISTRATION, THE_DAY + timedelta(days=13)))
    await count(database, expiring, FRESH)
    soon = numbers(service)
    clock.move(timedelta(days=14))
    await count(database, expiring, FRESH)
    over = numbers(service)
    await in_directory(database, replace(ADA, confirmed_on=clock.now().date()))
    await count(database, expiring, FRESH)

    assert soon == {("registration", "soon"): 1}
    assert over == {("registration", "over"): 1}
    assert numbers(service) == {}


async def test_the_command_tells_operators_whom_to_ask(therapists: Command, tmp_path: Path) -> None:
    today = day_in_london(datetime.now(UTC))
    entry = replace(until(What.REGISTRATION, today + timedelta(days=5)), confirmed_on=today)
    gone = replace(until(What.REGISTRATION, today - timedelta(days=2)), confirmed_on=today)
    gone = replace(gone, id=a_therapist("ben").id, name="Ben Sampleford")
    await therapists("import", saved(tmp_path / "file.csv", entry, gone))

    both = await therapists("expiring")
    asked = (await therapists("expiring", "--json")).document
    late = (await therapists("expiring", "--within", "0", "--json")).document
    wrong = await therapists("expiring", "--within", "-1")

    for part in ("has run out", "in 5 days", "registration", "Ben Sampleford", str(entry.id)):
        assert part in both.out
    # A heading, and each of them whole on a line of their own.
    assert len(both.out.splitlines()) == 3
    assert ids(asked) == [str(gone.id), str(entry.id)]
    assert [each["has_run_out"] for each in asked] == [True, False]
    assert ids(late) == [str(gone.id)]
    assert wrong.code == 2


async def test_the_command_says_when_nothing_runs_out(therapists: Command, tmp_path: Path) -> None:
    today = day_in_london(datetime.now(UTC))
    await therapists("import", saved(tmp_path / "file.csv", replace(ADA, confirmed_on=today)))

    assert "nothing runs out within 14 days" in (await therapists("expiring")).out
    assert "nothing has run out" in (await therapists("expiring", "--within", "0")).out


def ids(told: Iterable[Any]) -> list[str]:
    return [each["id"] for each in told]
