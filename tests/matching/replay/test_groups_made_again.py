"""Rankings that lead into a group are made again with the groups of that moment, or left out and counted."""

from datetime import timedelta
from pathlib import Path
from random import Random

from services.matching import store
from services.matching.domain.comparing import Book
from services.matching.domain.ranking import rank, search_for
from services.matching.handlers import Shadow, begin_day, dissolve_groups, offer_to_waiting
from shared.contract.event import Event
from shared.contract.ids import RequestId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchProposed
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import Format
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, a_therapist
from tests.matching.gathering import (
    Hear,
    a_choice,
    a_leader,
    gather,
    group_on,
    groups,
    proposed,
    shown,
    somebody,
)
from tests.matching.groups import random_grouping
from tests.matching.policies import IPT_AST, changed
from tests.matching.recorded import (
    ALWAYS,
    a_matcher,
    all_the_same,
    another_policy,
    hear,
    in_directory,
    made_again,
    recorded,
    rules_of,
)
from tests.support.builders import a_decline, a_rematch, a_request, a_withdrawal

ONE_AGE = 'age_span = { years = 0, source = "clinic" }'


def asking(dice: Random) -> RequestSubmitted:
    """Somebody of any age, who may be one for a group."""
    return a_request(details=random_grouping.a_seeker(dice).case)


async def without_groups(database: Database, request: RequestSubmitted) -> None:
    """Leaves a request's ranking as an earlier build kept it: by the list before any group was thought of."""
    async with database.transaction() as tx:
        everybody = await store.find_therapists(tx, [a_leader().id, a_leader("ben").id])
        [ranking] = [
            each
            for each in await store.rankings_between(tx, *ALWAYS, 0, 100)
            if each.request_id == request.request_id
        ]
        asked_by = opened(request.contact).requester_role
        search = search_for(opened(request.details), ranking.on, RULES, asked_by=asked_by)
        digest = store.digest_of(rank(search, list(everybody.values()), RULES))
        answer = await tx.seal(request.subject_id, Purpose.CLINICAL, digest)
        await tx.execute("UPDATE rankings SET groups = NULL, answer = $2 WHERE id = $1", ranking.id, answer)


async def test_groups_that_form_and_end_are_in_each_ranking_as_they_were(
    database: Database, clock: MovableClock, tmp_path: Path
) -> None:
    dice = Random(5)
    leaders = [random_grouping.a_leader(dice, number) for number in range(5)]
    await in_directory(database, *leaders)
    processes = [a_matcher(), a_matcher()]
    open_ones: dict[RequestId, tuple[RequestSubmitted, MatchProposed]] = {}
    heard: dict[RequestId, RequestSubmitted] = {}

    def next_events() -> list[Event]:
        batch: list[Event] = []
        for _ in range(dice.randint(1, 3)):
            request = dice.choice([somebody(14), somebody(15), asking(dice)])
            heard[request.request_id] = request
            batch.append(request)
        for request_id in dice.sample(list(open_ones), k=min(3, len(open_ones))):
            request, proposal = open_ones.pop(request_id)
            turned = a_rematch(proposal).model_copy(update={"exclude": (shown(proposal).therapist_id,)})
            batch.append(
                dice.choice([*[a_choice(proposal)] * 9, turned, a_withdrawal(request), a_decline(request)])
            )
        return batch

    for turn in range(30):
        for said in await hear(database, dice.choice(processes), *next_events()):
            if isinstance(said, MatchProposed):
                open_ones[said.request_id] = heard[said.request_id], said
        if turn % 4 == 0:
            again = dice.sample(range(5), 1)
            await in_directory(database, *[random_grouping.a_leader(dice, number) for number in again])
        if turn % 6 == 0:
            clock.move(timedelta(days=dice.randint(1, 12)))
            await begin_day(database, clock.now().date(), None)
            await dissolve_groups(database, processes[0])
        await offer_to_waiting(database, dice.choice(processes))

    rankings = await recorded(database)
    renamed = rules_of(another_policy(tmp_path))
    made = [again for again in await made_again(database, renamed) if again is not None]
    states = {state for state, _ in await groups(database)}
    assert len(made) == len(rankings) > 60
    assert states >= {"formed", "dissolved"}
    assert all_the_same(list(made))
    assert all(again.groups_known for again in made)
    assert [again.comparison.old.first for again in made] == [ranking.first for ranking in rankings]
    assert [again.comparison.new for again in made] == [again.comparison.old for again in made]
    assert sum(again.comparison.old.in_group for again in made) > 20
    # Whoever stands for a group, full of seats or not, is worth what the recorded policy said.
    assert all(None not in again.comparison.old.values for again in made)


