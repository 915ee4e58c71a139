"""A sample of every event ever published still parses, and what was said is what is read."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.contract import publishing
from shared.contract.catalogue import EVENTS
from shared.contract.event import Event
from shared.contract.matching import MatchNotFound, MatchProposed, Shortlist
from tests.support.every_event import one_of_each

SAMPLES = sorted(publishing.SAMPLES.glob("*.json"))


def test_every_event_has_a_sample() -> None:
    assert {path.name.removesuffix(".json") for path in SAMPLES} >= set(EVENTS)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_committed_sample_still_parses(path: Path) -> None:
    event = EVENTS[path.name.removesuffix(".json")].model_validate_json(path.read_bytes())

    assert _holds(json.loads(event.model_dump_json()), json.loads(path.read_bytes()))


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.type)
def test_an_event_reads_back_as_it_was_said(event: Event) -> None:
    assert type(event).model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.type)
def test_a_field_that_a_producer_adds_is_ignored(event: Event) -> None:
    with_more = json.loads(event.model_dump_json()) | {"something_new": {"x": 1}}

    assert type(event).model_validate_json(json.dumps(with_more)) == event


def test_word_of_waiting_from_before_it_told_how_long_still_parses() -> None:
    sample = json.loads((publishing.SAMPLES / f"{MatchNotFound.type}.json").read_bytes())
    del sample["wait_weeks"]

    assert MatchNotFound.model_validate_json(json.dumps(sample)).wait_weeks is None


def test_a_shortlist_from_before_ways_told_their_rules_still_parses() -> None:
    sample = json.loads((publishing.SAMPLES / f"{MatchProposed.type}.json").read_bytes())
    del sample["shortlist"]["pathways"][0]["rule"], sample["shortlist"]["pathways"][0]["rule_sources"]
    del sample["shortlist"]["ruled_out"][0]["source"]

    shortlist = MatchProposed.model_validate_json(json.dumps(sample)).shortlist

    assert isinstance(shortlist, Shortlist)
    assert (shortlist.pathways[0].rule, shortlist.ruled_out[0].source) == ("", "")


def _holds(whole: Any, part: Any) -> bool:
    """Whether every value of `part` stands in `whole`, which may have more fields."""
    if isinstance(part, dict):
        return all(name in whole and _holds(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(_holds, whole, part))
    return bool(whole == part)
