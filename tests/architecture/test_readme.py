"""The README says what the code does: its events, rooms and commands; and no link leads nowhere."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from shared.contract.catalogue import EVENTS
from shared.kit.handlers import Handlers

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted(page for part in ("services", "shared", "deploy") for page in (ROOT / part).rglob("*.md"))
SERVICES = ("intake", "matching", "notify", "review")
OUTSIDE = {"intake.rejections": "the partner", "matching.directory": "directories"}


def handlers_of(service: str) -> Handlers:
    handlers = import_module(f"services.{service}.handlers").handlers
    assert isinstance(handlers, Handlers)
    return handlers


def test_the_event_table_is_what_the_services_say_and_hear() -> None:
    table = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]+) \|$", README, re.MULTILINE)

    written = {name: (producer, heard.strip()) for name, producer, heard in table}
    hearers = {
        event.__name__: ", ".join(name for name in SERVICES if event in handlers_of(name).events)
        for event in EVENTS.values()
    }
    assert written == {
        event.__name__: (event.type.split(".")[1], hearers[event.__name__] or OUTSIDE[event.stream])
        for event in EVENTS.values()
    }


def test_the_drawing_and_the_map_name_every_service_and_every_stream_between_them() -> None:
    for name in SERVICES:
        assert f"`services/{name}`" in README
    for stream in {event.stream for event in EVENTS.values()}:
        assert stream in README


def test_every_make_command_of_the_readme_is_there() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)\b", README, re.MULTILINE)) <= set(targets)


def test_every_place_of_the_map_exists() -> None:
    for place in re.findall(r"^\| `([a-z/]+)` \|", README, re.MULTILINE):
        assert (ROOT / place).is_dir()


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_every_link_to_another_page_leads_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
