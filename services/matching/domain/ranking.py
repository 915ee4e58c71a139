"""The shortlist: who passes every gate, best first, explained; or why nobody does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.matching.domain import explaining
from services.matching.domain.gates import ORDER, Fit, Gate, Search, check
from services.matching.domain.pathways import age_on, areas_of, routes
from services.matching.domain.place import Places
from services.matching.domain.policy import Policy
from services.matching.domain.scoring import Scored, score
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import Candidate, GateCount, NothingFound, Pathway, Shortlist
from shared.contract.vocabulary import Variant


@dataclass(frozen=True, slots=True)
class Rules:
    """What every ranking goes by."""

    policy: Policy
    places: Places


@dataclass(frozen=True, slots=True)
class _Ranked:
    fit: Fit
    scored: tuple[Scored, ...]
    total: int


def search_for(
    case: CaseDetails,
    on: date,
    rules: Rules,
    excluded: frozenset[TherapistId] = frozenset(),
    spoken_for: Mapping[TherapistId, int] | None = None,
) -> Search:
    """A case made ready for looking through the directory on a day."""
    return Search(
        case=case,
        on=on,
        age=age_on(on, case.date_of_birth),
        areas=areas_of(case, rules.policy),
        position=rules.places.find(case.outcode),
        excluded=excluded,
        spoken_for=spoken_for or {},
    )


def rank(search: Search, directory: Iterable[Therapist], rules: Rules) -> Shortlist | NothingFound:
    """The best therapists in order; ties go to the lower id, so that the same inputs give the same list."""
    found = routes(search.case, search.on, rules.policy)
    kept_out: dict[Gate, int] = dict.fromkeys(Gate, 0)
    ranked: list[_Ranked] = []
    looked_at = 0
    for therapist in directory:
        looked_at += 1
        outcome = _best(search, therapist, found.pathways, rules)
        if isinstance(outcome, Gate):
            kept_out[outcome] += 1
        elif outcome is not None:
            ranked.append(outcome)
    gates = tuple(GateCount(gate=gate, therapists=number) for gate, number in kept_out.items() if number)
    if not ranked:
        return NothingFound(
            pathways=found.pathways,
            ruled_out=found.ruled_out,
            gates=gates,
            text=explaining.nothing_found(search, found, kept_out, looked_at),
        )
    ranked.sort(key=lambda one: (-one.total, one.fit.therapist.id))
    return Shortlist(
        candidates=tuple(
            _candidate(search, one, rules.policy) for one in ranked[: rules.policy.shortlist_size]
        ),
        pathways=found.pathways,
        ruled_out=found.ruled_out,
        gates=gates,
    )


def still_fits(search: Search, therapist: Therapist, variant: Variant, rules: Rules) -> Fit | Gate | None:
    """Whether a proposed therapist may still take the case today; None if the variant fits no longer."""
    pathway = next(
        (way for way in routes(search.case, search.on, rules.policy).pathways if way.variant is variant), None
    )
    return None if pathway is None else check(search, pathway, therapist, rules.policy, rules.places)


def _best(
    search: Search, therapist: Therapist, pathways: tuple[Pathway, ...], rules: Rules
) -> _Ranked | Gate | None:
    """The therapist on the pathway that suits best, or the last gate that any pathway led to."""
    best: _Ranked | None = None
    furthest: Gate | None = None
    for pathway in pathways:
        outcome = check(search, pathway, therapist, rules.policy, rules.places)
        if isinstance(outcome, Gate):
            if furthest is None or ORDER[outcome] > ORDER[furthest]:
                furthest = outcome
            continue
        scored = score(search, outcome, rules.policy)
        total = sum(each.points for each in scored)
        if best is None or total > best.total:
            best = _Ranked(outcome, scored, total)
    return best or furthest


def _candidate(search: Search, ranked: _Ranked, policy: Policy) -> Candidate:
    fit = ranked.fit
    return Candidate(
        therapist_id=fit.therapist.id,
        name=fit.therapist.name,
        variant=fit.pathway.variant,
        mode=fit.mode,
        score=ranked.total,
        distance_km=None if fit.metres is None else round(fit.metres / 1000, 1),
        fee_pence=fit.therapist.fee_pence,
        seats_free=fit.therapist.seats_free,
        reasons=explaining.reasons(search, fit, ranked.scored),
        cautions=explaining.cautions(search, fit, policy),
        unmet=explaining.unmet(search, fit),
    )
