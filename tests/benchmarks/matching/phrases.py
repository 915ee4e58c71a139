"""Parts of the search in SQL that are the same for masks and for arrays."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from services.matching.domain.engine.columns import TRAIT, day_number
from services.matching.domain.gates import Search
from services.matching.domain.policy import OutcomeRules, Policy
from shared.contract.vocabulary import PreferenceAbout


def latest_start(search: Search, policy: Policy) -> int:
    """The last day on which somebody may begin, as a number."""
    return day_number(search.on + timedelta(weeks=policy.latest_start_weeks))


def not_named(search: Search, given: Callable[..., str]) -> list[str]:
    """Not excluded, and with more seats free than others were offered first."""
    gates = []
    if search.excluded:
        gates.append(f"id <> ALL({given(list(search.excluded), 'uuid[]')})")
    if search.spoken_for:
        ids = given(list(search.spoken_for), "uuid[]")
        seats = given(list(search.spoken_for.values()), "int[]")
        source = f"unnest({ids}, {seats}) AS named (whose, seats)"
        gates.append(f"NOT EXISTS (SELECT FROM {source} WHERE whose = id AND free <= seats)")
    return gates


def standing(policy: Policy, today: str) -> list[str]:
    """The points that are the same for every client."""
    weights, last = policy.weights, policy.caps.wait_weeks
    return [
        f"{weights.caseload} * least(free, offered) / greatest(offered, 1)",
        f"{weights.wait} * greatest({last} - greatest(free_from - {today}, 0) / 7, 0) / {last}",
        _outcome(policy.outcome) if policy.outcome.on else "0",
    ]


def _outcome(rules: OutcomeRules) -> str:
    """The points for how closed courses went."""
    drawn_in = f"(outcome_change - {rules.mean}) * outcome_cases"
    edge = f"{rules.margin} * (outcome_cases + {rules.prior_cases})"
    return (
        f"CASE WHEN outcome_cases < {rules.least_cases} THEN {rules.points.average}"
        f" WHEN {drawn_in} >= {edge} THEN {rules.points.above}"
        f" WHEN {drawn_in} <= -{edge} THEN {rules.points.below} ELSE {rules.points.average} END"
    )


def ones(mask: str) -> str:
    """How many bits of a mask are set."""
    return f"bit_count(({mask})::bit(32))::int"


def mask(words: str, bits: dict[str, int]) -> int:
    """The bits of words in a row."""
    return mask_of(words.split(), bits)


def mask_of(words: Iterable[str], bits: dict[str, int]) -> int:
    """The bits of words."""
    found = 0
    for word in words:
        found |= 1 << bits[word]
    return found


def trait(about: PreferenceAbout, wish: str) -> int:
    """The bit of a trait that a client may wish for."""
    return TRAIT[wish if about in (PreferenceAbout.THERAPIST_GENDER, PreferenceAbout.APPROACH) else about]
