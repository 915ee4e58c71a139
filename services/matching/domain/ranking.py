"""The shortlist: who passes every gate, best first, explained; or why nobody does."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import chain

from services.matching.domain import explaining, telling
from services.matching.domain.areas import areas_of
from services.matching.domain.conceding import Conceded, concessions
from services.matching.domain.engine import Engine, Nearest, Placed, entry_of
from services.matching.domain.gates import Fit, Gate, Search, check
from services.matching.domain.ordering import with_order_told
from services.matching.domain.pathways import Pathways, into_groups, pathways_of
from services.matching.domain.place import Places
from services.matching.domain.policy import Policy
from services.matching.domain.rising import Basis, with_rises
from services.matching.domain.scoring import score
from services.matching.domain.therapist import Therapist
from shared.ages import age_on
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import (
    Candidate,
    Concession,
    GateCount,
    NextBest,
    NothingFound,
    OtherPathway,
    Shortlist,
)
from shared.contract.vocabulary import RequesterRole, Variant


@dataclass(frozen=True, slots=True)
class Rules:
    """What every ranking goes by."""

    policy: Policy
    places: Places
    file: str = ""
    """The policy's file, word for word, with plain line ends and no mark before the first."""

    @property
    def digest(self) -> str:
        """Tells rules apart, be the policy's version the same."""
        return sha256(f"{self.policy_digest} {self.places.digest}".encode()).hexdigest()

    @property
    def policy_digest(self) -> str:
        """What `sha256sum` says of that file, so that it can be checked by hand."""
        return sha256(self.file.encode()).hexdigest()


