"""Why a therapist is on the list, what to weigh, which wishes are not met; in sentences for staff."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from services.matching.domain import wording
from services.matching.domain.gates import Fit, Gate, Search, may_be_unsaid, meets
from services.matching.domain.languages import signs, spoken, unclear
from services.matching.domain.outcomes import OutcomeTier
from services.matching.domain.pathways import Pathways
from services.matching.domain.policy import Policy
from services.matching.domain.scoring import Scored, Term, weeks_until_free
from services.matching.domain.therapist import Therapist
from shared.contract.matching import Caution, Reason
from shared.contract.vocabulary import (
    Condition,
    Evidence,
    Mode,
    ProblemArea,
    Slot,
    Strength,
    Variant,
)
from shared.languages import language

_STRENGTH = {
    Strength.SLIGHT: "a slight wish",
    Strength.STRONG: "a strong wish",
    Strength.MUST: "a condition of the client",
}

_UNSAID = "; the entry does not say"

_KEPT_OUT = {
    Gate.EXCLUDED: "{n} excluded for this request",
    Gate.REGISTRATION: "{n} without a live core registration",
    Gate.ACCREDITATION: "{n} without a live accreditation for a form that fits",
    Gate.PRIVATE_PRACTICE: "{n} whose accreditation does not cover private practice",
    Gate.AGE_GROUP: "{n} who do not work with this age",
    Gate.FORMAT: "{n} who do not offer the format",
    Gate.LANGUAGE: "{n} who do not work in a language the client asked for",
    Gate.MODE: "{n} who do not work in the way asked for (online or in person)",
    Gate.DISTANCE: "{n} too far away",
    Gate.FEE: "{n} above the fee limit",
    Gate.MUST_HAVE: "{n} without something the client must have",
    Gate.FRESH: "{n} whose directory entry has not been confirmed lately",
    Gate.START: "{n} who are not free soon enough",
    Gate.SEAT: "{n} without a free seat",
}
"""Of several; of one it is said as of the next best."""

_KEPT_OFF = {
    Gate.EXCLUDED: "is excluded for this request",
    Gate.REGISTRATION: "has no live core registration",
    Gate.ACCREDITATION: "has no live accreditation for it",
    Gate.PRIVATE_PRACTICE: "has an accreditation that does not cover private practice",
    Gate.AGE_GROUP: "does not work with this age",
    Gate.FORMAT: "does not offer the format",
    Gate.LANGUAGE: "does not work in a language the client asked for",
    Gate.MODE: "does not work in the way asked for (online or in person)",
    Gate.DISTANCE: "is too far away",
    Gate.FEE: "is above the fee limit",
    Gate.MUST_HAVE: "is without something the client must have",
    Gate.FRESH: "has an entry that was not confirmed lately",
    Gate.START: "is not free soon enough",
    Gate.SEAT: "has no free seat",
}


def kept_off(search: Search, gate: Gate, therapist: Therapist) -> str:
    """What alone keeps the next best off the list, said of them."""
    if gate is Gate.START and therapist.free_from is not None:
        return f"is not free until {wording.day(therapist.free_from)}"
    return _of_one(search, gate)


def reasons(search: Search, fit: Fit, scored: tuple[Scored, ...]) -> tuple[Reason, ...]:
    """One sentence for each term that brought points."""
    return tuple(
        Reason(
            term=each.term,
            field=each.field,
            points=each.points,
            text=_SENTENCES[each.term](search, fit, each),
        )
        for each in scored
    )


def cautions(search: Search, fit: Fit, policy: Policy) -> tuple[Caution, ...]:
    """What a reviewer should weigh about this pathway and this therapist."""
    return (*fit.pathway.cautions, *_about(search, fit, policy))


def unmet(search: Search, fit: Fit) -> tuple[str, ...]:
    """The client's wishes that this therapist does not meet, or of which the entry says nothing."""
    return tuple(
        f"{wording.wish(wish)} ({_STRENGTH[wish.strength]}{_UNSAID if may_be_unsaid(wish) else ''})"
        for wish in search.case.preferences
        if not meets(fit.therapist, wish)
    )


