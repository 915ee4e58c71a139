"""Ranks for one request and says what came of it."""

from dataclasses import dataclass

from services.matching import store
from services.matching.domain.day import day_in_london
from services.matching.domain.ranking import OutOfStep, Rules, explain, look, search_for
from shared.contract.ids import ProposalId, SubjectId, TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import MatchNotFound, MatchProposed, NothingFound, Shortlist
from shared.contract.sealing import Purpose
from shared.kit.identifiers import new_id
from shared.kit.transaction import Transaction

MOST_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Matcher:
    """All that ranking needs: the rules, and the directory they apply to."""

    rules: Rules
    directory: store.DirectoryInMemory


@dataclass(frozen=True, slots=True)
class Opened:
    """A request together with the case that its sealed details hold."""

    request: store.Request
    subject_id: SubjectId
    case: CaseDetails


async def open_request(tx: Transaction, request: store.Request) -> Opened | None:
    """The request in plain; None once the person was erased, or if nothing was ever heard of them."""
    if request.details is None or request.subject_id is None:
        return None
    details = await tx.open(request.details)
    if details is None:
        return None
    return Opened(request, request.subject_id, CaseDetails.model_validate_json(details))


async def propose_or_wait(opened: Opened, tx: Transaction, matcher: Matcher) -> None:
    """Proposes a shortlist, or puts the request on the waiting list and says why."""
    request = opened.request
    found = await _rank(opened, tx, matcher, {})
    if isinstance(found, Shortlist):
        await _propose(opened, tx, matcher.rules, found)
        return

    await store.wait(tx, request)
    # Whatever became free while this was being ranked is looked at again once this is known.
    await store.want_reoffer(tx, "somebody waits")
    await tx.publish(
        MatchNotFound(
            request_id=request.id,
            subject_id=opened.subject_id,
            policy_version=matcher.rules.policy.version,
            findings=found,
        )
    )


async def propose_if_found(opened: Opened, tx: Transaction, matcher: Matcher) -> bool:
    """Proposes to somebody who waits, if a seat is free that was not offered to another first."""
    found = await _rank(opened, tx, matcher, await store.spoken_for(tx))
    if isinstance(found, NothingFound):
        return False
    await _propose(opened, tx, matcher.rules, found)
    return True


async def _rank(
    opened: Opened,
    tx: Transaction,
    matcher: Matcher,
    spoken_for: dict[TherapistId, int],
) -> Shortlist | NothingFound:
    rules = matcher.rules
    excluded = await store.excluded_from(tx, opened.request.id)
    waited = tx.now - opened.request.submitted_at
    search = search_for(opened.case, day_in_london(tx.now), rules, excluded, spoken_for, waited=waited)
    for _ in range(MOST_LOOKS):
        async with matcher.directory.current(tx) as engine:
            found = look(search, engine, rules)
        therapists = await store.find_therapists(tx, list(found.therapists))
        try:
            return explain(search, found, therapists, rules)
        except OutOfStep:
            # Another process took a seat or changed an entry between the two looks.
            continue
    raise RuntimeError("the directory in memory and the one in the table do not agree")


async def _propose(opened: Opened, tx: Transaction, rules: Rules, shortlist: Shortlist) -> None:
    proposal_id = ProposalId(new_id())
    sealed = await tx.seal(opened.subject_id, Purpose.CLINICAL, shortlist.model_dump_json().encode())
    await store.add_proposal(
        tx,
        request_id=opened.request.id,
        proposal_id=proposal_id,
        policy_version=rules.policy.version,
        shortlist=sealed,
        first=shortlist.candidates[0].therapist_id,
    )
    await tx.publish(
        MatchProposed(
            request_id=opened.request.id,
            subject_id=opened.subject_id,
            proposal_id=proposal_id,
            policy_version=rules.policy.version,
            shortlist=shortlist,
        )
    )
