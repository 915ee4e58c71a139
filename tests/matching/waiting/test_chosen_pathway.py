"""Staff choose among the pathways that a therapist could give, and what they chose is what is looked at."""

from dataclasses import replace

from services.matching.domain.therapist import Therapist
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import (
    GroupPlaceHeld,
    MatchProposed,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
)
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import Format, Slot, Variant
from shared.kit.database import Database
from tests.matching.answers import a_choice, one
from tests.matching.builders import THE_DAY, a_therapist, an_accreditation, born
from tests.matching.gathering import Hear, in_directory, seats_free, somebody
from tests.support.builders import a_case, a_request

BOTH = a_therapist(
    "ada",
    accreditations=(an_accreditation(Variant.IPT_A), an_accreditation(Variant.FB_IPT)),
    age_groups=frozenset({"children", "adolescents"}),
    formats=frozenset({Format.INDIVIDUAL, Format.FAMILY}),
)
"""Who could see somebody of 12 alone or with the family."""


def twelve(asked: Format) -> RequestSubmitted:
    return a_request(details=a_case(date_of_birth=born(12), format=asked, attending_adult=True))


async def test_the_format_that_was_asked_for_comes_first_and_the_other_may_be_chosen(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, BOTH)

    for asked, first, other in (
        (Format.FAMILY, Variant.FB_IPT, Variant.IPT_A),
        (Format.INDIVIDUAL, Variant.IPT_A, Variant.FB_IPT),
    ):
        proposal = one(await hear(twelve(asked)), MatchProposed)
        [candidate] = opened(proposal.shortlist).candidates
        assert candidate.variant is first
        assert [each.variant for each in candidate.other_pathways] == [other]

        assert one(await hear(a_choice(proposal, variant=other)), SeatReserved).therapist_id == BOTH.id


async def test_a_group_that_somebody_could_give_instead_takes_a_place_in_it_and_no_seat_alone(
    database: Database, hear: Hear
) -> None:
    held = (an_accreditation(Variant.IPT_A), an_accreditation(Variant.IPT_AST))
    await in_directory(database, a_therapist("ada", accreditations=held))
    proposal = one(await hear(somebody(format=Format.INDIVIDUAL)), MatchProposed)
    [candidate] = opened(proposal.shortlist).candidates
    [other] = candidate.other_pathways

    said = await hear(a_choice(proposal, variant=Variant.IPT_AST))

    assert (candidate.variant, candidate.group, other.variant) == (Variant.IPT_A, None, Variant.IPT_AST)
    place = one(said, GroupPlaceHeld)
    shown, got = other.group, opened(place.group)
    assert shown is not None
    assert (got.slot, got.language, got.members) == (shown.slot, shown.language, 1)


async def test_who_leads_a_group_at_every_time_in_common_could_give_nobody_another(
    database: Database, hear: Hear
) -> None:
    held = (an_accreditation(Variant.IPT_A), an_accreditation(Variant.IPT_AST))
    await in_directory(database, a_therapist("ada", accreditations=held))
    one_time = {"availability": (Slot.TUE_EVENING,)}
    first = one(await hear(somebody(12, format=Format.GROUP, **one_time)), MatchProposed)
    one(await hear(a_choice(first)), GroupPlaceHeld)

    # In a group with whom they are too far apart in age.
    proposal = one(await hear(somebody(16, format=Format.INDIVIDUAL, **one_time)), MatchProposed)

    [candidate] = opened(proposal.shortlist).candidates
    assert candidate.variant is Variant.IPT_A
    assert candidate.other_pathways == ()


async def test_a_pathway_that_was_not_offered_with_them_takes_no_seat(database: Database, hear: Hear) -> None:
    await in_directory(database, BOTH)
    proposal = one(await hear(twelve(Format.FAMILY)), MatchProposed)

    said = one(await hear(a_choice(proposal, variant=Variant.SYSTEMIC)), SeatUnavailable)

    assert said.reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert await seats_free(database, "ada") == BOTH.seats_free


async def test_only_the_chosen_pathway_must_still_be_open(database: Database, hear: Hear) -> None:
    await in_directory(database, BOTH)
    proposals = [one(await hear(twelve(Format.FAMILY)), MatchProposed) for _ in range(2)]
    await in_directory(database, without(BOTH, Variant.FB_IPT))

    lapsed = await hear(a_choice(proposals[0]))
    other = await hear(a_choice(proposals[1], variant=Variant.IPT_A))

    assert one(lapsed, SeatUnavailable).reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert one(other, SeatReserved).therapist_id == BOTH.id


def without(therapist: Therapist, variant: Variant) -> Therapist:
    """The same once an accreditation has run out."""
    held = [
        replace(each, expires_on=THE_DAY.replace(year=THE_DAY.year - 1)) if each.variant is variant else each
        for each in therapist.accreditations
    ]
    return replace(therapist, accreditations=tuple(held))


async def test_nobody_is_given_a_seat_alone_for_what_is_given_in_a_group(
    database: Database, hear: Hear
) -> None:
    held = (an_accreditation(Variant.IPT_A), an_accreditation(Variant.IPT_AST))
    await in_directory(database, a_therapist("ada", accreditations=held))
    proposal = one(await hear(somebody(format=Format.INDIVIDUAL)), MatchProposed)
    await forget_group(database, proposal)

    said = one(await hear(a_choice(proposal, variant=Variant.IPT_AST)), SeatUnavailable)

    assert said.reason is SeatRefusal.GROUP_GONE
    assert await seats_free(database, "ada") == 4


async def forget_group(database: Database, proposal: MatchProposed) -> None:
    """As a build kept a shortlist that did not say in which group the other pathway would be."""
    shortlist = opened(proposal.shortlist)
    [ada] = shortlist.candidates
    others = tuple(each.model_copy(update={"group": None}) for each in ada.other_pathways)
    older = shortlist.model_copy(update={"candidates": (ada.model_copy(update={"other_pathways": others}),)})
    async with database.transaction() as tx:
        sealed = await tx.seal(proposal.subject_id, Purpose.CLINICAL, older.model_dump_json().encode())
        status = await tx.execute(
            "UPDATE proposals SET shortlist = $2 WHERE id = $1", proposal.proposal_id, sealed
        )
    assert status == "UPDATE 1"
