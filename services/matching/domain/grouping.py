"""Groups: what one is, who can come into it, and which one the first decision for it would open."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain.gates import Fit, Gate, Search, begins_in_time, check, credentials, is_fresh
from services.matching.domain.languages import common
from services.matching.domain.policy import Policy
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Therapist
from shared.ages import age_on
from shared.contract.ids import GroupId, TherapistId
from shared.contract.matching import Candidate, Group, Pathway
from shared.contract.vocabulary import Format, Mode, Slot, Variant


@dataclass(frozen=True, slots=True)
class Gathering:
    """A group as it stands, or as open proposals would open it."""

    id: GroupId | None
    therapist_id: TherapistId
    variant: Variant
    slot: Slot
    mode: Mode
    language: str
    least: int
    most: int
    members: int = 0
    """Who has a place, by a person's decision."""

    promised: int = 0
    """Places that open proposals name first; nobody has them yet."""

    born: tuple[date, ...] = ()
    """Of the members; before there are any, of those it is proposed to."""

    deadline: datetime | None = None
    joinable_until: datetime | None = None
    """Given once it is formed."""


def joining(
    search: Search, pathway: Pathway, group: Gathering, therapist: Therapist, rules: Rules
) -> Fit | None:
    """How somebody would come into a group; None if it is not for them, or any gate but the seat bars it."""
    if group.slot not in search.case.availability:
        return None
    return joining_in_time(search, pathway, group, therapist, rules)


def joining_in_time(
    search: Search, pathway: Pathway, group: Gathering, therapist: Therapist, rules: Rules
) -> Fit | None:
    """The same for a group whose time suits them."""
    case = search.case
    if pathway.variant is not group.variant or group.members + group.promised >= group.most:
        return None
    if common(case.languages, (group.language,)) is None or case.mode not in (group.mode, Mode.EITHER):
        return None
    if not _near_in_age(search, group, rules.policy):
        return None
    if therapist.seats_offered == 0 or (group.id is None and therapist.seats_free < 1):
        return None
    # Client and leader may have another language in common, in which the others were not promised a group.
    if not leads_in(group.language, therapist):
        return None
    # The group has its seat; whoever comes into it needs none.
    seated = replace(therapist, seats_free=max(1, therapist.seats_free))
    there = narrowed(search, group.mode)
    fit = check(replace(there, spoken_for={}), pathway, seated, rules.policy, rules.places)
    return meeting(search, replace(fit, therapist=therapist), group) if isinstance(fit, Fit) else None


def meeting(search: Search, fit: Fit, group: Gathering) -> Fit:
    """The same fit in a group, which meets in no other time or language that leader and client may share."""
    spoken = common(search.case.languages, (group.language,)) or fit.language
    return replace(fit, shared_slots=(group.slot,), language=spoken)


def leads_in(language: str, therapist: Therapist) -> bool:
    """Whether somebody works in the language of a group."""
    return common((language,), therapist.languages) is not None


def may_lead(therapist: Therapist | None, group: Gathering, on: date, rules: Rules) -> bool:
    """Whether somebody may still lead a group that gathers; that it has their time and seat is no matter."""
    # Who offers no seat at all has left.
    if therapist is None or therapist.seats_offered == 0:
        return False
    ages = [age_on(on, born) for born in group.born]
    sees = [rules.policy.age_groups[each] for each in therapist.age_groups]
    return (
        not isinstance(credentials(therapist, group.variant, on), Gate)
        and is_fresh(therapist, on, rules.policy)
        and begins_in_time(therapist, on, rules.policy)
        and Format.GROUP in therapist.formats
        and group.mode in therapist.modes
        and leads_in(group.language, therapist)
        # A member who has grown out of it does not end the group for the others.
        and (not ages or any(age in span for age in ages for span in sees))
    )


def narrowed(search: Search, mode: Mode) -> Search:
    """The same search for sessions online or in person only."""
    if search.case.mode is mode:
        return search
    return replace(search, case=search.case.model_copy(update={"mode": mode}))


def opening(search: Search, fit: Fit, slot: Slot, policy: Policy) -> Gathering:
    """The group that would be opened for somebody as the first, at one of their times."""
    size, spoken = policy.groups[fit.pathway.variant].size, fit.language.works_in
    # Where it is not clear which they meant, one that they named as well is.
    language = next((each for each in spoken if each in search.case.languages), spoken[0])
    return Gathering(
        None,
        fit.therapist.id,
        fit.pathway.variant,
        slot,
        fit.mode,
        language,
        size.least,
        size.most,
    )


def as_told(group: Gathering, policy: Policy) -> Group:
    """A group as others read of it; only who has a place counts as a member."""
    rules = policy.groups[group.variant]
    return Group(
        group_id=group.id,
        slot=group.slot,
        language=group.language,
        members=group.members,
        least=group.least,
        most=group.most,
        formed=group.joinable_until is not None,
        deadline=None if group.joinable_until else group.deadline,
        joinable_until=group.joinable_until,
        individual_first=rules.individual_first.sessions,
        sessions=rules.course.sessions,
        minutes=rules.course.minutes,
    )


def named_by(candidate: Candidate) -> Gathering | None:
    """The group that somebody on a shortlist stands for, as the next who looks for one must know it."""
    group = candidate.group
    if group is None:
        return None
    return Gathering(
        group.group_id,
        candidate.therapist_id,
        candidate.variant,
        group.slot,
        candidate.mode,
        group.language,
        group.least,
        group.most,
    )


def _near_in_age(search: Search, group: Gathering, policy: Policy) -> bool:
    ages = [age_on(search.on, born) for born in group.born] + [search.age]
    return max(ages) - min(ages) <= policy.groups[group.variant].age_span.years
