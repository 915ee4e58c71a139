"""Pages as a browser without JavaScript sees them and answers them."""

from html.parser import HTMLParser

import httpx

from shared.contract import intake
from tests.review.builders import page_url


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of one kind."""
        return [attributes for name, attributes in self.found if name == tag]


def in_order(text: str, *parts: str) -> bool:
    """Whether all parts are there, one after the other."""
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


async def send(
    client: httpx.AsyncClient, request: intake.RequestSubmitted, action: str, **form: object
) -> httpx.Response:
    """Opens the case and sends one of its forms."""
    await client.get(page_url(request))
    return await client.post(page_url(request, action), data={"version": 2, **form})