def nothing_found(search: Search, pathways: Pathways, kept_out: Mapping[Gate, int], looked_at: int) -> str:
    """Why nobody can be proposed, in plain words."""
    if not pathways.fitting:
        return "No form of therapy that the clinic offers fits: " + " ".join(
            dict.fromkeys(out.rule for out in pathways.ruled_out)
        )
    if not looked_at:
        return "The directory is empty: no therapist has been imported yet."
    counts = [(gate, number) for gate, number in kept_out.items() if number]
    variants = wording.joined([wording.VARIANTS[each.variant] for each in pathways.fitting])
    if looked_at == 1:
        why = wording.joined([_of_one(search, gate) for gate, _ in counts])
        text = f"The only therapist in the directory cannot be proposed for {variants}: that one {why}."
    else:
        why = wording.joined([_kept_out(search, gate, number) for gate, number in counts])
        text = f"None of {looked_at} therapists can be proposed for {variants}: {why}."
    if search.position is None and search.case.mode is not Mode.ONLINE:
        text += " Nobody can be found in person, for the client's postcode district is not known."
    return text


def _kept_out(search: Search, gate: Gate, number: int) -> str:
    if number == 1 or _is_nowhere(search, gate):
        return f"{number} who {_of_one(search, gate)}"
    if _is_unsigned(search, gate):
        return f"{number} who do not sign"
    return _KEPT_OUT[gate].format(n=number)


def _of_one(search: Search, gate: Gate) -> str:
    if _is_unsigned(search, gate):
        return "does not sign"
    if not _is_nowhere(search, gate):
        return _KEPT_OFF[gate]
    return f"could be met in person alone, {_nowhere(search)}"


def _is_unsigned(search: Search, gate: Gate) -> bool:
    """Whether a language bars because it is not signed, be there a spoken one in common."""
    return gate is Gate.LANGUAGE and signs(search.case.languages)


def _is_nowhere(search: Search, gate: Gate) -> bool:
    """Whether a distance bars for want of a place to measure from."""
    return gate is Gate.DISTANCE and search.position is None


def _nowhere(search: Search) -> str:
    if search.case.outcode is None:
        return "for which no postcode district was given"
    return "and where the client's postcode district lies is not known here"


def _problem_area(search: Search, _fit: Fit, scored: Scored) -> str:
    area = wording.AREAS[ProblemArea(scored.on[0])]
    if scored.field == "details.life_event" and search.case.life_event is not None:
        event = wording.LIFE_EVENTS[search.case.life_event]
        return f"Works often with {area}, which {event} points to."
    return f"Works often with {area}."


def _condition(_search: Search, _fit: Fit, scored: Scored) -> str:
    return f"Experienced with {wording.joined([wording.CONDITIONS[Condition(word)] for word in scored.on])}."


def _evidence(_search: Search, fit: Fit, _scored: Scored) -> str:
    name = wording.VARIANTS[fit.pathway.variant]
    by_tier: dict[Evidence, list[str]] = {}
    for each in fit.pathway.supports:
        by_tier.setdefault(each.evidence, []).append(wording.CONDITIONS[each.condition])
    # The points are those of the least supported: whatever is supported better is said beside it.
    told: list[str] = []
    for tier, conditions in by_tier.items():
        of = "" if told else f" for {name}"
        told.append(f"{wording.EVIDENCE[tier]}{of} with {wording.joined(conditions)}")
    return f"{wording.capital('; '.join(told))}."


def _format(_search: Search, fit: Fit, _scored: Scored) -> str:
    return f"Sessions {wording.FORMATS[fit.pathway.format]}, as the client asked."


def _experience(_search: Search, fit: Fit, _scored: Scored) -> str:
    courses = "1 course" if fit.accreditation.cases == 1 else f"{fit.accreditation.cases} courses"
    return f"Has completed {courses} of {wording.VARIANTS[fit.pathway.variant]}."


def _availability(_search: Search, _fit: Fit, scored: Scored) -> str:
    shown = [wording.slot(Slot(word)) for word in scored.on[:3]]
    more = len(scored.on) - len(shown)
    return f"Free when the client is: {wording.joined([*shown, f'{more} more'] if more else shown)}."


def _preference(search: Search, _fit: Fit, scored: Scored) -> str:
    wish = search.case.preferences[int(scored.field.rpartition(".")[2])]
    return f"Is {wording.wish(wish)}: {_STRENGTH[wish.strength]}."


def _language(search: Search, fit: Fit, _scored: Scored) -> str:
    shared = fit.language
    if shared.asked not in shared.works_in:
        return f"Works in {spoken(shared)}; the client asked for {language(shared.asked)}."
    if signs(search.case.languages):
        return f"Works in {spoken(shared)}; beside a sign language no spoken one counts."
    return f"Works in {spoken(shared)}{', the language the client prefers' if shared.preferred else ''}."


