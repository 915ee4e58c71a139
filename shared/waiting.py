"""How long a wait takes, in the words that a client reads on the status page and in mails alike."""

from shared.contract.matching import WaitWeeks


def waiting_time(weeks: WaitWeeks | None) -> str:
    """How long others waited, or that it is not known; never how long it is going to be."""
    if weeks is None:
        return "We do not know yet how long it takes, and would rather tell you so than guess."
    if weeks.least == 0:
        within = "a week" if weeks.most == 1 else f"{weeks.most} weeks"
        told = f"For most people who waited lately, we had a suggestion within {within}."
    else:
        told = (
            f"For about half of the people who waited lately, we had a suggestion after {weeks.least} to "
            f"{weeks.most} weeks; for the others, sooner or later than that."
        )
    return f"{told} It may be different this time."
