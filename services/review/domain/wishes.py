"""What a member of staff asks for, as it comes through the API or a form; the same words for both."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contract.vocabulary import OnwardRoute, Variant


class Action(StrEnum):
    """What staff can do with a case."""

    CLAIM = "claim"
    RELEASE = "release"
    CONFIRM = "confirm"
    CHOOSE = "choose"
    REMATCH = "rematch"
    DECLINE = "decline"
    ASK = "ask"
    KEEP = "keep"


class Under16Basis(StrEnum):
    """Who consents for somebody under 16, as a person has established."""

    GILLICK_ASSESSMENT = "gillick_assessed"
    PARENTAL_CONSENT = "parental_consent"


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]


class Wish(BaseModel):
    """An action on the version of the case that its author has seen; unknown fields are refused.

    Most fields may be missing here, so that the rules can say everything that is wrong at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    action: ClassVar[Action]
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Claim(Wish):
    """To work on the case oneself; a supervisor may take it over."""

    action = Action.CLAIM


class Release(Wish):
    """To let others work on the case."""

    action = Action.RELEASE


class Decision(Wish):
    """Whatever moves the case on."""

    flags_seen: bool = False
    """Whether its author has read the risk flags; must be said when there are any."""


class MatchDecision(Decision):
    """A decision for a therapist."""

    therapist_id: UUID | None = None
    variant: Variant | None = None
    """Which of the pathways that they could give; None for the one that they are listed for."""

    reason: Text = ""
    under_16_basis: Under16Basis | None = None
    under_16_note: Text = ""


class Confirm(MatchDecision):
    """The first therapist of the shortlist; `therapist_id` may be given to be sure of who that is."""

    action = Action.CONFIRM


class Choose(MatchDecision):
    """Another therapist of the shortlist, and why."""

    action = Action.CHOOSE


class Rematch(Decision):
    """Another shortlist: without certain therapists, or for a reason."""

    action = Action.REMATCH
    exclude: Annotated[tuple[UUID, ...], Field(max_length=50)] = ()
    reason: Text = ""


class Decline(Decision):
    """No, with where to turn instead."""

    action = Action.DECLINE
    onward_route: OnwardRoute | None = None
    reason: Text = ""


class Ask(Decision):
    """A question to the client before anything is decided."""

    action = Action.ASK
    question: Text = ""


class Keep(Decision):
    """The match stays, though its therapist has left the directory, and why."""

    action = Action.KEEP
    reason: Text = ""


class SettleMail(BaseModel):
    """How somebody was told whom a mail did not reach; it does not change the case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    message_id: UUID
    note: Text = ""


WISHES: dict[Action, type[Wish]] = {
    wish.action: wish for wish in (Claim, Release, Confirm, Choose, Rematch, Decline, Ask, Keep)
}
