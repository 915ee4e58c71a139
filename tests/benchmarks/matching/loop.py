"""What most would write first: a loop over the therapists, with sets and early exits."""

import heapq
from collections.abc import Sequence
from datetime import timedelta

from services.matching.domain.gates import Search, begins_in_time, meets
from services.matching.domain.outcomes import points_of, tier_of
from services.matching.domain.place import metres_between
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Route, Therapist
from shared.contract.vocabulary import Mode, Strength, Variant
from tests.benchmarks.matching.population import price_of
from tests.benchmarks.matching.ways import Placed, Ways

_NONE = (-1, Variant.IPT)
"""No pathway on which somebody may be proposed."""


class Loop:
    """The therapists as dataclasses, looked at one by one."""

    def __init__(self, therapists: Sequence[Therapist], rules: Rules, ways: Ways) -> None:
        self._rules = rules
        self._ways = ways
        self._prices = [price_of(therapist.id) for therapist in therapists]
        self._therapists = therapists
        self._accreditations = [{each.variant: each for each in t.accreditations} for t in therapists]
        self._metres: dict[str, dict[str, int]] = {}

    async def best(self, search: Search, most: int, only: Variant | None) -> list[Placed]:
        """The best by score minus what counts of the price, ties by id."""
        policy, case, on = self._rules.policy, search.case, search.on
        weights, caps = policy.weights, policy.caps
        ways = [
            (
                way.variant,
                way.format,
                weights.evidence[way.evidence] + weights.format * (way.format is case.format),
            )
            for way in self._ways.of(search)
            if only in {None, way.variant}
        ]
        if not ways:
            return []
        groups = {group for group, span in policy.age_groups.items() if search.age in span}
        languages, first = frozenset(case.languages), case.languages[0]
        wanted_slots, named = frozenset(case.availability), frozenset(case.conditions)
        areas = frozenset(area.area for area in search.areas)
        share = weights.problem_area // max(len(areas), 1)
        musts = [wish for wish in case.preferences if wish.strength is Strength.MUST]
        wishes = [(wish, weights.preference.of(wish.strength)) for wish in case.preferences]
        limit = (case.max_distance_km or policy.default_distance_km) * 1000
        metres = self._near(case.outcode or "") if case.mode is not Mode.ONLINE else {}
        fresh, hits = on - timedelta(days=policy.fresh_days), []
        for t, held, price in zip(self._therapists, self._accreditations, self._prices, strict=True):
            if t.seats_free < 1 or not held or t.registration is None or t.registration.expires_on < on:
                continue
            if t.confirmed_on < fresh or not groups & t.age_groups or not languages & t.languages:
                continue
            if (
                (case.max_fee_pence is not None and t.fee_pence > case.max_fee_pence)
                or not begins_in_time(t, on, policy)
                or t.id in search.excluded
                or t.seats_free <= search.spoken_for.get(t.id, 0)
            ):
                continue
            own = _NONE
            for variant, form, own_points in ways:
                one = held.get(variant)
                if one is None or one.route is Route.KSA or one.expires_on < on or form not in t.formats:
                    continue
                closed = min(one.cases, caps.experience_cases)
                worth = own_points + weights.experience * closed // caps.experience_cases
                own = own if worth <= own[0] else (worth, variant)
            if own is _NONE or not all(meets(t, wish) for wish in musts):
                continue
            points, chosen = own
            away = metres.get(t.outcode) if Mode.IN_PERSON in t.modes else None
            if away is not None and away <= limit:
                points += next((b.points for b in policy.distance_bands if away <= b.up_to_km * 1000), 0)
            elif case.mode is Mode.IN_PERSON or Mode.ONLINE not in t.modes:
                continue
            known = weights.condition * len(named & t.conditions) // max(len(named), 1)
            points += share * len(areas & t.problem_areas) + known
            shared = min(len(wanted_slots & t.slots), caps.shared_slots)
            points += weights.availability * shared // caps.shared_slots
            speaks = weights.preferred_language if first in t.languages else weights.other_language
            points += speaks + sum(worth for wish, worth in wishes if meets(t, wish))
            if case.max_fee_pence:
                points += weights.fee * (case.max_fee_pence - t.fee_pence) // case.max_fee_pence
            points += weights.caseload * min(t.seats_free, t.seats_offered) // t.seats_offered
            weeks = 0 if t.free_from is None else max((t.free_from - on).days, 0) // 7
            points += weights.wait * max(caps.wait_weeks - weeks, 0) // caps.wait_weeks
            if policy.outcome.on:
                points += points_of(tier_of(t.outcomes, policy.outcome), policy.outcome)
            hits.append(Placed(max(0, price - search.credit) - points, t.id.int, points, chosen))
        return heapq.nsmallest(most, hits)

    def _near(self, outcode: str) -> dict[str, int]:
        if outcode not in self._metres:
            places = self._rules.places.positions
            here = places.get(outcode)
            self._metres[outcode] = (
                {} if here is None else {name: metres_between(here, there) for name, there in places.items()}
            )
        return self._metres[outcode]
