"""What is wrong with a row of the directory or of the policy is named, and nothing of it is half-applied."""

from dataclasses import replace
from datetime import date
from json import loads
from pathlib import Path

import pytest

from services.matching import store
from services.matching.app import load_rules
from services.matching.domain.ranking import rank
from services.matching.domain.therapist import Route, Therapist
from services.matching.settings import POLICY
from shared.contract.matching import NothingFound
from shared.contract.vocabulary import Condition, Variant
from shared.kit.database import Database
from shared.kit.errors import Fatal
from shared.languages import A_CODE
from tests.matching.builders import RULES, a_registration, a_search, a_therapist, an_accreditation
from tests.matching.commands import Command, saved
from tests.matching.directory.door import NEW, Door, Headers, errors, problem, where

LONG_AGO = date(2020, 1, 1)
ADA, BEN = a_therapist("ada"), a_therapist("ben")
DEARER = replace(ADA, fee_pence=9900)

# A good row, and what keeps its therapist from being proposed: the column, the word of the note, the gate.
NOT_PROPOSED = {
    "a core registration that has lapsed": (
        replace(BEN, registration=a_registration(expires_on=LONG_AGO)),
        "registration_expires",
        "lapsed on 2020-01-01: not proposed until renewed",
        "registration",
    ),
    "no core registration": (
        replace(BEN, registration=None),
        "registration_body",
        "no core registration: never proposed",
        "registration",
    ),
    "an accreditation that has lapsed": (
        replace(BEN, accreditations=(an_accreditation(expires_on=LONG_AGO),)),
        "accreditations",
        "ipt lapsed on 2020-01-01: not proposed for it until renewed",
        "accreditation",
    ),
    "an accreditation by the KSA route": (
        replace(BEN, accreditations=(an_accreditation(route=Route.KSA),)),
        "accreditations",
        "ipt by the KSA route: never privately matched",
        "private_practice",
    ),
    "no seat": (
        replace(BEN, seats_offered=0, seats_free=0),
        "seats",
        "no seat: not proposed until there is one",
        "seat",
    ),
}
IN_JSON = {
    "registration_expires": "registration.expires_on",
    "registration_body": "registration.body",
    "seats": "seats_offered",
}


@pytest.mark.parametrize("kind", NOT_PROPOSED)
async def test_an_import_names_who_cannot_be_proposed_and_why(
    therapists: Command, database: Database, tmp_path: Path, kind: str
) -> None:
    ben, column, text, gate = NOT_PROPOSED[kind]

    result = await therapists("import", saved(tmp_path / "file.csv", ben), "--json")

    report = loads(result.out)
    assert (result.code, report["imported"], report["faults"]) == (0, True, [])
    assert report["notes"] == [{"line": 2, "field": column, "text": text}]
    await nobody_is_proposed(database, gate)


async def test_the_http_door_names_who_cannot_be_proposed_and_why(door: Door, editor: Headers) -> None:
    await door.holds(BEN)

    for ben, column, text, gate in NOT_PROPOSED.values():
        put = await door.put(editor, ben, if_match="*")
        shown = await door.http.get(where(ben), headers=editor)
        as_told = editor | {"if-match": put.headers["etag"]}
        again = await door.http.put(where(ben), json=put.json(), headers=as_told)

        assert (put.status_code, again.status_code) == (200, 200), text
        notes = [{"field": IN_JSON.get(column, column), "text": text}]
        assert put.json() == again.json() == shown.json() | {"notes": notes}
        assert put.headers["etag"] == shown.headers["etag"]
        await nobody_is_proposed(door.database, gate)


async def nobody_is_proposed(database: Database, gate: str) -> None:
    """Whoever is in the directory, that gate keeps them off every list."""
    async with database.transaction() as tx:
        everyone = await store.therapists(tx)
    found = rank(a_search(), everyone, RULES)
    assert isinstance(found, NothingFound)
    assert [(each.gate, each.therapists) for each in found.gates] == [(gate, len(everyone))] == [(gate, 1)]


# Rows after a good one that would change an entry, and every fault that must be named: line, column, rule.
REFUSED: dict[str, tuple[list[Therapist], list[tuple[int, str, str]]]] = {
    "two rows with one id": (
        [BEN, replace(BEN, name="Another Sampleford")],
        [(3, "id", "is also on line 4"), (4, "id", "is also on line 3")],
    ),
    "an unknown language": (
        [replace(BEN, languages=frozenset({"en", "qq"}))],
        [(3, "languages", f"'qq' is not {A_CODE}")],
    ),
    "no language and no accreditation": (
        [replace(BEN, languages=frozenset(), accreditations=())],
        [(3, "accreditations", "must name at least one"), (3, "languages", "must name at least one")],
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_an_import_names_every_row_that_is_wrong_and_changes_nothing(
    therapists: Command, database: Database, tmp_path: Path, kind: str
) -> None:
    rows, faults = REFUSED[kind]
    async with database.transaction() as tx:
        await store.save_therapist(tx, ADA)
    file = saved(tmp_path / "file.csv", DEARER, *rows)

    refused = await therapists("import", file)
    async with database.transaction() as tx:
        untouched = await store.therapists(tx)
    in_part = await therapists("import", file, "--partial", "--json")
    async with database.transaction() as tx:
        good_rows_alone = await store.therapists(tx)

    words = refused.err.split()
    assert refused.code == 1
    assert f"{len(rows)} of {len(rows) + 1} rows have faults" in " ".join(words)
    assert all(word in words for line, field, _ in faults for word in (str(line), field))
    assert untouched == [ADA]
    assert in_part.code == 3
    told = [(each["line"], each["field"], each["rule"]) for each in loads(in_part.out)["faults"]]
    assert told == faults
    assert good_rows_alone == [DEARER]


async def test_the_http_door_names_what_is_wrong_and_keeps_what_it_has(door: Door, editor: Headers) -> None:
    await door.holds(ADA)

    unknown = await door.put(editor, replace(DEARER, languages=frozenset({"qq"})), if_match="*")
    second = await door.put(editor, DEARER, **NEW)

    assert errors(unknown) == {"languages": f"'qq' is not {A_CODE}"}
    assert problem(second) == (412, "version_changed")
    assert await door.kept(ADA) == ADA


@pytest.mark.parametrize("variant", Variant)
def test_a_policy_with_a_missing_tier_starts_nothing_and_is_told_where(
    tmp_path: Path, variant: Variant
) -> None:
    lines = POLICY.read_text(encoding="utf-8").splitlines(keepends=True)
    table = lines.index(f"[evidence.{variant}]\n")
    file = tmp_path / "policy.toml"

    for condition in [*Condition, "unnamed"]:
        row = next(at for at in range(table, len(lines)) if lines[at].startswith(f"{condition} = "))
        file.write_text("".join(lines[:row] + lines[row + 1 :]), encoding="utf-8")
        with pytest.raises(Fatal) as refused:
            load_rules(file)

        assert f"line {table + 1}, evidence.{variant}.{condition} is missing" in str(refused.value)
        assert str(file) in str(refused.value)
