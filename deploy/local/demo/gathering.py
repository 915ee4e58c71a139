"""A group: people ask for one, a person decides for each, and with the last who is needed it is formed."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from deploy.local.demo.doors import Doors
from deploy.local.demo.people import Asking
from deploy.local.demo.staff import Staff
from deploy.local.demo.story import Story
from deploy.local.demo.watching import Listener, Said

HELD = ("place_held", "client")


async def gather(
    asking: Sequence[Asking],
    doors: Doors,
    listener: Listener,
    staff: Staff,
    *,
    first: int,
    patience: float,
    show: Callable[[Story, Said | None], None],
) -> list[Story]:
    """Lets one after the other ask and be decided on; `show` hears what matching said to each decision."""
    stories: list[Story] = []
    for number, each in enumerate(asking, first):
        story = Story(number, await doors.submit(each))
        stories.append(story)
        request_id = story.submitted.request_id
        # A decision within a blink would hold the thanks back.
        await listener.until(partial(_told, "acknowledgement", request_id), patience)
        if request_id is None or not await staff.find({request_id}, "ready", patience):
            continue
        story.case = await staff.case(request_id)
        story.decision = await staff.decide(each, story.case)
        answer = await listener.until(partial(_placed, request_id), patience)
        show(story, answer)
        if answer is not None and answer.name == "group-place-held":
            # The last member would hold this back as well.
            await listener.until(partial(_told, HELD[0], request_id), patience)
            # Whoever decides next must see who is in it.
            await staff.find({request_id}, "place_held", patience)
    return stories


def missing(stories: Sequence[Story]) -> Iterator[str]:
    """What a group should have come to and did not."""
    held = [story for story in stories if story.event("group-place-held") is not None]
    if len(held) != len(stories) - 1:
        yield f"{len(held)} of the group's {len(stories)} had a place held, and only the last should not"
    for story in held:
        if story.letter(*HELD) is None:
            yield f"{story.number}. {story.title}: no mail says that a place is held"
    if len({story.decision.therapist_id for story in stories if story.decision is not None}) != 1:
        yield "the group's members were not decided on for one therapist"


def _told(kind: str, request_id: str | None, said: list[Said]) -> bool | None:
    mails = [each for each in said if each.name == "message-sent" and each.request_id == request_id]
    return any(each.body["kind"] == kind for each in mails) or None


def _placed(request_id: str, said: list[Said]) -> Said | None:
    for each in said:
        if each.request_id == request_id and each.name in {"group-place-held", "seat-reserved"}:
            return each
    return None