def _distance(_search: Search, fit: Fit, _scored: Scored) -> str:
    metres = fit.metres or 0
    if metres == 0:
        return "In the same postcode district."
    return f"About {metres / 1000:.1f} km away in a straight line."


def _fee(search: Search, fit: Fit, _scored: Scored) -> str:
    limit = wording.pounds(search.case.max_fee_pence or 0)
    return f"Asks {wording.pounds(fit.therapist.fee_pence)} a session, within the limit of {limit}."


def _caseload(_search: Search, fit: Fit, _scored: Scored) -> str:
    return f"Has {fit.therapist.seats_free} of {fit.therapist.seats_offered} seats free."


def _wait(search: Search, fit: Fit, _scored: Scored) -> str:
    first = fit.therapist.free_from
    if first is None or first <= search.on:
        return "Can begin at once."
    weeks = weeks_until_free(fit, search.on)
    within = "less than a week" if not weeks else "a week" if weeks == 1 else f"{weeks} weeks"
    return f"Can begin in {within}, from {wording.day(first)}."


def _outcome(_search: Search, _fit: Fit, scored: Scored) -> str:
    return _OUTCOMES[OutcomeTier(scored.on[0])]


_OUTCOMES = {
    OutcomeTier.ABOVE: "Closed courses went better than the clinic's average.",
    OutcomeTier.AVERAGE: "Closed courses went as the clinic's average, or are too few to tell.",
    OutcomeTier.BELOW: "Closed courses went less well than the clinic's average.",
}

_SENTENCES: dict[Term, Callable[[Search, Fit, Scored], str]] = {
    Term.PROBLEM_AREA: _problem_area,
    Term.CONDITION: _condition,
    Term.EVIDENCE: _evidence,
    Term.FORMAT: _format,
    Term.EXPERIENCE: _experience,
    Term.AVAILABILITY: _availability,
    Term.PREFERENCE: _preference,
    Term.LANGUAGE: _language,
    Term.DISTANCE: _distance,
    Term.FEE: _fee,
    Term.WAIT: _wait,
    Term.CASELOAD: _caseload,
    Term.OUTCOME: _outcome,
}


def _about(search: Search, fit: Fit, policy: Policy) -> Iterator[Caution]:
    name, held = wording.VARIANTS[fit.pathway.variant], fit.accreditation
    course_ends = search.on + timedelta(weeks=policy.phases.sessions)
    registration = fit.therapist.registration
    if registration is not None and registration.expires_on < course_ends:
        yield Caution(
            code="registration_ends",
            text=f"{registration.body} registration ends on {wording.day(registration.expires_on)}: "
            "ask for its renewal.",
        )
    if held.expires_on < course_ends:
        yield Caution(
            code="accreditation_ends",
            text=f"Accreditation for {name} ends on {wording.day(held.expires_on)}: ask for its renewal.",
        )
    if held.cases < policy.newly_qualified_cases and fit.pathway.variant is not Variant.SYSTEMIC:
        yield Caution(code="newly_qualified", text=f"Newly qualified in {name}: ask who supervises.")
    first = fit.therapist.free_from
    if first is not None and first > search.on:
        yield Caution(code="begins_later", text=f"Cannot begin before {wording.day(first)}.")
    if search.position is None and search.case.mode is Mode.EITHER:
        ask = ": ask for it" if search.case.outcode is None else ""
        yield Caution(
            code="place_unknown",
            text=f"Left out is whoever could be met in person alone, {_nowhere(search)}{ask}.",
        )
    if unclear(search.case.languages, fit.language):
        yield Caution(
            code="language_unclear",
            text=f"{language(fit.language.asked)} may be Cantonese, Mandarin or another language: "
            "ask which the client speaks before confirming.",
        )
    if not fit.shared_slots:
        yield Caution(code="no_shared_time", text="No time in common: ask both before confirming.")
    missing = [
        wording.CONDITIONS[condition]
        for condition in dict.fromkeys(search.case.conditions)
        if condition is not Condition.OTHER and condition not in fit.therapist.conditions
    ]
    if missing:
        yield Caution(code="no_experience_named", text=f"Names no experience with {wording.joined(missing)}.")
