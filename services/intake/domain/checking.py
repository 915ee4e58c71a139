"""Checks a submission against the clinic's rules: the one path behind all three doors."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from email_validator import EmailNotValidError

from services.intake.domain.accepting import Accepted, accepted, written_address
from services.intake.domain.postcodes import Outcodes, Whereabouts
from services.intake.domain.reading import Unreadable, concerns, read_submission
from services.intake.domain.warning_signs import WarningWords
from shared.ages import age_on, day_in_london
from shared.contract.intake import Fault
from shared.contract.submission import Submission
from shared.contract.vocabulary import Mode, PreferenceAbout, RequesterRole, Strength
from shared.languages import A_CODE, LANGUAGES
from shared.places import outcode_of

YOUNGEST = 7
OLDEST = 120
CLOCKS_DIFFER_BY = timedelta(minutes=5)
UNDER_SEVEN = (
    "For a child under 7, the child's GP can help and can refer to the local children and young people's "
    "mental health service (CAMHS). For urgent help with a child's mental health, call NHS 111 and choose "
    "option 2, at any hour. If a life is in danger, call 999 or go to A&E."
)
_NOT_IN_A_LINE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Persian and Indian names are not written without them; what turns the direction of text stays barred."""

_WISHES: dict[PreferenceAbout, frozenset[str]] = {
    PreferenceAbout.THERAPIST_GENDER: frozenset({"woman", "man", "non_binary"}),
    PreferenceAbout.APPROACH: frozenset({"structured", "exploratory"}),
}


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The tables that the rules are read from."""

    outcodes: Outcodes
    warning_words: WarningWords


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a submission cannot be taken in: every fault at once, and where to turn if it is not for us."""

    faults: tuple[Fault, ...]
    reference: str | None = None
    onward_route: str | None = None


def take(body: bytes, now: datetime, rulebook: Rulebook) -> Accepted | Refused:
    """Reads and checks bytes from outside; `now` is in UTC."""
    read = read_submission(body)
    if isinstance(read, Unreadable):
        return Refused((read.fault,))
    return check(read.submission, now, rulebook, read.faults)


def check(
    submission: Submission, now: datetime, rulebook: Rulebook, found: tuple[Fault, ...] = ()
) -> Accepted | Refused:
    """Applies every rule whose fields could be read, so that nobody has to mend one fault at a time."""

    def unknown(field: str) -> bool:
        return any(concerns(fault, field) for fault in found)

    setting = _Setting(now, rulebook.outcodes)
    broken = [
        fault
        for rule in RULES
        if not any(unknown(field) for field in rule.reads)
        for fault in rule.faults_in(submission, setting)
    ]
    if found or broken:
        too_young = any(fault.rule == _TOO_YOUNG for fault in broken)
        return Refused(
            (*found, *broken),
            reference=None if unknown("reference") else submission.reference,
            onward_route=UNDER_SEVEN if too_young else None,
        )
    return accepted(submission, now, rulebook.warning_words)


