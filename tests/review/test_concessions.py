"""What the client could give on is said to staff as people speak."""

from shared.contract import matching
from shared.contract.ids import TherapistId
from tests.review.builders import Office, page_url
from tests.support.builders import a_candidate, a_pathway, a_proposal, a_request, id_of


async def test_staff_read_what_would_change_the_order_and_who_would_come_first(office: Office) -> None:
    request = a_request()
    texts = {
        "distance": "up to 9 km away instead of 4 km",
        "preference": "ideally LGBTQ-affirming, but not necessarily",
    }
    concessions = tuple(
        matching.Concession(
            code=code, text=text, therapist_id=TherapistId(id_of("ben")), name="Ben", score=800
        )
        for code, text in texts.items()
    )
    shortlist = matching.Shortlist(
        candidates=(a_candidate("ada"),), pathways=(a_pathway(),), concessions=concessions
    )

    await office.hear(request, a_proposal(request, shortlist=shortlist))
    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert "Up to 9 km away instead of 4 km: Ben would come first (800 points)." in page
    assert "Ideally LGBTQ-affirming, but not necessarily: Ben would come first (800 points)." in page


async def test_staff_read_of_each_what_sets_them_behind_and_what_would_turn_it_round(office: Office) -> None:
    request = a_request()
    rises = tuple(
        matching.Rise(code=code, text=text)
        for code, text in (("times", "Monday mornings as well"), ("mode", "online sessions as well"))
    )
    behind = "36 points behind Therapist Ada: 50 less for times in common and 14 more for fee."
    shortlist = matching.Shortlist(
        candidates=(a_candidate("ada"), a_candidate("ben", behind=behind, rises=rises)),
        pathways=(a_pathway(),),
    )

    await office.hear(request, a_proposal(request, shortlist=shortlist))
    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    ada, ben = page.split("<h4>Therapist Ben")
    assert "Would come before them with:" not in ada
    assert behind in ben
    assert "Would come before them with:</strong> Monday mornings as well, or online sessions as well." in ben
