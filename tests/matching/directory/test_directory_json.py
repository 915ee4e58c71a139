"""Entries as JSON: held to the rules of the CSV file, and read back as they were written."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.matching.app import load_places
from services.matching.domain.directory_cells import RowFault
from services.matching.domain.directory_file import FileRefused, Reading, read_rows, rows_of, written
from services.matching.domain.directory_json import (
    entry_for_others,
    entry_of,
    is_json,
    rows_of_json,
    written_as_json,
)
from services.matching.domain.generating import synthetic_therapists
from services.matching.domain.therapist import Outcomes
from tests.matching.builders import THE_DAY, a_registration, a_therapist

PLACES = load_places()
ADA = json.loads(json.dumps(entry_of(a_therapist())))
BEN = json.loads(json.dumps(entry_of(a_therapist("ben"))))


def read(data: bytes | str) -> Reading:
    return read_rows(rows_of_json(data.encode() if isinstance(data, str) else data), PLACES, THE_DAY)


def read_entry(**changes: Any) -> Reading:
    return read(json.dumps([ADA | changes]))


def test_what_is_written_reads_back_the_same_and_as_the_csv_does() -> None:
    everyone = (
        *synthetic_therapists(120, 7, THE_DAY, PLACES.postcodes),
        a_therapist("cleo", free_from=date(2027, 1, 4), outcomes=Outcomes(20, -35)),
        a_therapist("dara", registration=None),
    )

    reading = read("".join(written_as_json(everyone)))

    assert reading.faults == ()
    assert reading.therapists == tuple(replace(each, seats_free=each.seats_offered) for each in everyone)
    assert reading == replace(
        read_rows(rows_of("".join(written(everyone)).encode()), PLACES, THE_DAY), notes=reading.notes
    )


def test_how_many_seats_are_free_is_counted_here_and_not_taken_from_an_entry() -> None:
    assert read_entry(seats_free=0, has_seat=False).therapists == (a_therapist(),)


def test_nobody_is_written_as_an_empty_array() -> None:
    assert json.loads("".join(written_as_json([]))) == []


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ADA, BEN]),
        json.dumps([ADA, BEN], indent=2),
        f"{json.dumps(ADA)}\n{json.dumps(BEN)}\n",
        f"\n  {json.dumps(ADA)}\r\n\r\n{json.dumps(BEN)}",
        "\ufeff" + json.dumps([ADA, BEN]),
    ],
)
def test_a_file_is_an_array_or_an_object_a_line(text: str) -> None:
    assert is_json(text.encode())
    assert read(text).therapists == (a_therapist(), a_therapist("ben"))


def test_a_csv_file_is_not_taken_for_json() -> None:
    assert not is_json("".join(written([a_therapist()])).encode())
    assert not is_json(b"")


def test_a_fault_is_named_with_the_line_on_which_its_entry_begins() -> None:
    reading = read(f"[\n{json.dumps(ADA)},\n\n{json.dumps(BEN | {'gender': 'other'}, indent=1)}\n]")

    assert reading.therapists == (a_therapist(),)
    assert [(fault.line, fault.field) for fault in reading.faults] == [(4, "gender")]


@pytest.mark.parametrize(
    ("member", "value", "field", "rule"),
    [
        ("id", "1", "id", "must be a UUID"),
        ("id", None, "id", "must be a UUID"),
        ("name", 5, "name", "must be 1 to 120 printable characters"),
        ("name", "=cmd()", "name", "not begin with ="),
        ("email", ["a@b.example"], "email", "must be one address"),
        ("fee_pence", 80.5, "fee_pence", "must be a whole number of pence"),
        ("fee_pence", True, "fee_pence", "must be a whole number of pence"),
        ("fee_pence", -1, "fee_pence", "must be a whole number of pence"),
        ("seats_offered", 100, "seats_offered", "must be a whole number from 0 to 99"),
        ("seats_offered", 2.0, "seats_offered", "must be a whole number from 0 to 99"),
        ("modes", "online", "modes", "is not one of online, in_person"),
        ("modes", ["online;in_person"], "modes", "is not one of online, in_person"),
        ("modes", [], "modes", "must name at least one"),
        ("slots", [["mon_morning"]], "slots", "is not one of"),
        ("registration", {"body": "bacp"}, "registration.number", "must be 1 to 40 letters"),
        ("registration", {"body": "bacp", "since": "x"}, "registration.body", "must be one of"),
        ("accreditations", [{"variant": "ipt"}], "accreditations", "in JSON an object of these"),
        (
            "accreditations",
            [{"variant": "ipt:ksa", "route": "standard", "expires_on": "2030-01-01", "cases": 1}],
            "accreditations",
            "is not one of",
        ),
        ("outcomes", {"cases": 20}, "outcomes.change", "must be standard deviations"),
        ("outcomes", {"cases": 20, "change": 1e-7}, "outcomes.change", "must be standard deviations"),
        ("confirmed_on", "2026-11-25", "confirmed_on", "must not be in the future"),
        ("postcode", "E2 8AA", "postcode", "is not a field of an entry"),
        ("\x1b[31m", 1, "entry", "is not a field of an entry"),
    ],
)
def test_what_breaks_a_rule_of_the_csv_breaks_it_here(
    member: str, value: object, field: str, rule: str
) -> None:
    reading = read_entry(**{member: value})

    assert reading.therapists == ()
    assert any(fault.field == field and rule in fault.rule for fault in reading.faults), reading.faults


def test_a_note_names_the_field_as_the_entry_does() -> None:
    lapsed = read_entry(registration=ADA["registration"] | {"expires_on": "2020-01-01"})

    assert [note.field for note in lapsed.notes] == ["registration.expires_on"]
    assert lapsed.therapists == (a_therapist(registration=a_registration(expires_on=date(2020, 1, 1))),)


def test_two_entries_with_one_id_are_both_refused() -> None:
    reading = read(f"{json.dumps(ADA)}\n{json.dumps(ADA)}\n")

    assert reading.therapists == ()
    assert reading.faults == (RowFault(1, "id", "is also on line 2"), RowFault(2, "id", "is also on line 1"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "there is no therapist in it"),
        ("[\n{},\n]", "line 3 is not JSON: nothing follows the comma"),
        ("[{}\n{}]", "line 2 is not JSON: a comma or the end of the array is missing"),
        ("[{},", "the array is not closed; the file may have been cut off"),
        ("[{}", "the array is not closed"),
        ("[{}]\n[]", "line 2 is not JSON: something follows the array"),
        ('{"id": 1,\n "name": }', "line 2 is not JSON: Expecting value"),
        ("[1]", "line 1: every entry must be an object"),
        ('{"id": 1, "id": 2}', "a member is named twice"),
        ('{"fee_pence": NaN}', "NaN and Infinity are not JSON"),
        ('{"a": ' + "[" * 100_000, "it cannot be read"),
    ],
)
def test_a_file_that_is_not_json_is_refused_with_the_line_and_the_reason(text: str, why: str) -> None:
    with pytest.raises(FileRefused, match=why.replace("[", r"\[")):
        read(text)


def test_who_may_not_see_an_entry_whole_sees_no_address_and_no_outcomes() -> None:
    shown = entry_for_others(a_therapist(outcomes=Outcomes(20, 85)), False)

    assert set(ADA) - set(shown) == {"email", "outcomes", "seats_free"}
    assert "ada@therapists.example" not in json.dumps(shown)