async def test_another_policy_finds_the_same_groups(database: Database, hear: Hear, tmp_path: Path) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben", fee_pence=7000))
    [first] = await gather(hear, 1)
    older = await proposed(hear, somebody(16))
    tried = rules_of(another_policy(tmp_path, age_span=ONE_AGE))

    *_, again = await made_again(database, tried)

    assert again is not None
    assert (again.same, again.groups_known) == (True, True)
    assert again.comparison.old.first == shown(older).therapist_id == first.therapist_id
    assert shown(older).group is not None
    # Nobody else is of that age, and so the other leader would open a group.
    assert again.comparison.new.first not in {None, first.therapist_id}
    assert (again.comparison.new.in_group, again.comparison.group_changed) == (True, False)


async def test_a_leader_without_a_seat_has_a_value_for_whom_their_group_takes(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    await gather(hear, 1)
    await proposed(hear)

    *_, again = await made_again(database)

    assert again is not None
    assert again.comparison.old.values == (again.comparison.old.score,)


async def test_when_leaders_had_another_group_is_on_record(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())
    young = await proposed(hear)
    await hear(a_choice(young))
    grown_up = await proposed(hear, somebody(30))

    assert group_on(shown(grown_up)).slot != group_on(shown(young)).slot
    assert all_the_same(await made_again(database))


async def test_a_ranking_is_passed_once_somebody_whom_it_depended_on_was_erased(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader())
    requests = [somebody() for _ in range(3)]
    for request in requests:
        await hear(request)
    await database.keys.destroy(requests[1].subject_id)  # type: ignore[attr-defined]

    first, erased, last = await made_again(database)

    assert first is not None
    assert first.same
    assert (erased, last) == (None, None)


async def test_a_ranking_from_before_groups_were_kept_is_checked_and_not_compared(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben"))
    request = somebody()
    await hear(request)
    await without_groups(database, request)

    [again] = await made_again(database)

    assert again is not None
    assert (again.same, again.groups_known) == (True, False)


async def test_a_ranking_that_only_the_other_policy_leads_into_a_group_is_not_compared(
    database: Database, hear: Hear, tmp_path: Path
) -> None:
    await in_directory(database, a_therapist())
    await hear(somebody(format=Format.FAMILY))
    file = tmp_path / "tried.toml"
    file.write_text(changed(IPT_AST, '["individual"]', '["individual", "family"]'), encoding="utf-8")
    tried = rules_of(file)

    [again] = await made_again(database, tried)

    assert again is not None
    assert (again.same, again.groups_known) == (True, False)
    [checked] = await made_again(database)
    assert checked is not None
    assert checked.groups_known


async def test_the_shadow_leaves_out_what_it_cannot_compare(
    database: Database, hear: Hear, tmp_path: Path
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben"))
    tried = rules_of(another_policy(tmp_path, age_span=ONE_AGE))
    book = Book(live=RULES.policy.version, shadow=tried.policy.version)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)
    kept_before, kept = somebody(), somebody()
    for request in (kept_before, kept):
        await hear(request)
    await without_groups(database, kept_before)

    await shadow.follow(database)
    await shadow.read(database)

    [compared] = book.comparisons
    assert (compared.request_id, compared.old.in_group) == (kept.request_id, True)
    assert book.faults == {"groups not on record": 1}


async def test_what_was_seen_of_others_is_sealed_for_the_client(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())
    [one] = await gather(hear, 1)
    asks = somebody()
    await proposed(hear, asks)

    *_, ranking = await recorded(database)

    assert ranking.groups is not None
    for private in (one.request_id.bytes, str(one.request_id).encode(), b"ipt-ast"):
        assert private not in ranking.groups
    await database.keys.destroy(asks.subject_id)  # type: ignore[attr-defined]
    async with database.transaction() as tx:
        assert await store.open_group_sight(tx, ranking.groups) is None
