"""Wishes for actions on a case, and why they are refused."""

from typing import Any

import pytest

from services.review.domain.case import Case
from services.review.domain.deciding import Refusal, Refused, act
from services.review.domain.wishes import WISHES, Action, Wish
from tests.review.builders import REASON, reviewing
from tests.support.builders import id_of

C, R, CO, CH, RE, D, A, K = (
    Action.CLAIM, Action.RELEASE, Action.CONFIRM, Action.CHOOSE, Action.REMATCH, Action.DECLINE, Action.ASK,
    Action.KEEP,
)  # fmt: skip


def a_wish(action: Action, **fields: Any) -> Wish:
    """A complete wish for an action, changed by `fields`."""
    complete: dict[Action, dict[str, Any]] = {
        CH: {"therapist_id": id_of("ben"), "reason": REASON},
        RE: {"exclude": [id_of("ada")]},
        D: {"onward_route": "gp", "reason": REASON},
        A: {"question": "Which evenings are free?"},
        K: {"reason": REASON},
    }
    return WISHES[action].model_validate({"version": 2} | complete.get(action, {}) | fields)


def refusal(case: Case, wish: Wish, **changes: Any) -> Refused:
    """Why an action is refused."""
    with pytest.raises(Refused) as refused:
        act(case, wish, reviewing(**changes))
    return refused.value


def faulty(case: Case, wish: Wish, **changes: Any) -> dict[str, str]:
    """Which fields of a wish are wrong, and why."""
    refused = refusal(case, wish, **changes)
    assert refused.refusal is Refusal.INCOMPLETE
    return {fault.field: fault.rule for fault in refused.faults}
