"""The matching rules once more, as plainly as they can be said; reads the policy file and knows no engine."""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

from shared.places import LONDON

POLICY = tomllib.loads((Path(__file__).parents[2] / "services/matching/policy/2026-11.toml").read_text())
ROWS = [line.split(",") for line in LONDON.read_text().splitlines()[2:]]
PLACES = {outcode: (float(lat), float(lon)) for outcode, lat, lon, _ in ROWS}
ALSO = {"zh": {"zh", "yue", "cmn"}} | {code: {"no", "nb", "nn"} for code in ("no", "nb", "nn")}
Plain = dict[str, Any]
Answer = tuple[str, int, str, str, list[tuple[str, str, int]], int]
# fmt: off

def shortlist(case: Plain, directory: list[Plain], on: date, excluded: set[str], *, spoken_for: Plain,
              prices: Plain, waited_days: int = 0, size: int = POLICY["shortlist_size"]) -> list[Answer]:
    """The best, each once, and below whom each variant lacks: id, score, variant, mode, reasons, price."""
    age = (int(f"{on:%Y%m%d}") - int(case["date_of_birth"].replace("-", ""))) // 10_000
    credit = min(POLICY["prices"]["most_credit"], POLICY["prices"]["credit_per_week"] * waited_days // 7)
    answers: list[Answer] = []
    for t in directory:
        mode, left = how(case, t), t["free"] - spoken_for.get(t["id"], 0)
        for form in forms(case, age):
            if t["id"] not in excluded and left > 0 and mode and gates(case, t, form, age, on):
                reasons = [each for each in terms(case, t, form, mode, on) if each[2] > 0]
                score, price = sum(one[2] for one in reasons), max(0, prices.get(t["id"], 0) - credit)
                answers.append((t["id"], score, form["variant"], mode, reasons, price))
    answers.sort(key=lambda each: (each[5] - each[1], each[0]))
    listed = [each for n, each in enumerate(answers) if each[0] not in {a[0] for a in answers[:n]}][:size]
    for variant in [form["variant"] for form in forms(case, age)]:
        others = [each for each in answers if each[2] == variant and each[0] not in {a[0] for a in listed}]
        listed += others[:1] if variant not in {each[2] for each in listed} else []
    return sorted(listed, key=answers.index)

def forms(case: Plain, age: int) -> Iterator[Plain]:
    named, flags = set(case["conditions"]), {flag["kind"] for flag in case["flags"]}
    for variant in dict.fromkeys(form["variant"] for form in POLICY["forms"]):
        fitting = [
            form for form in POLICY["forms"]
            if form["variant"] == variant and case["therapy"] in ("either", form["school"])
            and (not form.get("only_for") or named & set(form["only_for"]))
            and form["ages"][0] <= age <= form["ages"][1] and not named & set(form.get("not_for", []))
            and case["format"] in [form["format"], *form.get("also_for", [])]
            and not ("attending_adult" in form.get("needs", []) and not case["attending_adult"])
            and not ("no_diagnosis" in form.get("needs", []) and case["diagnosed"])
            and not ("no_acute_flag" in form.get("needs", []) and flags & set(POLICY["acute_flags"]))
        ]
        yield from sorted(fitting, key=lambda form: form["format"] != case["format"])[:1]

def gates(case: Plain, t: Plain, form: Plain, age: int, on: date) -> bool:
    held = t["accreditations"].get(form["variant"])
    return bool(
        (t["registered_until"] or date.min) >= on and held and held["until"] >= on and held["route"] != "ksa"
        and any(span[0] <= age <= span[1] for span in map(POLICY["age_groups"].get, t["age_groups"]))
        and form["format"] in t["formats"] and any(met(case, t))
        and (case["max_fee_pence"] is None or t["fee"] <= case["max_fee_pence"])
        and all(has(t, wish) for wish in case["preferences"] if wish["strength"] == "must")
        and t["confirmed"] >= on - timedelta(days=POLICY["fresh_days"])
        and (t["free_from"] or on) <= on + timedelta(weeks=POLICY["latest_start_weeks"])
    )

def met(case: Plain, t: Plain) -> list[set[str]]:
    return [ALSO.get(c, {c}) & t["languages"] for c in {"bfi"} & set(case["languages"]) or case["languages"]]

def has(t: Plain, wish: Plain) -> bool:
    about = {"therapist_gender": {t["gender"]}, "approach": t["approaches"]}.get(wish["about"])
    return wish["about"] in t["affirming"] if about is None else wish["wish"] in about

def how(case: Plain, t: Plain) -> str | None:
    metres, limit = apart(case, t), (case["max_distance_km"] or POLICY["default_distance_km"]) * 1000
    if case["mode"] != "online" and "in_person" in t["modes"] and metres is not None and metres <= limit:
        return "in_person"
    return "online" if case["mode"] != "in_person" and "online" in t["modes"] else None

def apart(case: Plain, t: Plain) -> int | None:
    here, there = (PLACES.get((each["outcode"] or "").strip().upper()) for each in (case, t))
    if here is None or there is None:
        return None
    (a, b), (c, d) = here, there
    part = sin(radians(c - a) / 2) ** 2 + cos(radians(a)) * cos(radians(c)) * sin(radians(d - b) / 2) ** 2
    return round(2 * 6_371_008.8 * asin(sqrt(part)))

def terms(case: Plain, t: Plain, form: Plain, mode: str, on: date) -> Iterator[tuple[str, str, int]]:
    weights, caps, named = POLICY["weights"], POLICY["caps"], list(dict.fromkeys(case["conditions"]))
    areas = dict.fromkeys(case["problem_areas"], "details.problem_areas")
    hint = POLICY["life_events"].get(case["life_event"])
    areas |= {hint: areas.get(hint, "details.life_event")} if hint else {}
    for area in [each for each in areas if each in t["areas"]]:
        yield "problem_area", areas[area], weights["problem_area"] // len(areas)
    if known := [condition for condition in named if condition in t["conditions"]]:
        yield "condition", "details.conditions", weights["condition"] * len(known) // len(named)
    tiers = POLICY["evidence"][form["variant"]]
    tier = max((tiers[each]["tier"] for each in named or ["unnamed"]), key=list(weights["evidence"]).index)
    yield "evidence", "details.conditions", weights["evidence"][tier]
    yield "format", "details.format", weights["format"] * (form["format"] == case["format"])
    cap, cases = caps["experience_cases"], t["accreditations"][form["variant"]]["cases"]
    yield "experience", "details.therapy", weights["experience"] * min(cases, cap) // cap
    cap, shared = caps["shared_slots"], len(set(case["availability"]) & t["slots"])
    yield "availability", "details.availability", weights["availability"] * min(shared, cap) // cap
    for n, wish in enumerate(case["preferences"]):
        yield "preference", f"details.preferences.{n}", weights["preference"][wish["strength"]] * has(t, wish)
    yield "language", "details.languages", weights[f"{'preferred' if met(case, t)[0] else 'other'}_language"]
    if mode == "in_person":
        km, bands = (apart(case, t) or 0) / 1000, POLICY["distance_bands"]
        yield "distance", "details.outcode", next((b["points"] for b in bands if km <= b["up_to_km"]), 0)
    if limit := case["max_fee_pence"]:
        yield "fee", "details.max_fee_pence", weights["fee"] * (limit - t["fee"]) // limit
    cap, weeks = caps["wait_weeks"], max(0, ((t["free_from"] or on) - on).days) // 7
    yield "wait", "directory.free_from", weights["wait"] * max(0, cap - weeks) // cap
    yield "caseload", "directory.seats_free", weights["caseload"] * t["free"] // max(t["offered"], 1)
    rules, (closed, change) = POLICY["outcome"], t["outcomes"] or (0, 0)
    apart_from_mean = (change - rules["mean"]) * closed / (closed + rules["prior_cases"])
    far = closed >= rules["least_cases"] and abs(apart_from_mean) >= rules["margin"]
    tier = "average" if not far else "above" if apart_from_mean > 0 else "below"
    yield "outcome", "directory.outcome", rules["points"][tier] if rules["on"] else 0
