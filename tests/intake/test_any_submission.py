"""Whatever is sent gets an answer, and no rule reads more than it says."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import Accepted, Refused, take
from services.intake.domain.checking import RULES, Rule, _Setting
from shared.contract.submission import Submission
from tests.intake.builders import NOW, RULEBOOK, a_body, a_document, from_a_parent, taken


def test_the_same_submission_has_the_same_fingerprint_however_it_is_written() -> None:
    document = a_document()
    other_way_round = json.dumps(dict(reversed(document.items())), indent=4).encode()

    first, again = take(a_body(), NOW, RULEBOOK), take(other_way_round, NOW, RULEBOOK)
    different = taken({"client.phone": "020 7946 0123"})

    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert first.fingerprint == again.fingerprint != different.fingerprint


class _Watched:
    """A submission that notes which fields are read."""

    def __init__(self, inside: object, path: str, seen: set[str]) -> None:
        self._inside, self._path, self._seen = inside, path, seen

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inside, name)
        path = f"{self._path}{name}"
        if path.count(".") == 0:
            return _Watched(value, f"{path}.", self._seen)
        self._seen.add(path)
        return value


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.faults_in.__name__)
def test_a_rule_reads_only_what_it_says_it_reads(rule: Rule) -> None:
    seen: set[str] = set()
    for changes in ({}, from_a_parent(), {"looking_for.mode": "in_person"}):
        submission = Submission.model_validate_json(a_body(changes))
        watched: Any = _Watched(submission, "", seen)
        list(rule.faults_in(watched, _Setting(NOW, RULEBOOK.outcodes)))

    assert seen == set(rule.reads)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
PATHS = sorted(
    [
        *Submission.model_fields,
        *(
            f"{section}.{name}"
            for section, field in Submission.model_fields.items()
            for name in getattr(field.annotation, "model_fields", {})
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), json_values, max_size=4))
def test_any_json_gets_an_answer(changes: dict[str, Any]) -> None:
    document = a_document()
    for path in sorted(changes):
        *sections, name = path.split(".")
        holder: Any = document
        for section in sections:
            holder = holder.setdefault(section, {}) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder[name] = changes[path]

    answer = take(json.dumps(document, ensure_ascii=True).encode(), NOW, RULEBOOK)

    assert isinstance(answer, Accepted | Refused)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(body: bytes) -> None:
    assert isinstance(take(body, NOW, RULEBOOK), Refused)
