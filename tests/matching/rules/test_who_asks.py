"""Who asks for the client: what staff are told of it, from the request on and as often as it is ranked."""

import re
from random import Random

import pytest

from services.matching.domain.pathways import Pathways, pathways_of
from services.matching.store.directory import save_therapists
from shared.contract.matching import Caution, MatchProposed
from shared.contract.sealing import opened
from shared.contract.vocabulary import FlagKind, RequesterRole
from shared.kit.database import Database
from tests.matching.builders import RULES, THE_DAY, a_therapist, born
from tests.matching.policies import changed, faults_of
from tests.matching.random_matching import random_case
from tests.matching.recorded import a_matcher, hear, made_again
from tests.support.builders import a_case, a_contact, a_flag, a_rematch, a_request

OTHERS = [RequesterRole.PARENT, RequesterRole.CARER, RequesterRole.PROFESSIONAL]


def told(age: int, asked_by: RequesterRole | None, *signs: FlagKind) -> dict[str, str]:
    flags = tuple(map(a_flag, signs))
    case = a_case(date_of_birth=born(age), diagnosed=True, flags=flags)
    found = pathways_of(case, THE_DAY, RULES.policy, asked_by)
    return {caution.code: caution.text for caution in found.fitting[0].cautions}


def pathways(found: Pathways) -> list[tuple[str, str]]:
    return [(pathway.variant, pathway.format) for pathway in found.fitting]


def test_who_asks_never_changes_which_variants_fit() -> None:
    dice = Random(11)
    for _ in range(500):
        case = random_case(dice)
        unknown = pathways_of(case, THE_DAY, RULES.policy)

        for role in RequesterRole:
            found = pathways_of(case, THE_DAY, RULES.policy, role)
            assert pathways(found) == pathways(unknown)
            assert [out.variant for out in found.ruled_out] == [out.variant for out in unknown.ruled_out]


@pytest.mark.parametrize(
    ("asked_by", "words"),
    [
        (RequesterRole.SELF, "the client asks alone. A professional judges Gillick competence"),
        (RequesterRole.PARENT, "record this parent's consent, or Gillick competence"),
        (RequesterRole.CARER, "Only who has parental responsibility can consent"),
        (RequesterRole.PROFESSIONAL, "a professional asks, which is nobody's consent"),
        (None, "record Gillick competence or a parent's consent first."),
    ],
)
def test_below_sixteen_it_is_told_whose_consent_is_to_be_had(
    asked_by: RequesterRole | None, words: str
) -> None:
    assert told(15, asked_by)["consent"].startswith("Under 16: ")
    assert words in told(15, asked_by)["consent"]
    assert "consent" not in told(16, asked_by)


@pytest.mark.parametrize("asked_by", OTHERS)
@pytest.mark.parametrize("age", [16, 17, 18, 40])
def test_from_sixteen_the_client_is_heard_whoever_else_asks(age: int, asked_by: RequesterRole) -> None:
    assert "the client decides" in told(age, asked_by)["own_consent"]
    assert "own_consent" not in told(age, RequesterRole.SELF)
    assert "own_consent" not in told(15, asked_by)


@pytest.mark.parametrize("sign", [FlagKind.BEING_HURT, FlagKind.CHILD_AT_RISK])
@pytest.mark.parametrize("asked_by", [*RequesterRole, None])
@pytest.mark.parametrize("age", [12, 15, 16, 40])
def test_nobody_is_asked_for_consent_who_may_be_who_does_harm(
    age: int, asked_by: RequesterRole | None, sign: FlagKind
) -> None:
    code = "consent" if age < 16 else "own_consent"
    plain, said = told(age, asked_by), told(age, asked_by, sign)

    assert said.keys() == plain.keys() - {f"asked_by_{asked_by}"} | {f"flag_{sign}"}
    assert "safeguarding lead first" in said[f"flag_{sign}"]
    if code in plain:
        assert "ee the client alone" in said[code]
        assert "safeguarding lead first. Ask no " in said[code]
        assert "ecord" not in said[code]
        assert said[code].startswith("Under 16: " if age < 16 else "A ")


