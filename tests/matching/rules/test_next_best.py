"""The next best: whom one gate alone keeps off the list, the same as the rules said plainly find."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from services.matching.domain.engine import Engine, Nearest, entry_of
from services.matching.domain.gates import Gate
from services.matching.domain.ranking import rank, search_for
from services.matching.domain.therapist import Gender, Route
from shared.contract.intake import Preference
from shared.contract.vocabulary import Format, Mode, PreferenceAbout, Strength, Variant
from tests.matching import oracle
from tests.matching.builders import (
    RULES,
    THE_DAY,
    a_registration,
    a_search,
    a_therapist,
    an_accreditation,
)
from tests.matching.random_matching import plain, random_case, random_therapist

LATEST = THE_DAY + timedelta(weeks=oracle.POLICY["latest_start_weeks"])
MUST_BE_A_WOMAN = Preference(about=PreferenceAbout.THERAPIST_GENDER, wish="woman", strength=Strength.MUST)


def barred_by(case: dict[str, Any], t: dict[str, Any], form: dict[str, Any], age: int) -> list[str]:
    """Every gate but that of exclusion and of seats spoken for, each tried alone."""
    held = t["accreditations"].get(form["variant"])
    by_ksa = held is not None and held["route"] == "ksa"
    ages = [oracle.POLICY["age_groups"][group] for group in t["age_groups"]]
    travels = case["mode"] != "online" and "in_person" in t["modes"]
    musts = [wish for wish in case["preferences"] if wish["strength"] == "must"]
    barred = {
        "registration": not by_ksa and (not t["registered_until"] or t["registered_until"] < THE_DAY),
        "private_practice": by_ksa,
        "accreditation": held is None or held["until"] < THE_DAY,
        "age_group": not any(low <= age <= high for low, high in ages),
        "format": form["format"] not in t["formats"],
        "language": not any(oracle.met(case, t)),
        "distance" if travels else "mode": oracle.how(case, t) is None,
        "fee": case["max_fee_pence"] is not None and t["fee"] > case["max_fee_pence"],
        "must_have": not all(oracle.has(t, wish) for wish in musts),
        "fresh": t["confirmed"] < THE_DAY - timedelta(days=oracle.POLICY["fresh_days"]),
        "start": bool(t["free_from"]) and t["free_from"] > LATEST,
        "seat": t["free"] < 1,
    }
    return [gate for gate, bars in barred.items() if bars]


def points(case: dict[str, Any], t: dict[str, Any], form: dict[str, Any], gate: str) -> int:
    """What a gate keeps from being so brings no points."""
    held = {form["variant"]: {"cases": 0}} | t["accreditations"]
    terms = oracle.terms(case, t | {"accreditations": held}, form, oracle.how(case, t) or "", THE_DAY)
    return sum(each for term, _, each in terms if term != gate)


def said_plainly(
    case: dict[str, Any], directory: list[dict[str, Any]], age: int
) -> tuple[str, str, str, int] | None:
    found = []
    for t in directory:
        ways = [(form, barred_by(case, t, form, age)) for form in oracle.forms(case, age)]
        if all(gates for _, gates in ways):
            found += [
                (-points(case, t, form, gates[0]), t["id"], place, form["variant"], gates[0])
                for place, (form, gates) in enumerate(ways)
                if len(gates) == 1
            ]
    if not found:
        return None
    score, identifier, _, variant, gate = min(found)
    return identifier, variant, gate, -score


def test_it_is_whom_the_rules_said_plainly_find() -> None:
    dice = Random(11)
    met: set[str] = set()

    for _ in range(100):
        therapists = [random_therapist(dice) for _ in range(20)]
        engine = Engine(RULES.policy, RULES.places, THE_DAY)
        engine.put([entry_of(each) for each in therapists])
        described = [plain(each) for each in therapists]
        for _ in range(30):
            search = search_for(random_case(dice), THE_DAY, RULES)
            nearest = engine.nearest(search)
            wanted = said_plainly(search.case.model_dump(mode="json"), described, search.age)

            assert told(nearest) == wanted
            met.update({wanted[2]} if wanted else ())

    assert met == {*Gate} - {Gate.EXCLUDED}


def told(nearest: Nearest | None) -> tuple[str, str, str, int] | None:
    if nearest is None:
        return None
    return str(nearest.therapist_id), str(nearest.variant), str(nearest.gate), nearest.score


@pytest.mark.parametrize(
    ("changes", "case", "gate"),
    [
        ({"seats_free": 0}, {}, Gate.SEAT),
        ({"fee_pence": 9_500}, {}, Gate.FEE),
        ({"languages": frozenset({"pl"})}, {}, Gate.LANGUAGE),
        ({"modes": frozenset({Mode.IN_PERSON})}, {}, Gate.MODE),
        ({"gender": Gender.MAN}, {"preferences": (MUST_BE_A_WOMAN,)}, Gate.MUST_HAVE),
        ({"confirmed_on": THE_DAY - timedelta(days=2_000)}, {}, Gate.FRESH),
        ({"free_from": THE_DAY + timedelta(days=2_000)}, {}, Gate.START),
        ({"formats": frozenset({Format.GROUP})}, {}, Gate.FORMAT),
        ({"registration": a_registration(expires_on=THE_DAY - timedelta(days=1))}, {}, Gate.REGISTRATION),
        ({"accreditations": (an_accreditation(Variant.IPT_A),)}, {}, Gate.ACCREDITATION),
        (
            {"registration": None, "accreditations": (an_accreditation(route=Route.KSA),)},
            {},
            Gate.PRIVATE_PRACTICE,
        ),
    ],
)
def test_one_gate_alone_is_named(changes: dict[str, Any], case: dict[str, Any], gate: Gate) -> None:
    kept_off = replace(a_therapist("ben"), **changes)

    found = rank(a_search(**case), [a_therapist("ada"), kept_off], RULES).next_best

    assert found is not None
    assert (found.therapist_id, found.gate, found.name) == (kept_off.id, gate, kept_off.name)


def test_of_who_is_free_too_late_it_is_said_from_when() -> None:
    late = a_therapist("ben", free_from=date(2031, 3, 1))

    found = rank(a_search(), [a_therapist("ada"), late], RULES).next_best

    assert found is not None
    assert found.text == "is not free until 1 March 2031"


def test_whoever_is_excluded_for_the_request_is_named_as_such() -> None:
    ada, ben = a_therapist("ada"), a_therapist("ben")

    found = rank(a_search(excluded={ben.id}), [ada, ben], RULES).next_best

    assert found is not None
    assert (found.therapist_id, found.gate) == (ben.id, Gate.EXCLUDED)


def test_nobody_is_named_whom_two_gates_keep_off_or_none() -> None:
    twice = a_therapist("ben", seats_free=0, fee_pence=9_500)

    assert rank(a_search(), [a_therapist("ada"), twice], RULES).next_best is None
