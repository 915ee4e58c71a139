"""What the client could give on, and who would come first then."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from services.matching.domain import wording
from services.matching.domain.engine import Engine, Placed
from services.matching.domain.flags import may_be_harmed
from services.matching.domain.gates import Search
from services.matching.domain.languages import signs
from services.matching.domain.policy import Policy
from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import Format, Mode, Strength
from shared.languages import SIGNED, language

FURTHER_KM = (5, 10, 20)
DEARER_PENCE = (1_000, 2_000)
MOST_SPOKEN = "en"
MOST_TIMES = 2
MOST = 5


class Conceded(NamedTuple):
    """One concession, and whom it would bring to the top."""

    code: str
    text: str
    """About the client alone, so that it may be said to them."""

    placed: Placed


def concessions(search: Search, engine: Engine, policy: Policy, first: Placed | None) -> tuple[Conceded, ...]:
    """The concessions that would put somebody else, and better, in the first place; the most worth first.

    Of several of one kind the smallest that helps is named, of times the best two.
    """
    case = search.case
    kinds = [distances(search, policy), modes(search), _fees(case), _musts(case)]
    kinds += [_languages(case), _adults(case, policy)]
    if first is None:
        # Where nobody passes the gates, no time helps; but another kind of help than was asked for may.
        helpful = []
        kinds.append(_formats(case, policy))
    else:
        helpful = sorted(_times(search, engine, first), key=_worth)[:MOST_TIMES]
    for kind in kinds:
        tried = (_conceded(search, engine, first, each) for each in kind)
        helpful += [each for each in (next((each for each in tried if each), None),) if each]
    # Whether there would be a time for a group as well, the engine does not know.
    sure = [each for each in helpful if each.placed.variant not in policy.groups]
    return tuple(sorted(sure, key=_worth)[:MOST])


Change = tuple[str, str, CaseDetails]
"""A code, what it is about the client, and the case as it would be."""


def _conceded(search: Search, engine: Engine, first: Placed | None, change: Change) -> Conceded | None:
    code, text, case = change
    placed = engine.best(replace(search, case=case), 1)
    if not placed or (first and (placed[0].number == first.number or placed[0].score <= first.score)):
        return None
    return Conceded(code, text, placed[0])


def _worth(conceded: Conceded) -> tuple[int, str]:
    return -conceded.placed.score, conceded.text


def _times(search: Search, engine: Engine, first: Placed) -> Iterator[Conceded]:
    # All in one go: the gates let through the same therapists whatever the time.
    for slot, placed in engine.with_one_more_time(search, first).items():
        if placed.score > first.score:
            yield Conceded("times", f"{wording.slot(slot)}s as well", placed)


def distances(search: Search, policy: Policy) -> Iterator[Change]:
    """To travel further, the nearer first."""
    case = search.case
    if case.mode is Mode.ONLINE:
        return
    limit = case.max_distance_km or policy.default_distance_km
    for more in FURTHER_KM:
        yield (
            "distance",
            f"up to {limit + more} km away instead of {limit} km",
            case.model_copy(update={"max_distance_km": limit + more}),
        )


def modes(search: Search) -> Iterator[Change]:
    """To come in person as well, or to be seen online as well."""
    case = search.case
    either = case.model_copy(update={"mode": Mode.EITHER})
    if case.mode is Mode.IN_PERSON:
        yield "mode", "online sessions as well", either
    elif case.mode is Mode.ONLINE:
        yield "mode", "sessions in person as well", either


def _fees(case: CaseDetails) -> Iterator[Change]:
    if case.max_fee_pence is not None:
        for more in DEARER_PENCE:
            yield (
                "fee",
                f"up to {wording.pounds(case.max_fee_pence + more)} a session instead of "
                f"{wording.pounds(case.max_fee_pence)}",
                case.model_copy(update={"max_fee_pence": case.max_fee_pence + more}),
            )


def _musts(case: CaseDetails) -> Iterator[Change]:
    for place, wish in enumerate(case.preferences):
        if wish.strength is Strength.MUST:
            softer = wish.model_copy(update={"strength": Strength.STRONG})
            wishes = (*case.preferences[:place], softer, *case.preferences[place + 1 :])
            yield (
                "preference",
                f"ideally {wording.wish(wish)}, but not necessarily",
                case.model_copy(update={"preferences": wishes}),
            )


def _languages(case: CaseDetails) -> Iterator[Change]:
    # Which others somebody speaks is not known; nearly every therapist works in this one.
    if signs(case.languages):
        # Nobody is asked to do without who named no spoken language; beside one that is signed none counts.
        if spoken := tuple(each for each in case.languages if each not in SIGNED):
            yield (
                "language",
                f"sessions in {language(spoken[0])} with a sign language interpreter",
                case.model_copy(update={"languages": spoken}),
            )
    elif MOST_SPOKEN not in case.languages:
        yield (
            "language",
            f"sessions in {language(MOST_SPOKEN)} as well",
            case.model_copy(update={"languages": (*case.languages, MOST_SPOKEN)}),
        )


def _adults(case: CaseDetails, policy: Policy) -> Iterator[Change]:
    # Nobody who may be being hurt hears that they should bring who may be doing it.
    if not case.attending_adult and not may_be_harmed(case, policy):
        yield (
            "attending_adult",
            "an adult who comes to every session",
            case.model_copy(update={"attending_adult": True}),
        )


def _formats(case: CaseDetails, policy: Policy) -> Iterator[Change]:
    # Nor that they should come with them.
    together = () if may_be_harmed(case, policy) else (Format.FAMILY, Format.COUPLE)
    for other in (Format.INDIVIDUAL, *together):
        if other is not case.format:
            yield (
                "format",
                f"sessions {wording.FORMATS[other]} instead of {wording.FORMATS[case.format]}",
                case.model_copy(update={"format": other}),
            )
