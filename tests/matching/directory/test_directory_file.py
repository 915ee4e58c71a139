"""Directory files: read whole, or every fault named with its line, field and rule."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.matching.app import load_places
from services.matching.domain.directory_cells import RowFault
from services.matching.domain.directory_file import (
    LARGEST_BYTES,
    FileRefused,
    Reading,
    read_rows,
    rows_of,
    written,
)
from services.matching.domain.directory_row import COLUMNS, OPTIONAL, write_row
from services.matching.domain.generating import synthetic_therapists
from services.matching.domain.therapist import Outcomes, Route, Therapist
from shared.languages import A_CODE
from tests.matching.builders import THE_DAY, a_registration, a_therapist, an_accreditation

PLACES = load_places()


def a_file(*therapists: Therapist, **changes: str) -> bytes:
    """A file of therapists; `changes` replace cells of its first row."""
    rows = [write_row(therapist) for therapist in therapists or (a_therapist(),)]
    rows[0] |= changes
    lines = [",".join(COLUMNS)] + [",".join(_quoted(row[column]) for column in COLUMNS) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell


def read(data: bytes, today: date = THE_DAY) -> Reading:
    return read_rows(rows_of(data), PLACES, today)


def test_what_is_written_reads_back_the_same() -> None:
    everyone = tuple(synthetic_therapists(240, 7, THE_DAY, PLACES.postcodes))

    reading = read("".join(written(everyone)).encode())

    assert reading.faults == ()
    assert reading.therapists == everyone


def test_an_entry_without_a_confirmation_date_is_confirmed_by_the_import() -> None:
    reading = read(a_file(confirmed_on=""), today=date(2031, 5, 1))

    assert reading.therapists[0].confirmed_on == date(2031, 5, 1)
    assert reading.undated == {reading.therapists[0].id}


def test_an_entry_that_says_when_it_was_confirmed_is_not_undated() -> None:
    assert read(a_file()).undated == frozenset()


def test_of_a_whole_postcode_only_the_district_is_kept() -> None:
    reading = read(a_file(outcode="e1 6an"))

    assert reading.therapists == (replace(a_therapist(), outcode="E1"),)


def test_a_byte_order_mark_does_no_harm() -> None:
    reading = read(b"\xef\xbb\xbf" + a_file())

    assert len(reading.therapists) == 1


def test_columns_may_stand_in_any_order() -> None:
    row = write_row(a_therapist())
    turned = list(reversed(COLUMNS))
    data = ",".join(turned) + "\n" + ",".join(row[column] for column in turned) + "\n"

    assert read(data.encode()).therapists == (a_therapist(),)


def test_a_file_may_lack_when_somebody_is_free_and_how_courses_went() -> None:
    row = write_row(a_therapist())
    short = [column for column in COLUMNS if column not in OPTIONAL]
    data = ",".join(short) + "\n" + ",".join(row[column] for column in short) + "\n"

    assert read(data.encode()).therapists == (a_therapist(),)
    assert read((data + ",".join(row.values()) + "\n").encode()).faults == (
        RowFault(3, "row", f"has {len(COLUMNS)} cells and must have {len(short)}"),
    )


@pytest.mark.parametrize(
    ("cells", "outcomes", "faults"),
    [
        (("", ""), None, set()),
        (("20", "0.85"), Outcomes(20, 85), set()),
        (("20", "1"), Outcomes(20, 100), set()),
        (("20", "-0.5"), Outcomes(20, -50), set()),
        (("0", "0"), Outcomes(0, 0), set()),
        (("20", ""), None, {"outcome_change"}),
        (("", "0.85"), None, {"outcome_cases"}),
        (("many", "well"), None, {"outcome_cases", "outcome_change"}),
        (("20", "0.855"), None, {"outcome_change"}),
        (("-1", "12.5"), None, {"outcome_cases", "outcome_change"}),
    ],
)
def test_how_courses_went_is_two_cells_or_none(
    cells: tuple[str, str], outcomes: Outcomes | None, faults: set[str]
) -> None:
    reading = read(a_file(outcome_cases=cells[0], outcome_change=cells[1]))

    assert {fault.field for fault in reading.faults} == faults
    assert [each.outcomes for each in reading.therapists] == ([] if faults else [outcomes])


def test_from_when_somebody_is_free_is_a_date() -> None:
    first = read(a_file(free_from="2027-01-11")).therapists[0].free_from

    assert first == date(2027, 1, 11)
    assert [fault.field for fault in read(a_file(free_from="soon")).faults] == ["free_from"]
    [late] = read(a_file(free_from="2031-01-11")).faults
    assert (late.field, late.rule) == ("free_from", "must be within a year; offer 0 seats until it is nearer")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty; its header must be id,name"),
        (b"a;b\n", "the header is wrong (missing: id, name"),
        (b"id,name\n", "missing: email, gender"),
        (a_file().replace(b"outcode", b"postcode", 1), "missing: outcode; unknown: postcode"),
        (a_file().replace(b"outcode", b"email", 1), "missing: outcode; twice: email"),
        (a_file().splitlines()[0] + b"\n\n,,,\n", "there is no therapist below the header"),
        (a_file().decode().encode("utf-16"), "the file is UTF-16"),
        (a_file(name="Zoë").decode().encode("cp1252"), "line 2 is not UTF-8, perhaps Windows-1252"),
        (a_file() + b"\x00\x00", "is UTF-16 or not text"),
        (a_file() + b'"open,\n', "is not CSV"),
        (a_file() + b"x" * 200_000 + b"\n", "is not CSV"),
        (b"x" * (LARGEST_BYTES + 1), "the file is larger than 64 MiB; split it"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(data: bytes, why: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(data)

    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("field", "cell", "rule"),
    [
        ("id", "17", "must be a UUID"),
        ("id", "8e0a030140605606 9135e14ce7577614", "must be a UUID"),
        ("id", "8e0a0301406056069135e14ce7577614", "must be a UUID"),
        ("name", "", "must be 1 to 120 printable characters"),
        ("name", '=HYPERLINK("x")', "not begin with = + - @"),
        *(("name", f"{sign}1+1", "not begin with = + - @") for sign in "=+-@＝＋－＠﹦﹢﹣﹫"),
        ("email", "nobody", "must be one address"),
        ("email", "=cmd|'/Ccalc'!A0@therapists.example", "must be one address"),
        ("email", "ada@therapists.example\nBcc: all@elsewhere.example", "without spaces or line breaks"),
        ("email", "ada@therapists.example\r", "without spaces or line breaks"),
        ("email", "ada@therapists.example,ben@therapists.example", "must be one address"),
        ("gender", "female", "must be one of woman, man, non_binary"),
        ("outcode", "ZZ9", "'ZZ9' is not a known postcode district"),
        ("outcode", "ZZ9 6AN", "this entry is not a known postcode district"),
        ("modes", "telepathy", "'telepathy' is not one of online, in_person"),
        ("modes", "either", "'either' is not one of online, in_person"),
        ("formats", "", "must name at least one"),
        ("languages", "en;xx", f"'xx' is not {A_CODE}"),
        ("languages", "English", f"'English' is not {A_CODE}"),
        ("fee_pounds", "-5", "must be pounds such as 80 or 82.50"),
        ("fee_pounds", "£80", "must be pounds such as 80 or 82.50"),
        ("seats", "100", "must be a whole number from 0 to 99"),
        ("seats", "two", "must be a whole number from 0 to 99"),
        ("slots", "tue_night", "'tue_night' is not one of mon_morning"),
        ("affirming", "therapist_gender", "'therapist_gender' is not one of lgbtq_affirming"),
        ("registration_expires", "31/12/2027", "must be a date such as 2026-11-24"),
        ("registration_expires", "2027-02-30", "must be a date such as 2026-11-24"),
        ("registration_expires", "", "must be a date such as 2026-11-24"),
        ("registration_number", "-1", "begin with a letter or digit"),
        ("registration_number", "/A1", "begin with a letter or digit"),
        ("registration_number", "A" * 41, "must be 1 to 40"),
        ("registration_body", "XYZ", "must be one of BACP"),
        ("accreditations", "ipt-x:standard:2030-01-01:4", "'ipt-x' is not one of ipt, ipt-a"),
        ("accreditations", "ipt:bought:2030-01-01:4", "'bought' is not a route: standard or ksa"),
        ("accreditations", "ipt:standard:soon:4", "expires must be a date"),
        ("accreditations", "ipt:standard:2030-01-01:many", "cases must be a whole number"),
        ("accreditations", "ipt", "each must be variant:route:expires:cases"),
        ("accreditations", "ipt:standard:2030-01-01:4;ipt:ksa:2030-01-01:4", "ipt is named twice"),
        ("confirmed_on", "2026-11-25", "must not be in the future"),
        ("conditions", "x" * 5_000, "must not be longer than 4000 characters"),
    ],
)
def test_a_bad_cell_is_named_with_its_line_field_and_rule(field: str, cell: str, rule: str) -> None:
    reading = read(a_file(a_therapist(), a_therapist("ben"), **{field: cell}))

    assert [therapist.name for therapist in reading.therapists] == ["Ben Sampleford"]
    assert any(fault.field == field and rule in fault.rule for fault in reading.faults), reading.faults


def test_every_fault_of_a_row_is_named_at_once() -> None:
    reading = read(a_file(id="x", fee_pounds="x", seats="x"))

    assert [(fault.line, fault.field) for fault in reading.faults] == [
        (2, "fee_pounds"),
        (2, "id"),
        (2, "seats"),
    ]


def test_what_may_be_personal_is_not_repeated_in_the_report() -> None:
    reading = read(a_file(outcode="Flat 4, 17 Sample Street", email="ada secret"))

    assert "Sample" not in str(reading.faults)
    assert "secret" not in str(reading.faults)


def test_two_rows_with_one_id_are_both_left_out_and_point_to_each_other() -> None:
    one = a_therapist("ada")
    two = replace(one, name="Another Sampleford")

    reading = read(a_file(one, two, a_therapist("ben")))

    assert [therapist.name for therapist in reading.therapists] == ["Ben Sampleford"]
    assert [(fault.line, fault.rule) for fault in reading.faults] == [
        (2, "is also on line 3"),
        (3, "is also on line 2"),
    ]


def test_an_id_in_capitals_is_the_same_id() -> None:
    one = a_therapist("ada")

    reading = read(a_file(one, one, id=str(one.id).upper()))

    assert reading.therapists == ()


def test_a_row_with_a_cell_too_many_is_named() -> None:
    reading = read(a_file() + b"only,three,cells\n")

    assert [(fault.line, fault.field, fault.rule) for fault in reading.faults] == [
        (3, "row", f"has 3 cells and must have {len(COLUMNS)}")
    ]


def test_lines_are_counted_through_quoted_line_breaks() -> None:
    reading = read(a_file(a_therapist(), a_therapist("ben"), name="two\nlines"))

    assert [fault.line for fault in reading.faults] == [3]


def test_what_keeps_a_therapist_from_being_proposed_is_noted_and_imported() -> None:
    yesterday = THE_DAY - timedelta(days=1)
    data = a_file(
        a_therapist("ada", registration=a_registration(expires_on=yesterday)),
        a_therapist("ben", accreditations=(an_accreditation(expires_on=yesterday),)),
        a_therapist("cem", registration=None, accreditations=(an_accreditation(route=Route.KSA),)),
        a_therapist("dot", seats_offered=0, seats_free=0),
        a_therapist("eve"),
    )

    reading = read(data)

    assert len(reading.therapists) == 5
    assert [(note.line, note.field) for note in reading.notes] == [
        (2, "registration_expires"),
        (3, "accreditations"),
        (4, "registration_body"),
        (4, "accreditations"),
        (5, "seats"),
    ]
    assert "lapsed on 2026-11-23" in reading.notes[0].text
    assert "never privately matched" in reading.notes[3].text
