"""Makes a recorded ranking again: as it was, and under another policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.matching import store
from services.matching.domain.comparing import Answer, Comparison, compare
from services.matching.domain.gates import Search
from services.matching.domain.ranking import OutOfStep, Rules, explain, look, search_for
from services.matching.domain.therapist import Therapist
from services.matching.handlers.reading import Kept
from shared.contract.ids import TherapistId
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Again:
    """A ranking that was made again."""

    same: bool
    """Whether the recorded policy gave the recorded answer, byte for byte."""

    comparison: Comparison


@dataclass(frozen=True, slots=True)
class _Made:
    search: Search
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
        """The ranking under the recorded policy and under the other; None once its person was erased.

        Raises OutOfStep if the directory cannot be made again as it was.
        """
        details = None if ranking.details is None else await tx.open(ranking.details)
        recorded = await tx.open(ranking.answer)
        if details is None or recorded is None:
            return None
        case = Kept.model_validate_json(details)
        await self._directory.turn_to(tx, ranking.sight)
        rules = self._recorded[ranking.policy]
        old = await self._make(tx, ranking, case, rules)
        new = old
        other = self._others[ranking.policy]
        if other.digest != rules.digest:
            new = await self._make(tx, ranking, case, other)
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
        )
        return Again(store.digest_of(old.answer) == recorded, comparison)

    async def _make(self, tx: Transaction, ranking: store.Ranking, case: Kept, rules: Rules) -> _Made:
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
        found = look(search, self._directory.engine(rules.digest), rules)
        therapists = await store.entries_as_seen(tx, ranking.sight, list(found.therapists))
        return _Made(search, explain(search, found, therapists, rules), therapists)


__all__ = ["Again", "OutOfStep", "Replay"]
