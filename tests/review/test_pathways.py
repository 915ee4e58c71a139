"""Which pathway is taken staff choose: the page says what each could give, and every caution once."""

import json
import re

import pytest

from services.review.domain import cautions
from shared.contract import intake, matching
from shared.contract.review import MatchConfirmed
from shared.contract.vocabulary import Condition, Evidence, Format, Mode, Variant
from shared.kit.keyring.sealing import open_event
from tests.review.browsing import send
from tests.review.builders import REASON, Office, decide, page_url
from tests.support.builders import a_candidate, a_group, a_pathway, a_proposal, a_request, another, id_of


async def test_staff_read_what_else_a_therapist_could_give(office: Office) -> None:
    request = a_request()
    shortlist = matching.Shortlist(
        candidates=(
            a_candidate(
                "ada",
                variant=Variant.IPT_A,
                other_pathways=(another(Variant.IPT_AST, 640), another(Variant.FB_IPT, 512)),
            ),
            a_candidate("ben", variant=Variant.IPT_A),
        ),
        pathways=(a_pathway(),),
    )

    await office.hear(request, a_proposal(request, shortlist=shortlist))
    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    ada, ben = page.split("<h4>Therapist Ada")[1].split("<h4>Therapist Ben")
    skills, family = ada.split("could also give ")[1:]
    assert skills.startswith("IPT-AST (skills training)</span><span>640 points")
    assert family.startswith("FB-IPT (family-based)</span><span>512 points")
    assert "could also give" not in ben


async def test_each_choice_is_explained_with_its_own_group_cautions_reasons_and_plain_words(
    office: Office,
) -> None:
    request = a_request()
    ends = matching.Caution(code="credential_ends", text="Accreditation for FB-IPT ends on 27 November.")
    reason = matching.Reason(term="format", field="details.format", points=90, text="Sessions as a family.")
    family = another(
        Variant.FB_IPT,
        cautions=(ends,),
        reasons=(reason,),
        for_client=("With the family.",),
        mode=Mode.IN_PERSON,
    )
    skills = another(Variant.IPT_AST, group=a_group())
    ada = a_candidate("ada", variant=Variant.IPT_A, other_pathways=(family, skills))
    shortlist = matching.Shortlist(candidates=(ada,), pathways=(a_pathway(),))

    await office.hear(request, a_proposal(request, shortlist=shortlist))
    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    listed, with_family, in_group = page.split("</ol>")[0].split("could also give ")
    for told in (ends.text, reason.text, "With the family.", "in person"):
        assert told in with_family
        assert told not in listed + in_group
    assert "sessions alone first" in in_group
    assert "sessions alone first" not in listed + with_family


async def a_case_with_two_ways(office: Office) -> intake.RequestSubmitted:
    """Ada is listed for one pathway and could give another; Ben could give one."""
    request = a_request()
    shortlist = matching.Shortlist(
        candidates=(
            a_candidate("ada", variant=Variant.IPT_A, other_pathways=(another(Variant.FB_IPT, 512),)),
            a_candidate("ben", variant=Variant.IPT_A, other_pathways=(another(Variant.IPT_AST, 480),)),
        ),
        pathways=(a_pathway(),),
    )
    await office.hear(request, a_proposal(request, shortlist=shortlist))
    return request


async def chosen(office: Office, request: intake.RequestSubmitted) -> Variant | None:
    """Which pathway the decision names; it is sealed on its way."""
    [said] = await office.said(request.request_id)
    assert "variant" not in json.dumps(said.document["variant"])
    event = await open_event(MatchConfirmed, said.document, office.database.keys)
    assert isinstance(event, MatchConfirmed)
    return event.variant


@pytest.mark.parametrize(
    ("action", "fields", "variant", "told"),
    [
        ("confirm", {}, Variant.IPT_A, "Therapist Ada</strong>, IPT-A (adolescents), on"),
        (
            "confirm",
            {"variant": "fb-ipt"},
            Variant.FB_IPT,
            "Therapist Ada</strong>, FB-IPT (family-based), on",
        ),
        (
            "choose",
            {"choice": f"{id_of('ben')} ipt-ast", "reason": REASON},
            Variant.IPT_AST,
            "Therapist Ben</strong>, IPT-AST (skills training), on",
        ),
    ],
)
async def test_staff_choose_the_pathway_with_the_therapist(
    office: Office, action: str, fields: dict[str, str], variant: Variant, told: str
) -> None:
    request = await a_case_with_two_ways(office)

    async with office.browser() as bea:
        answer = await send(bea, request, action, **fields)
        page = (await bea.get(answer.headers["location"])).text

    assert await chosen(office, request) is variant
    assert told in page
    assert f"({told.partition('<')[0]}, {told.split(', ')[1]})" in page, "the history tells it as well"
    assert ("on another pathway than they are listed for" in page) is (
        "variant" in fields or "choice" in fields
    )


