"""How well a therapist fits: whole points per term, each with the field of the request that it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.matching.domain.gates import Fit, Search, meets
from services.matching.domain.outcomes import points_of, tier_of
from services.matching.domain.policy import Policy
from shared.contract.vocabulary import Mode


class Term(StrEnum):
    """The parts of a score."""

    PROBLEM_AREA = "problem_area"
    CONDITION = "condition"
    EVIDENCE = "evidence"
    FORMAT = "format"
    EXPERIENCE = "experience"
    AVAILABILITY = "availability"
    PREFERENCE = "preference"
    LANGUAGE = "language"
    DISTANCE = "distance"
    FEE = "fee"
    WAIT = "wait"
    CASELOAD = "caseload"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Scored:
    """Points for one term; `on` are the words of the contract that they stand on."""

    term: Term
    field: str
    points: int
    on: tuple[str, ...] = ()


def score(search: Search, fit: Fit, policy: Policy) -> tuple[Scored, ...]:
    """The terms that bring points, in the order in which they are read."""
    return tuple(scored for scored in _terms(search, fit, policy) if scored.points > 0)


def points_for_times(number: int, policy: Policy) -> int:
    """What so many times in common bring."""
    most = policy.caps.shared_slots
    return policy.weights.availability * min(number, most) // most


def weeks_until_free(fit: Fit, on: date) -> int:
    """Full weeks until the therapist can begin."""
    return max((fit.therapist.free_from or on) - on, timedelta()).days // 7


def _terms(search: Search, fit: Fit, policy: Policy) -> Iterator[Scored]:
    weights, case, therapist = policy.weights, search.case, fit.therapist
    for area in search.areas:
        if area.area in therapist.problem_areas:
            yield Scored(
                Term.PROBLEM_AREA, area.field, weights.problem_area // len(search.areas), (area.area,)
            )
    known = tuple(
        condition for condition in dict.fromkeys(case.conditions) if condition in therapist.conditions
    )
    if known:
        share = weights.condition * len(known) // len(set(case.conditions))
        yield Scored(Term.CONDITION, "details.conditions", share, known)
    yield Scored(
        Term.EVIDENCE,
        "details.conditions",
        weights.evidence[fit.pathway.evidence],
        (fit.pathway.evidence,),
    )
    if fit.pathway.format is case.format:
        yield Scored(Term.FORMAT, "details.format", weights.format)
    cases = min(fit.accreditation.cases, policy.caps.experience_cases)
    yield Scored(
        Term.EXPERIENCE, "details.therapy", weights.experience * cases // policy.caps.experience_cases
    )
    yield Scored(
        Term.AVAILABILITY,
        "details.availability",
        points_for_times(len(fit.shared_slots), policy),
        fit.shared_slots,
    )
    for place, wish in enumerate(case.preferences):
        if meets(therapist, wish):
            yield Scored(
                Term.PREFERENCE,
                f"details.preferences.{place}",
                weights.preference.of(wish.strength),
                (wish.about, wish.wish, wish.strength),
            )
    yield Scored(
        Term.LANGUAGE,
        "details.languages",
        weights.preferred_language if fit.language.preferred else weights.other_language,
    )
    if fit.mode is Mode.IN_PERSON and fit.metres is not None:
        band = next((band for band in policy.distance_bands if fit.metres <= band.up_to_km * 1000), None)
        yield Scored(Term.DISTANCE, "details.outcode", band.points if band else 0)
    if case.max_fee_pence:
        saved = case.max_fee_pence - therapist.fee_pence
        yield Scored(Term.FEE, "details.max_fee_pence", weights.fee * saved // case.max_fee_pence)
    sooner = max(policy.caps.wait_weeks - weeks_until_free(fit, search.on), 0)
    yield Scored(Term.WAIT, "directory.free_from", weights.wait * sooner // policy.caps.wait_weeks)
    if therapist.seats_offered:
        share = weights.caseload * min(therapist.seats_free, therapist.seats_offered)
        yield Scored(Term.CASELOAD, "directory.seats_free", share // therapist.seats_offered)
    tier = tier_of(therapist.outcomes, policy.outcome)
    yield Scored(Term.OUTCOME, "directory.outcome", points_of(tier, policy.outcome), (tier,))