@dataclass(frozen=True, slots=True)
class _Setting:
    now: datetime
    outcodes: Outcodes

    @property
    def today(self) -> date:
        return day_in_london(self.now)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule beyond the schema, and the fields it reads; silent where one of them is itself at fault."""

    reads: tuple[str, ...]
    faults_in: Callable[[Submission, _Setting], Iterator[Fault]]


_TOO_YOUNG = f"is that of a child under {YOUNGEST}; none of the therapies here is for children that young"


def _requester_can_be_reached(submission: Submission, _: _Setting) -> Iterator[Fault]:
    requester = submission.requester
    if requester.role is RequesterRole.SELF:
        return
    for name in ("name", "email"):
        if getattr(requester, name) is None:
            yield Fault(field=f"requester.{name}", rule="is needed from whoever asks for somebody else")


def _client_can_be_reached(submission: Submission, _: _Setting) -> Iterator[Fault]:
    if submission.requester.role is RequesterRole.SELF and submission.client.email is None:
        yield Fault(field="client.email", rule="is needed when people ask for themselves")


def _requester_name_is_a_name(submission: Submission, _: _Setting) -> Iterator[Fault]:
    yield from _name_faults("requester.name", submission.requester.name)


def _client_name_is_a_name(submission: Submission, _: _Setting) -> Iterator[Fault]:
    yield from _name_faults("client.name", submission.client.name)


def _requester_email_is_an_address(submission: Submission, _: _Setting) -> Iterator[Fault]:
    yield from _email_faults("requester.email", submission.requester.email)


def _client_email_is_an_address(submission: Submission, _: _Setting) -> Iterator[Fault]:
    yield from _email_faults("client.email", submission.client.email)


def _client_is_of_an_age(submission: Submission, setting: _Setting) -> Iterator[Fault]:
    born = submission.client.date_of_birth
    age = age_on(setting.today, born)
    if born > setting.today:
        yield Fault(field="client.date_of_birth", rule="must not be in the future")
    elif age >= OLDEST:
        yield Fault(field="client.date_of_birth", rule=f"must be less than {OLDEST} years ago")
    elif age < YOUNGEST:
        yield Fault(field="client.date_of_birth", rule=_TOO_YOUNG)


def _postcode_exists(submission: Submission, setting: _Setting) -> Iterator[Fault]:
    postcode = submission.client.postcode
    if postcode is None:
        return
    outcode = outcode_of(postcode)
    if outcode is None:
        yield Fault(
            field="client.postcode", rule="must be a UK postcode or its first half, such as E1 6AN or E1"
        )
    elif setting.outcodes.whereabouts(outcode) is Whereabouts.NOWHERE:
        yield Fault(field="client.postcode", rule="does not exist")


def _sessions_in_person_are_in_london(submission: Submission, setting: _Setting) -> Iterator[Fault]:
    if submission.looking_for.mode is not Mode.IN_PERSON:
        return
    if submission.client.postcode is None:
        yield Fault(field="client.postcode", rule="is needed for sessions in person")
        return
    outcode = outcode_of(submission.client.postcode)
    if outcode is not None and setting.outcodes.whereabouts(outcode) is Whereabouts.ELSEWHERE:
        yield Fault(
            field="client.postcode",
            rule="is outside London, where all sessions in person take place; online sessions are possible",
        )


def _languages_are_known(submission: Submission, _: _Setting) -> Iterator[Fault]:
    for place, code in enumerate(submission.looking_for.languages):
        if code not in LANGUAGES:
            yield Fault(field=f"looking_for.languages.{place}", rule=f"must be {A_CODE}")


def _wishes_make_sense(submission: Submission, _: _Setting) -> Iterator[Fault]:
    seen: set[tuple[PreferenceAbout, str]] = set()
    musts: dict[PreferenceAbout, str] = {}
    for place, wish in enumerate(submission.looking_for.preferences):
        possible = _WISHES.get(wish.about, frozenset({"yes"}))
        field = f"looking_for.preferences.{place}"
        if wish.wish not in possible:
            rule = f"must be one of: {', '.join(sorted(possible))} (for {wish.about})"
            yield Fault(field=f"{field}.wish", rule=rule)
        elif (wish.about, wish.wish) in seen:
            yield Fault(field=field, rule="is there twice")
        elif wish.strength is Strength.MUST and musts.setdefault(wish.about, wish.wish) != wish.wish:
            yield Fault(field=field, rule="cannot be a must beside another must about the same")
        seen.add((wish.about, wish.wish))


def _consent_to_process(submission: Submission, _: _Setting) -> Iterator[Fault]:
    if not submission.consent.to_process:
        yield Fault(
            field="consent.to_process", rule="must be given; without it the request may not be handled"
        )


def _consent_to_share(submission: Submission, _: _Setting) -> Iterator[Fault]:
    if not submission.consent.to_share:
        rule = "must be given; without it neither staff nor a therapist may see the request"
        yield Fault(field="consent.to_share", rule=rule)


def _consent_lies_in_the_past(submission: Submission, setting: _Setting) -> Iterator[Fault]:
    given = submission.consent.given_at
    if given is not None and given > setting.now + CLOCKS_DIFFER_BY:
        yield Fault(field="consent.given_at", rule="must not be in the future")


RULES = (
    Rule(("requester.role", "requester.name", "requester.email"), _requester_can_be_reached),
    Rule(("requester.name",), _requester_name_is_a_name),
    Rule(("requester.email",), _requester_email_is_an_address),
    Rule(("client.name",), _client_name_is_a_name),
    Rule(("client.date_of_birth",), _client_is_of_an_age),
    Rule(("client.postcode",), _postcode_exists),
    Rule(("client.postcode", "looking_for.mode"), _sessions_in_person_are_in_london),
    Rule(("requester.role", "client.email"), _client_can_be_reached),
    Rule(("client.email",), _client_email_is_an_address),
    Rule(("consent.to_process",), _consent_to_process),
    Rule(("consent.to_share",), _consent_to_share),
    Rule(("consent.given_at",), _consent_lies_in_the_past),
    Rule(("looking_for.languages",), _languages_are_known),
    Rule(("looking_for.preferences",), _wishes_make_sense),
)


def _name_faults(field: str, name: str | None) -> Iterator[Fault]:
    if name is None:
        return
    if not name.strip():
        yield Fault(field=field, rule="must not be empty")
    elif any(unicodedata.category(letter) in _NOT_IN_A_LINE for letter in name if letter not in _JOINERS):
        yield Fault(field=field, rule="must be one line of text without control characters")


def _email_faults(field: str, address: str | None) -> Iterator[Fault]:
    if address is None:
        return
    try:
        written_address(address)
    except EmailNotValidError:
        yield Fault(field=field, rule="must be an e-mail address that mail can be sent to")
