"""Carries out a human decision: the seat is taken, or it is said why not."""

from dataclasses import dataclass

from services.matching import store
from services.matching.domain.gates import Fit, Gate, Search
from services.matching.domain.pathways import into_groups
from services.matching.domain.ranking import Rules, search_for, still_fits
from services.matching.domain.therapist import Therapist
from services.matching.handlers.holding import hold_place
from services.matching.handlers.reading import Opened, open_shortlist
from services.matching.handlers.refusing import refused
from shared.ages import day_in_london
from shared.contract.ids import SeatId
from shared.contract.matching import (
    Candidate,
    OtherPathway,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
    TherapistContact,
)
from shared.contract.review import MatchConfirmed
from shared.kit.identifiers import new_id
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class _Chosen:
    therapist: Therapist
    choice: Candidate | OtherPathway


async def reserve(
    decision: MatchConfirmed, opened: Opened, tx: Transaction, rules: Rules
) -> SeatUnavailable | None:
    """Takes the seat or the place and says so; or what to say if this therapist cannot have this client."""
    # Locked before it is read: a change that is just being made counts, not what stood there before.
    await store.lock_entry(tx, decision.therapist_id)
    chosen = await _chosen(decision, tx)
    if chosen is None:
        return refused(decision, SeatRefusal.NO_LONGER_ELIGIBLE)
    if chosen.choice.group is not None:
        return await hold_place(decision, opened, chosen.choice, chosen.therapist, tx, rules)
    # Days may have passed since the shortlist: credentials, fees, ages and seats are looked at afresh.
    excluded = await store.excluded_from(tx, opened.request.id)
    search = search_for(opened.case, day_in_london(tx.now), rules, excluded)
    fit = _still_fits(search, chosen, rules)
    if isinstance(fit, SeatRefusal):
        return refused(decision, fit)
    seat_id = SeatId(new_id())
    got = await store.take_seat(
        tx,
        seat_id,
        therapist_id=decision.therapist_id,
        request_id=decision.request_id,
        proposal_id=decision.proposal_id,
        decision_id=decision.decision_id,
        mode=fit.mode,
    )
    if not got:
        return refused(decision, SeatRefusal.NO_SEAT_LEFT)
    await store.mark_seated(tx, decision.request_id)
    await tx.publish(
        SeatReserved(
            request_id=decision.request_id,
            subject_id=opened.subject_id,
            proposal_id=decision.proposal_id,
            decision_id=decision.decision_id,
            decided_by=decision.decided_by,
            seat_id=seat_id,
            therapist_id=decision.therapist_id,
            mode=fit.mode,
            therapist=TherapistContact(name=chosen.therapist.name, email=chosen.therapist.email),
        )
    )
    return None


def _still_fits(search: Search, chosen: _Chosen, rules: Rules) -> Fit | SeatRefusal:
    """How the client would be seen alone, as was shown; or why they cannot be."""
    fit = still_fits(search, chosen.therapist, chosen.choice.variant, rules)
    if fit is Gate.SEAT:
        return SeatRefusal.NO_SEAT_LEFT
    if not isinstance(fit, Fit) or fit.mode is not chosen.choice.mode:
        return SeatRefusal.NO_LONGER_ELIGIBLE
    # Whoever decided was shown no group, and nobody has a seat alone for what is given in one.
    return SeatRefusal.GROUP_GONE if into_groups((fit.pathway,), rules.policy) else fit


async def _chosen(decision: MatchConfirmed, tx: Transaction) -> _Chosen | None:
    """The therapist with their entry on the shortlist, on the pathway that was decided upon."""
    shortlist = await open_shortlist(tx, decision.proposal_id)
    therapist = await store.find_therapist(tx, decision.therapist_id)
    if shortlist is None or therapist is None:
        return None
    listed = next((each for each in shortlist.candidates if each.therapist_id == therapist.id), None)
    choice = None if listed is None else listed.chosen(decision.variant)
    return None if choice is None else _Chosen(therapist, choice)
