"""Makes a recorded ranking again: as it was, and under another policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.matching import store
from services.matching.domain.around import Seen, around, group_variants
from services.matching.domain.comparing import Answer, Comparison, compare
from services.matching.domain.gates import Search
from services.matching.domain.offering import Around
from services.matching.domain.ranking import OutOfStep, Rules, explain, look, search_for
from services.matching.domain.regrouping import first_for_groups, leaders, more_for_groups, with_groups
from services.matching.domain.therapist import Therapist
from services.matching.handlers.gathering import groups_as_seen
from services.matching.handlers.reading import Kept
from shared.contract.ids import TherapistId
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Again:
    """A ranking that was made again."""

    same: bool
    """Whether the recorded policy gave the recorded answer, byte for byte."""

    comparison: Comparison
    groups_known: bool
    """Whether the record holds the groups that either policy goes by; else none of them was thought of."""


@dataclass(frozen=True, slots=True)
class _Made:
    search: Search
    around: Around | None
    answer: Answer
    therapists: Mapping[TherapistId, Therapist]


class Replay:
    """Stands where rankings stood, one after the other."""

    def __init__(self, recorded: Mapping[str, Rules], other: Rules | None) -> None:
        self._recorded = recorded
        # Only the policy is another: places are where they were.
        self._others = {
            digest: replace(other, places=rules.places) if other else rules
            for digest, rules in recorded.items()
        }
        self._directory = store.DirectoryAsItWas([*recorded.values(), *self._others.values()])

    async def again(self, tx: Transaction, ranking: store.Ranking) -> Again | None:
        """The ranking under the recorded policy and under the other.

        None once its person was erased, or somebody whom they would have shared a group with.

        Raises OutOfStep if the directory cannot be made again as it was.
        """
        details = None if ranking.details is None else await tx.open(ranking.details)
        recorded = await tx.open(ranking.answer)
        sight = None if ranking.groups is None else await store.open_group_sight(tx, ranking.groups)
        seen = None if sight is None else await groups_as_seen(tx, sight)
        if details is None or recorded is None or (ranking.groups is not None and seen is None):
            return None
        case = Kept.model_validate_json(details)
        await self._directory.turn_to(tx, ranking.sight)
        rules = self._recorded[ranking.policy]
        old = await self._make(tx, ranking, case, rules, seen)
        new = old
        other = self._others[ranking.policy]
        if other.digest != rules.digest:
            new = await self._make(tx, ranking, case, other, seen)
        looked_for = frozenset(sight.variants if sight else ())
        comparison = compare(
            ranking=ranking.id,
            request_id=ranking.request_id,
            requester=case.requester,
            waited=ranking.ranked_at - ranking.submitted_at,
            search=old.search,
            rules=rules,
            old=old.answer,
            new=new.answer,
            therapists={**new.therapists, **old.therapists},
            around=old.around,
        )
        return Again(
            same=store.digest_of(old.answer) == recorded,
            comparison=comparison,
            groups_known=all(
                group_variants(made.search, by) <= looked_for for made, by in ((old, rules), (new, other))
            ),
        )

    async def _make(
        self, tx: Transaction, ranking: store.Ranking, case: Kept, rules: Rules, seen: Seen | None
    ) -> _Made:
        waited = ranking.ranked_at - ranking.submitted_at
        search = search_for(
            case,
            ranking.on,
            rules,
            ranking.excluded,
            ranking.spoken_for,
            waited=waited,
            asked_by=case.requester,
        )
        groups = None if seen is None else around(search, rules, seen)
        for_groups = first_for_groups(groups)
        while True:
            found = look(search, self._directory.engine(rules.digest), rules, for_groups)
            needed = found.therapists | leaders(groups)
            therapists = await store.entries_as_seen(tx, ranking.sight, list(needed))
            answer = explain(search, found, therapists, rules)
            if groups is not None:
                answer = with_groups(groups, found, answer, therapists)
            further = more_for_groups(answer, found, for_groups)
            if not further:
                return _Made(search, groups, answer, therapists)
            for_groups = further


__all__ = ["Again", "OutOfStep", "Replay"]