def search_for(
    case: CaseDetails,
    on: date,
    rules: Rules,
    excluded: frozenset[TherapistId] = frozenset(),
    spoken_for: Mapping[TherapistId, int] | None = None,
    *,
    waited: timedelta = timedelta(0),
    asked_by: RequesterRole | None = None,
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
        credit=rules.policy.prices.credit(waited.days),
        asked_by=asked_by,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine says of a search: who comes first, and how many each gate kept out."""

    placed: tuple[Placed, ...]
    kept_out: Mapping[Gate, int]
    looked_at: int
    conceded: tuple[Conceded, ...]
    nearest: Nearest | None = None
    for_groups: tuple[Placed, ...] = ()
    """Who else passes the gates, as not everybody who does has a time for a group.

    On a pathway into one without points for times in common, of which it will have one.
    """

    cut_short: frozenset[Variant] = frozenset()
    """The variants for which still more might pass than were asked for."""

    @property
    def therapists(self) -> set[TherapistId]:
        """Whose entries are needed to explain it."""
        named = (*self.placed, *self.for_groups, *(each.placed for each in self.conceded))
        nearest = () if self.nearest is None else (self.nearest,)
        return {each.therapist_id for each in (*named, *nearest)}


class OutOfStep(Exception):
    """A therapist has changed since the engine was asked; ask again."""


def look(search: Search, engine: Engine, rules: Rules, for_groups: int = 0) -> Found:
    """Asks the engine for a shortlist, for what would change it, and for so many on each pathway besides."""
    placed = tuple(engine.shortlist(search, rules.policy.shortlist_size))
    conceded = concessions(search, engine, rules.policy, placed[0] if placed else None)
    besides = _besides(search, engine, rules, for_groups) if for_groups else {}
    return Found(
        placed,
        engine.tally(search),
        len(engine),
        conceded,
        engine.nearest(search),
        for_groups=tuple(chain.from_iterable(besides.values())),
        cut_short=frozenset(variant for variant, found in besides.items() if len(found) == for_groups),
    )


def _besides(search: Search, engine: Engine, rules: Rules, most: int) -> dict[Variant, list[Placed]]:
    """So many on each pathway; of a group only the time at which it meets counts, and so none does here."""
    fitting = pathways_of(search.case, search.on, rules.policy).fitting
    in_groups = {each.variant for each in into_groups(fitting, rules.policy)}
    timeless = replace(search, case=search.case.model_copy(update={"availability": ()}))
    return {
        variant: engine.best(timeless if variant in in_groups else search, most, variant)
        for variant in engine.variants(search)
    }


def explain(
    search: Search, found: Found, therapists: Mapping[TherapistId, Therapist], rules: Rules
) -> Shortlist | NothingFound:
    """The shortlist with its reasons, from the entries of those on it; or why it is empty."""
    pathways = pathways_of(search.case, search.on, rules.policy, search.asked_by)
    gates = tuple(
        GateCount(gate=gate, therapists=number) for gate, number in found.kept_out.items() if number
    )
    concessions = _concessions(found, therapists)
    if not found.placed:
        return NothingFound(
            pathways=pathways.fitting,
            ruled_out=pathways.ruled_out,
            gates=gates,
            text=explaining.nothing_found(search, pathways, found.kept_out, found.looked_at),
            concessions=concessions,
            next_best=_next_best(search, found, therapists),
        )
    basis = Basis(search, therapists, pathways.fitting, rules.policy, rules.places)
    listed = with_order_told(
        [_candidate(search, placed, therapists, pathways, rules) for placed in found.placed]
    )
    return Shortlist(
        candidates=with_rises(basis, listed, concessions),
        pathways=pathways.fitting,
        ruled_out=pathways.ruled_out,
        gates=gates,
        concessions=concessions,
        next_best=_next_best(search, found, therapists),
    )


def rank(search: Search, directory: Collection[Therapist], rules: Rules) -> Shortlist | NothingFound:
    """Ranks a directory that is at hand as a whole; the same inputs give the same list."""
    engine = Engine(rules.policy, rules.places, search.on)
    engine.put([entry_of(therapist) for therapist in directory])
    known = {therapist.id: therapist for therapist in directory}
    return explain(search, look(search, engine, rules), known, rules)


def still_fits(search: Search, therapist: Therapist, variant: Variant, rules: Rules) -> Fit | Gate | None:
    """Whether a proposed therapist may still take the case today; None if the variant fits no longer."""
    fitting = pathways_of(search.case, search.on, rules.policy).fitting
    pathway = next((each for each in fitting if each.variant is variant), None)
    return None if pathway is None else check(search, pathway, therapist, rules.policy, rules.places)


def _concessions(found: Found, therapists: Mapping[TherapistId, Therapist]) -> tuple[Concession, ...]:
    return tuple(
        Concession(
            code=each.code,
            text=each.text,
            therapist_id=each.placed.therapist_id,
            name=therapists[each.placed.therapist_id].name,
            score=each.placed.score,
        )
        for each in found.conceded
        if each.placed.therapist_id in therapists
    )


def _next_best(search: Search, found: Found, therapists: Mapping[TherapistId, Therapist]) -> NextBest | None:
    nearest = found.nearest
    if nearest is None or nearest.therapist_id not in therapists:
        return None
    return NextBest(
        therapist_id=nearest.therapist_id,
        name=therapists[nearest.therapist_id].name,
        variant=nearest.variant,
        score=nearest.score,
        gate=nearest.gate,
        text=explaining.kept_off(search, nearest.gate, therapists[nearest.therapist_id]),
    )


def _candidate(
    search: Search,
    placed: Placed,
    therapists: Mapping[TherapistId, Therapist],
    pathways: Pathways,
    rules: Rules,
) -> Candidate:
    therapist = therapists.get(placed.therapist_id)
    pathway = next(each for each in pathways.fitting if each.variant is placed.variant)
    fit = None if therapist is None else check(search, pathway, therapist, rules.policy, rules.places)
    if not isinstance(fit, Fit):
        raise OutOfStep
    candidate = candidate_of(search, fit, rules, price=placed.price)
    if candidate.score != placed.score or fit.mode is not placed.mode:
        raise OutOfStep
    others = (
        candidate_of(search, other, rules, price=placed.price)
        for each in pathways.fitting
        if each is not pathway
        and isinstance(other := check(search, each, fit.therapist, rules.policy, rules.places), Fit)
    )
    return with_choices(candidate, others)


def with_choices(listed: Candidate, others: Iterable[Candidate]) -> Candidate:
    """A candidate with what else the same therapist could give, each worked out as if it were listed."""
    return listed.model_copy(update={"other_pathways": tuple(map(_as_other, others))})


def _as_other(candidate: Candidate) -> OtherPathway:
    return OtherPathway(**{name: getattr(candidate, name) for name in OtherPathway.model_fields})


def candidate_of(search: Search, fit: Fit, rules: Rules, *, price: int) -> Candidate:
    """A therapist who fits, with their points, the reasons for them, and what counts of their price."""
    scored = score(search, fit, rules.policy)
    return Candidate(
        therapist_id=fit.therapist.id,
        name=fit.therapist.name,
        variant=fit.pathway.variant,
        mode=fit.mode,
        score=sum(each.points for each in scored),
        price=price,
        distance_km=None if fit.metres is None else round(fit.metres / 1000, 1),
        fee_pence=fit.therapist.fee_pence,
        seats_free=fit.therapist.seats_free,
        reasons=explaining.reasons(search, fit, scored),
        cautions=explaining.cautions(search, fit, rules.policy),
        unmet=explaining.unmet(search, fit),
        for_client=telling.for_client(search, fit),
        for_therapist=telling.for_therapist(search, fit),
    )