@pytest.mark.parametrize("sign", [FlagKind.BEING_HURT, FlagKind.CHILD_AT_RISK])
@pytest.mark.parametrize("asked_by", RequesterRole)
@pytest.mark.parametrize("adult", [True, False])
def test_an_adult_who_may_be_who_does_harm_is_not_asked_to_come(
    adult: bool, asked_by: RequesterRole, sign: FlagKind
) -> None:
    case = a_case(date_of_birth=born(9), attending_adult=adult, flags=(a_flag(sign),))

    found = pathways_of(case, THE_DAY, RULES.policy, asked_by)

    said = [caution.text for pathway in found.fitting for caution in pathway.cautions]
    said += [out.rule for out in found.ruled_out]
    assert ("FB-IPT needs an adult who comes to every session." in said) is not adult
    assert [text for text in said if re.search(r"ask (?!no)", text.lower())] == []


def test_why_no_adult_comes_stands_on_its_own_source() -> None:
    case = a_case(date_of_birth=born(9), attending_adult=False)

    for role, said in RULES.policy.who_asks.no_adult.items():
        found = pathways_of(case, THE_DAY, RULES.policy, role)
        [out] = [each for each in found.ruled_out if each.variant == "fb-ipt"]
        assert out.rule == f"FB-IPT needs an adult who comes to every session. {said.text}"
        assert out.source == RULES.policy.sources[said.source]


@pytest.mark.parametrize("asked_by", OTHERS)
async def test_staff_are_told_who_asks_with_every_proposal(
    database: Database, asked_by: RequesterRole
) -> None:
    async with database.transaction() as tx:
        await save_therapists(tx, [a_therapist("ada"), a_therapist("ben")])
    request = a_request(contact=a_contact(requester_role=asked_by))
    expected = Caution(code="own_consent", text=RULES.policy.who_asks.from_consent_age[asked_by].text)

    [first] = await hear(database, a_matcher(), request)
    assert isinstance(first, MatchProposed)
    [second] = await hear(database, a_matcher(), a_rematch(first, "ada"))

    assert isinstance(second, MatchProposed)
    for proposal in (first, second):
        shortlist = opened(proposal.shortlist)
        assert all(expected in pathway.cautions for pathway in shortlist.pathways)
        assert all(expected in candidate.cautions for candidate in shortlist.candidates)
    # The record knows who asked as well: it gives the same bytes.
    assert [again is not None and again.same for again in await made_again(database)] == [True, True]


@pytest.mark.parametrize(
    ("table", "role"),
    [
        (table, role)
        for table in ("below_consent_age", "from_consent_age", "where_harm", "no_adult")
        for role in (OTHERS if table == "from_consent_age" else RequesterRole)
    ],
)
def test_a_policy_says_something_of_everybody_who_may_ask(table: str, role: RequesterRole) -> None:
    header = f"[who_asks.{table}]"
    gone = changed(header, f"\n{role} = ", "\n# ")
    blank = changed(header, f"\n{role} = ", f'\n{role} = {{ text = " ", source = "offer" }} #')
    hearsay = changed(header, f"\n{role} = ", f'\n{role} = {{ text = "Ask.", source = "hearsay" }} #')
    line = gone[: gone.index(header)].count("\n") + 1
    row = blank[: blank.index(f"\n{role} = ", blank.index(header))].count("\n") + 2

    assert faults_of(gone) == [f"line {line}, who_asks.{table}.{role} is missing"]
    [fault] = faults_of(blank)
    assert fault.startswith(f"line {row}, who_asks.{table}.{role}.text: ")
    assert faults_of(hearsay) == [f"line {row}, who_asks.{table}.{role}.source is not among the sources"]


def test_what_a_form_says_of_who_asks_has_a_source_too() -> None:
    text = changed(
        "[[forms]]", 'still be seen.", source = "involving"', 'still be seen.", source = "hearsay"'
    )
    row = text[: text.index('"hearsay"')].count("\n") + 1

    assert faults_of(text) == [f"line {row}, forms.2.asked_by_cautions.self.source is not among the sources"]
