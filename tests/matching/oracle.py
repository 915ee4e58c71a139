"""The matching rules once more, as plainly as they can be said; reads the policy file and knows no engine."""

import csv
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

MATCHING = Path(__file__).parents[2] / "services" / "matching"
POLICY = tomllib.loads((MATCHING / "policy" / "2026-11.toml").read_text())
LINES = (MATCHING / "places" / "outcodes_london.csv").read_text().splitlines()
PLACES = {
    row["outcode"]: (float(row["lat"]), float(row["lon"]))
    for row in csv.DictReader(line for line in LINES if not line.startswith("#"))
}
RANK = ["strong", "moderate", "limited", "none_found"]
Plain = dict[str, Any]
Reason = tuple[str, str, int]
Answer = tuple[str, int, str, str, list[Reason]]


def shortlist(
    case: Plain,
    directory: list[Plain],
    on: date,
    excluded: set[str],
    *,
    spoken_for: Plain | None = None,
    prices: Plain | None = None,
    waited_days: int = 0,
) -> list[Answer]:
    """Who may be proposed, best first: id, score, variant, mode, and (term, field, points) of each reason."""
    born = date.fromisoformat(case["date_of_birth"])
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    answers = []
    for therapist in directory:
        best: Answer | None = None
        for form in forms(case, age):
            mode = how(case, therapist)
            left = therapist["free"] - (spoken_for or {}).get(therapist["id"], 0)
            barred = therapist["id"] in excluded or left < 1
            if not barred and mode and gates(case, therapist, form, age, on):
                reasons = [each for each in terms(case, therapist, form, mode) if each[2] > 0]
                total = sum(points for _, _, points in reasons)
                if best is None or total > best[1]:
                    best = (therapist["id"], total, form["variant"], mode, reasons)
        if best:
            answers.append(best)
    per_week, most = POLICY["prices"]["credit_per_week"], POLICY["prices"]["most_credit"]
    credit = min(most, per_week * waited_days // 7)
    counts = {each: max(0, price - credit) for each, price in (prices or {}).items()}
    return sorted(answers, key=lambda answer: (counts.get(answer[0], 0) - answer[1], answer[0]))


def forms(case: Plain, age: int) -> Iterator[Plain]:
    acute = any(flag["kind"] in POLICY["acute_flags"] for flag in case["flags"])
    named = set(case["conditions"])
    for variant in dict.fromkeys(form["variant"] for form in POLICY["forms"]):
        fitting = [
            form
            for form in POLICY["forms"]
            if form["variant"] == variant
            and case["therapy"] in ("either", form["school"])
            and form["ages"][0] <= age <= form["ages"][1]
            and (not form.get("only_for") or named & set(form["only_for"]))
            and not named & set(form.get("not_for", []))
            and case["format"] in [form["format"], *form.get("also_for", [])]
            and not ("attending_adult" in form.get("needs", []) and not case["attending_adult"])
            and not ("no_diagnosis" in form.get("needs", []) and case["diagnosed"])
            and not ("no_acute_flag" in form.get("needs", []) and acute)
        ]
        yield from sorted(fitting, key=lambda form: form["format"] != case["format"])[:1]


def gates(case: Plain, t: Plain, form: Plain, age: int, on: date) -> bool:
    held = t["accreditations"].get(form["variant"])
    return bool(
        t["registered_until"] and t["registered_until"] >= on
        and held and held["until"] >= on and held["route"] != "ksa"
        and any(span[0] <= age <= span[1] for span in map(POLICY["age_groups"].get, t["age_groups"]))
        and form["format"] in t["formats"]
        and set(case["languages"]) & t["languages"]
        and (case["max_fee_pence"] is None or t["fee"] <= case["max_fee_pence"])
        and all(has(t, wish) for wish in case["preferences"] if wish["strength"] == "must")
        and t["confirmed"] >= on - timedelta(days=POLICY["fresh_days"])
    )  # fmt: skip


def has(t: Plain, wish: Plain) -> bool:
    about = {"therapist_gender": {t["gender"]}, "approach": t["approaches"]}.get(wish["about"])
    return wish["about"] in t["affirming"] if about is None else wish["wish"] in about


def how(case: Plain, t: Plain) -> str | None:
    metres = apart(case, t)
    near = metres is not None and metres <= (case["max_distance_km"] or POLICY["default_distance_km"]) * 1000
    if case["mode"] != "online" and "in_person" in t["modes"] and near:
        return "in_person"
    return "online" if case["mode"] != "in_person" and "online" in t["modes"] else None


def apart(case: Plain, t: Plain) -> int | None:
    here, there = (PLACES.get((each["outcode"] or "").strip().upper()) for each in (case, t))
    if here is None or there is None:
        return None
    (a, b), (c, d) = here, there
    part = sin(radians(c - a) / 2) ** 2 + cos(radians(a)) * cos(radians(c)) * sin(radians(d - b) / 2) ** 2
    return round(2 * 6_371_008.8 * asin(sqrt(part)))


def terms(case: Plain, t: Plain, form: Plain, mode: str) -> Iterator[Reason]:
    weights, named = POLICY["weights"], list(dict.fromkeys(case["conditions"]))
    areas = [(area, "details.problem_areas") for area in dict.fromkeys(case["problem_areas"])]
    hint = POLICY["life_events"].get(case["life_event"])
    areas += [(hint, "details.life_event")] if hint and hint not in case["problem_areas"] else []
    for area, field in areas:
        if area in t["areas"]:
            yield "problem_area", field, weights["problem_area"] // len(areas)
    known = [condition for condition in named if condition in t["conditions"]]
    if known:
        yield "condition", "details.conditions", weights["condition"] * len(known) // len(named)
    tiers = POLICY["evidence"][form["variant"]]
    tier = min((tiers[each]["tier"] for each in named or ["unnamed"]), key=RANK.index)
    yield "evidence", "details.conditions" if named else "details.therapy", weights["evidence"][tier]
    cap, cases = POLICY["caps"]["experience_cases"], t["accreditations"][form["variant"]]["cases"]
    yield "experience", "details.therapy", weights["experience"] * min(cases, cap) // cap
    cap, shared = POLICY["caps"]["shared_slots"], len(set(case["availability"]) & t["slots"])
    yield "availability", "details.availability", weights["availability"] * min(shared, cap) // cap
    for place, wish in enumerate(case["preferences"]):
        if has(t, wish):
            yield "preference", f"details.preferences.{place}", weights["preference"][wish["strength"]]
    first = case["languages"][0] in t["languages"]
    yield "language", "details.languages", weights["preferred_language" if first else "other_language"]
    if mode == "in_person":
        bands = [
            band["points"]
            for band in POLICY["distance_bands"]
            if (apart(case, t) or 0) <= band["up_to_km"] * 1000
        ]
        yield "distance", "details.outcode", bands[0] if bands else 0
    if limit := case["max_fee_pence"]:
        yield "fee", "details.max_fee_pence", weights["fee"] * (limit - t["fee"]) // limit
    if t["offered"]:
        yield (
            "caseload",
            "directory.seats_free",
            weights["caseload"] * min(t["free"], t["offered"]) // t["offered"],
        )
