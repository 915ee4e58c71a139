"""The words that no mail may bear: whoever glances at the screen must not learn what somebody suffers from.

"Therapist" and "therapy" are among them: mails speak of "the person you will see". Telephone numbers of
general help stay, without saying for whom. The clinic's name stands in every mail, so it is checked as well.
"""

import re

_STEMS = (
    "abus",
    "addict",
    "anorex",
    "anxi",
    "bereave",
    "bipolar",
    "bulimi",
    "clinical",
    "condition",
    "counsel",
    "cris[ei]s",
    "depress",
    "diagnos",
    "disorder",
    "eating",
    "fatigue",
    "grie[fv]",
    "harm",
    "illness",
    "interpersonal",
    "ipsrt",
    "ipt",
    "medic",
    "mental",
    "mood",
    "patient",
    "psych",
    "risk",
    "self[ -]?harm",
    "suicid",
    "symptom",
    "systemic",
    "therap",
    "trauma",
    "treatment",
)
_WORDS = re.compile(rf"(?<![a-z])(?:[a-z]+-)?(?:{'|'.join(_STEMS)})[a-z]*", re.IGNORECASE)


def telling_words(text: str) -> list[str]:
    """The words of a text that tell too much."""
    return _WORDS.findall(text)