async def test_a_pathway_that_nobody_offered_is_refused_beside_its_field(office: Office) -> None:
    request = await a_case_with_two_ways(office)

    async with office.browser() as bea:
        answer = await send(bea, request, "confirm", variant="ipt-ast")
    async with office.program("cem") as cem:
        refused = await decide(cem, request, "choose", therapist_id=str(id_of("ben")), variant="fb-ipt")

    assert answer.status_code == refused.status_code == 422
    assert "Pathway: is not what this therapist is listed for" in answer.text
    assert {each["field"] for each in refused.json()["errors"]} == {"variant", "reason"}
    assert await office.said(request.request_id) == []


CONSENT = matching.Caution(code="consent", text="Under 16: record this parent's consent first.")
GROUP = matching.Caution(code="format_differs", text="IPT-AST is given in a group.")
LATER = matching.Caution(code="starts_later", text="Cannot begin before 16 December.")
ALONE = a_pathway(variant=Variant.IPT_A, cautions=(CONSENT,))
TOGETHER = a_pathway(variant=Variant.IPT_AST, format=Format.GROUP, cautions=(GROUP, CONSENT))
PATHWAYS = (ALONE, TOGETHER)


def test_a_caution_is_said_of_all_pathways_of_one_or_of_a_therapist_and_none_is_lost() -> None:
    ada = a_candidate("ada", variant=Variant.IPT_AST, cautions=(GROUP, CONSENT, LATER))

    assert cautions.of_all(PATHWAYS) == (CONSENT,)
    assert [cautions.of_pathway(each, PATHWAYS) for each in PATHWAYS] == [(), (GROUP,)]
    assert cautions.of_choice(ada, PATHWAYS) == (LATER,)


def test_where_there_is_one_pathway_its_cautions_are_its_own() -> None:
    assert cautions.of_all((TOGETHER,)) == ()
    assert cautions.of_pathway(TOGETHER, (TOGETHER,)) == (GROUP, CONSENT)


@pytest.mark.parametrize("pathways", [(), (ALONE,), (TOGETHER, a_pathway(variant=Variant.IPT_AST))])
def test_what_not_every_pathway_of_a_therapist_says_stands_with_them(
    pathways: tuple[matching.Pathway, ...],
) -> None:
    ada = a_candidate("ada", variant=Variant.IPT_AST, cautions=(GROUP,))

    assert cautions.of_choice(ada, pathways) == (GROUP,)


async def test_staff_read_who_comes_first_then_each_caution_once(office: Office) -> None:
    request = a_request()
    shortlist = matching.Shortlist(
        candidates=(
            a_candidate("ada", variant=Variant.IPT_AST, cautions=(GROUP, CONSENT)),
            a_candidate("ben", variant=Variant.IPT_A, cautions=(CONSENT, LATER)),
        ),
        pathways=PATHWAYS,
    )

    await office.hear(request, a_proposal(request, shortlist=shortlist))
    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    first = "<strong>Therapist Ada</strong> comes first, for IPT-AST (skills training), with 712 points"
    assert page.index(first) < page.index("IPT-AST is given in a group.") < page.index("<h4>Therapist Ada")
    assert [page.count(each.text.replace("'", "&#39;")) for each in (CONSENT, GROUP, LATER)] == [1, 1, 1]
    ada, ben = page.split("<h4>Therapist Ada")[1].split("<h4>Therapist Ben")
    assert "what is said of IPT-AST (skills training) above" in ada
    assert "above</a>" not in ben
    assert LATER.text in ben


async def test_of_all_on_the_list_only_the_first_shows_every_point_at_once(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    points = re.findall(r"<details( open)?>\s*<summary>Why \d+ points", page)
    assert points == [" open", "", ""]


async def test_a_source_is_the_link_to_its_page_and_nothing_in_it_is_taken_for_a_tag(office: Office) -> None:
    request = a_request()
    support = matching.Support(
        condition=Condition.DEPRESSION,
        evidence=Evidence.STRONG,
        source="Carr <2014>, couples, https://papers.example/a?b=1&c=2; the points are the clinic's own",
    )
    pathway = a_pathway(
        supports=(support,), rule_sources=("ISIPT, https://isipt.example/", "The clinic's own page")
    )

    shortlist = matching.Shortlist(candidates=(a_candidate("ada"),), pathways=(pathway,))
    await office.hear(request, a_proposal(request, shortlist=shortlist))
    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    carr = '<a href="https://papers.example/a?b=1&amp;c=2" rel="noreferrer">Carr &lt;2014&gt;, couples</a>'
    assert f"{carr}; the points are the clinic&#39;s own" in page
    assert '(<a href="https://isipt.example/" rel="noreferrer">ISIPT</a>; The clinic&#39;s own page)' in page
