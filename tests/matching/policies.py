"""The committed policy as text, to be spoilt by tests, and what is then said of it."""

import pytest

from services.matching.domain.policy import PolicyFault, read_policy
from services.matching.settings import POLICY

TEXT = POLICY.read_text(encoding="utf-8")


def changed(after: str, right: str, wrong: str) -> str:
    """The policy with what first stands after some text made wrong."""
    before, found, rest = TEXT.partition(after)
    assert found, f"{after!r} is not in the policy"
    assert right in rest, "the test no longer changes anything"
    return before + found + rest.replace(right, wrong, 1)


def faults_of(text: str) -> list[str]:
    """What is wrong with a policy that is refused."""
    with pytest.raises(PolicyFault) as refused:
        read_policy(text)
    return refused.value.faults


def line_with(text: str, row: str) -> int:
    """Where a row first stands in the policy."""
    return [each.partition("  #")[0].strip() for each in text.splitlines()].index(row) + 1
