"""What to do about a risk flag, and whom to call."""

from shared.contract.vocabulary import FlagKind

_CRISIS = (
    "Life in danger: 999 or A&E. Crisis, any age, day or night: NHS 111, option 2. "
    "Samaritans 116 123. Shout: text 85258."
)
CRISIS = {
    FlagKind.SUICIDAL_THOUGHTS: f"Speak to the person today; ask openly. {_CRISIS}",
    FlagKind.SELF_HARM: f"Speak to the person today; ask about injuries. {_CRISIS}",
    FlagKind.HARM_TO_OTHERS: "Somebody in danger now: 999. Follow the safeguarding procedure today.",
    FlagKind.BEING_HURT: (
        "Ask when and how it is safe to talk before anything else. In danger now: 999. "
        "Follow the safeguarding procedure today."
    ),
    FlagKind.CHILD_AT_RISK: (
        "Follow the child safeguarding procedure today. A child in danger now: 999. Childline 0800 1111."
    ),
    FlagKind.PSYCHOSIS: f"Ask about safety and who is caring for them now. {_CRISIS}",
    FlagKind.SUBSTANCES: f"Ask about safety, withdrawal and other help. {_CRISIS}",
}
CRISIS_UNDER_19 = "Under 19: Childline 0800 1111."
CRISIS_UNDER_35 = "Under 35: Papyrus 0800 068 4141."


def crisis(kind: FlagKind, age: int) -> str:
    """What to do about a flag, with the lines for this age."""
    lines = [CRISIS[kind]]
    if _CRISIS in CRISIS[kind]:
        lines += [CRISIS_UNDER_35] if age < 35 else []
        lines += [CRISIS_UNDER_19] if age < 19 else []
    return " ".join(lines)
