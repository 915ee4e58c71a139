"""The committed policy as text, to be spoilt by tests, and what is then said of it."""

from typing import NamedTuple

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


class Row(NamedTuple):
    """What is changed after some text of the policy, and what is then said of the line where it stands."""

    after: str
    right: str
    wrong: str
    fault: str


def is_refused(row: Row, table: str = "") -> bool:
    """Whether the change is refused, for its reason, with the line that it stands on."""
    text = changed(row.after, row.right, row.wrong)
    place = text.index(row.wrong, text.index(row.after) + len(row.after))
    line = text[: place + len(row.wrong) - len(row.wrong.lstrip())].count("\n") + 1
    return any(fault.startswith(f"line {line}, {table}{row.fault}") for fault in faults_of(text))


def form_of(variant: str, given: str, school: str = "ipt") -> str:
    return f'[[forms]]\nvariant = "{variant}"\nschool = "{school}"\nformat = "{given}"\n'


IPT, COUPLE, IPT_A = form_of("ipt", "individual"), form_of("ipt", "couple"), form_of("ipt-a", "individual")
IPT_AST, FB_IPT = form_of("ipt-ast", "group"), form_of("fb-ipt", "family")
IPT_G, IPSRT = form_of("ipt-g", "group"), form_of("ipsrt", "individual")
SYSTEMIC, SYSTEMIC_COUPLE, SYSTEMIC_FAMILY = (
    form_of("systemic", given, "systemic") for given in ("individual", "couple", "family")
)
ALL = (IPT, COUPLE, IPT_A, IPT_AST, FB_IPT, IPT_G, IPSRT, SYSTEMIC, SYSTEMIC_COUPLE, SYSTEMIC_FAMILY)
