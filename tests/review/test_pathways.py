"""Which pathway is taken staff choose, so the page says all that each therapist could give."""

from shared.contract import matching
from shared.contract.vocabulary import Variant
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
