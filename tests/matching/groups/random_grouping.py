"""Random worlds of leaders, the groups they gather, and somebody who looks for one."""

from random import Random
from uuid import UUID

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Search
from services.matching.domain.grouping import Gathering
from services.matching.domain.offering import Around, Other
from services.matching.domain.ranking import Found, Rules, explain, look, search_for
from services.matching.domain.regrouping import with_groups
from services.matching.domain.therapist import Therapist
from shared.contract.ids import GroupId
from shared.contract.matching import Candidate, NothingFound, Shortlist
from shared.contract.vocabulary import Format, Mode, Slot, Therapy, Variant
from tests.matching.builders import RULES, THE_DAY, a_therapist, an_accreditation, born
from tests.matching.random_matching import some
from tests.support.builders import a_case

SLOTS = (Slot.TUE_EVENING, Slot.WED_MORNING, Slot.THU_EVENING)
AGES = (11, 12, 15, 17, 18, 25, 60)
"""On both sides of every limit of the variants that are given in groups."""


def a_leader(dice: Random, number: int) -> Therapist:
    variants = some(dice, (Variant.IPT, Variant.IPT_A, Variant.IPT_AST, Variant.IPT_G), 2, 4)
    return a_therapist(
        f"leader {number}",
        accreditations=tuple(map(an_accreditation, variants)),
        slots=frozenset(some(dice, SLOTS, 1, 3)),
        modes=frozenset(some(dice, (Mode.ONLINE, Mode.IN_PERSON), 1, 2)),
        languages=frozenset({"en", *some(dice, ("fr", "pl"), 0, 1)}),
        seats_offered=3,
        seats_free=dice.randint(0, 2),
    )


def a_seeker(dice: Random) -> Search:
    case = a_case(
        date_of_birth=born(dice.choice(AGES)),
        conditions=(),
        diagnosed=None,
        therapy=dice.choice((Therapy.EITHER, Therapy.IPT)),
        format=dice.choice((Format.GROUP, Format.GROUP, Format.INDIVIDUAL)),
        mode=dice.choice(tuple(Mode)),
        availability=tuple(some(dice, SLOTS, 0, 3)),
        languages=tuple(some(dice, ("en", "en", "fr", "pl"), 1, 2)),
        preferences=(),
    )
    return search_for(case, THE_DAY, RULES)


def a_gathering(dice: Random, number: int, leaders: list[Therapist]) -> Gathering:
    leader = dice.choice(leaders)
    variant = dice.choice((Variant.IPT_AST, Variant.IPT_G))
    size = RULES.policy.groups[variant].size
    members, eldest = dice.randint(0, size.most), dice.choice(AGES)
    return Gathering(
        id=GroupId(UUID(int=number)) if members else None,
        therapist_id=leader.id,
        variant=variant,
        slot=dice.choice(sorted(leader.slots)),
        mode=dice.choice(sorted(leader.modes)),
        language="en",
        least=size.least,
        most=size.most,
        members=members,
        promised=dice.randint(0, 2),
        born=tuple(born(eldest - dice.randint(0, 1)) for _ in range(members)),
    )


class World:
    """Some leaders, the groups they gather, and somebody who looks for one."""

    def __init__(self, dice: Random) -> None:
        leaders = [a_leader(dice, number) for number in range(6)]
        self.therapists = {leader.id: leader for leader in leaders}
        self.search = a_seeker(dice)
        groups = [a_gathering(dice, number, leaders) for number in range(12)]
        self.gathered = {group.id: group for group in groups if group.id is not None}
        self.busy = {
            leader.id: frozenset(
                each.slot for each in self.gathered.values() if each.therapist_id == leader.id
            )
            for leader in leaders
        }
        self.groups = tuple(
            each for each in groups if each.id is not None or each.slot not in self.busy[each.therapist_id]
        )
        self.others = tuple(Other.looking(a_seeker(dice), RULES) for _ in range(4))

        self.prices = {leader.id: dice.choice((0, 0, 5, 40, 200)) for leader in leaders}

    def answer(self, rules: Rules = RULES) -> Shortlist | NothingFound:
        return self.explained(self.found(len(self.therapists), rules), rules)

    def found(self, for_groups: int, rules: Rules = RULES) -> Found:
        """What the engine says, with so many named on each pathway."""
        engine = Engine(RULES.policy, RULES.places, THE_DAY)
        engine.put([entry_of(each) for each in self.therapists.values()])
        engine.set_prices(self.prices)
        return look(self.search, engine, rules, for_groups)

    def explained(self, found: Found, rules: Rules = RULES) -> Shortlist | NothingFound:
        alone = explain(self.search, found, self.therapists, rules)
        return with_groups(self.around(rules), found, alone, self.therapists)

    def around(self, rules: Rules = RULES) -> Around:
        """The groups that gather, and who else looks for one."""
        return Around(self.search, rules, self.groups, self.others, self.busy)

    def shuffle(self, dice: Random) -> None:
        """The same in another order."""
        for name in ("therapists", "gathered", "busy", "prices"):
            rows = list(getattr(self, name).items())
            dice.shuffle(rows)
            setattr(self, name, dict(rows))
        self.groups = tuple(dice.sample(self.groups, len(self.groups)))
        self.others = tuple(dice.sample(self.others, len(self.others)))

    def candidates(self, rules: Rules = RULES) -> tuple[Candidate, ...]:
        answer = self.answer(rules)
        return answer.candidates if isinstance(answer, Shortlist) else ()
