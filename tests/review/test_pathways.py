"""Which pathway is taken staff choose: the page says what each could give, and every caution once."""

import re

import pytest

from services.review.domain import cautions
from shared.contract import matching
from shared.contract.vocabulary import Condition, Evidence, Format, Variant
from tests.review.builders import Office, page_url
from tests.support.builders import a_candidate, a_pathway, a_proposal, a_request


async def test_staff_read_what_else_a_therapist_could_give(office: Office) -> None:
    request = a_request()
    shortlist = matching.Shortlist(
        candidates=(
            a_candidate("ada", variant=Variant.IPT_A, also=(Variant.IPT_AST, Variant.FB_IPT)),
            a_candidate("ben", variant=Variant.IPT_A),
        ),
        pathways=(a_pathway(),),
    )

    await office.hear(request, a_proposal(request, shortlist=shortlist))
    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert "could also give IPT-AST (skills training), FB-IPT (family-based)" in page
    assert page.count("could also give") == 1


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
    assert cautions.of_candidate(ada, PATHWAYS) == (LATER,)


def test_where_there_is_one_pathway_its_cautions_are_its_own() -> None:
    assert cautions.of_all((TOGETHER,)) == ()
    assert cautions.of_pathway(TOGETHER, (TOGETHER,)) == (GROUP, CONSENT)


@pytest.mark.parametrize("pathways", [(), (ALONE,), (TOGETHER, a_pathway(variant=Variant.IPT_AST))])
def test_what_not_every_pathway_of_a_therapist_says_stands_with_them(
    pathways: tuple[matching.Pathway, ...],
) -> None:
    ada = a_candidate("ada", variant=Variant.IPT_AST, cautions=(GROUP,))

    assert cautions.of_candidate(ada, pathways) == (GROUP,)


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
