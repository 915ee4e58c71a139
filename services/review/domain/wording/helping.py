"""What to do about a risk flag, and whom to call."""

from collections.abc import Iterable

from shared.contract.vocabulary import FlagKind

_TO_DO = {
    FlagKind.SUICIDAL_THOUGHTS: "Speak to the person today; ask openly.",
    FlagKind.SELF_HARM: "Speak to the person today; ask about injuries.",
    FlagKind.HARM_TO_OTHERS: "Somebody in danger now: 999. Follow the safeguarding procedure today.",
    FlagKind.BEING_HURT: (
        "Ask when and how it is safe to talk before anything else. In danger now: 999. "
        "Follow the safeguarding procedure today."
    ),
    FlagKind.CHILD_AT_RISK: (
        "Follow the child safeguarding procedure today. A child in danger now: 999. Childline 0800 1111."
    ),
    FlagKind.PSYCHOSIS: "Ask about safety and who is caring for them now.",
    FlagKind.SUBSTANCES: "Ask about safety, withdrawal and other help.",
}
_CALLS_FOR_HELPLINES = {
    FlagKind.SUICIDAL_THOUGHTS, FlagKind.SELF_HARM, FlagKind.PSYCHOSIS, FlagKind.SUBSTANCES,
}  # fmt: skip
_HELPLINES = (
    "Life in danger: 999 or A&E. Crisis, any age, day or night: NHS 111, option 2. "
    "Samaritans 116 123. Shout: text 85258."
)
_UNDER_35 = "Under 35: Papyrus 0800 068 4141."
_UNDER_19 = "Under 19: Childline 0800 1111."


def to_do(kind: FlagKind) -> str:
    """What to do about a flag."""
    return _TO_DO[kind]


def helplines(kinds: Iterable[FlagKind], age: int) -> str:
    """Whom somebody of this age can call because of such flags; empty if these call for none."""
    if _CALLS_FOR_HELPLINES.isdisjoint(kinds):
        return ""
    lines = [_HELPLINES]
    lines += [_UNDER_35] if age < 35 else []
    lines += [_UNDER_19] if age < 19 else []
    return " ".join(lines)


def crisis(kind: FlagKind, age: int) -> str:
    """What to do about one flag, with the lines for this age."""
    return f"{to_do(kind)} {helplines((kind,), age)}".strip()
