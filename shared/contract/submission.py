"""What others may send in: a search request, unchecked until intake has looked at every field."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contract.vocabulary import (
    Condition,
    Format,
    LifeEvent,
    Mode,
    PreferenceAbout,
    ProblemArea,
    RequesterRole,
    Slot,
    Strength,
    Therapy,
)

STREAM = "intake.submissions"
TYPE = "attune.partner.search-request.v1"

Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\x00-\x20\x7f]+$")]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9 ()-]{7,20}$")]
OwnWords = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Reference = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._:/-]+$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class Unchecked(BaseModel):
    """A value from outside; unknown fields are refused, so that a typo is not swallowed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Requester(Unchecked):
    """Who asks; name and e-mail are needed unless the client asks."""

    role: RequesterRole
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None


class Client(Unchecked):
    """The person the therapy is for."""

    name: Name
    date_of_birth: date
    postcode: Annotated[str, Field(min_length=2, max_length=10)] | None = None
    """Full or the first half; needed for sessions in person. Only the first half is kept."""

    email: Email | None = None
    """Where to write to the client; without it mails go to the requester."""

    phone: Phone | None = None
    may_leave_message: bool = False


class Consent(Unchecked):
    """What the client, or who may speak for them, has agreed to."""

    to_process: bool
    """That the clinic handles what is told here, health included."""

    to_share: bool
    """That staff and the chosen therapist see it."""

    given_at: AwareDatetime | None = None
    """When; now, if not given."""


class Wish(Unchecked):
    """Something the client wishes for in a therapist."""

    about: PreferenceAbout
    wish: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
    """For therapist_gender: woman, man, non_binary. For approach: structured, exploratory. Else: yes."""

    strength: Strength


class LookingFor(Unchecked):
    """Which therapy, where, when and for how much."""

    therapy: Therapy = Therapy.EITHER
    mode: Mode
    format: Format = Format.INDIVIDUAL
    max_distance_km: Annotated[int, Field(ge=1, le=100)] | None = None
    max_fee_pounds: Annotated[int, Field(ge=0, le=1000)] | None = None
    """For one session; None if it does not matter."""

    availability: Annotated[tuple[Slot, ...], Field(min_length=1, max_length=21)]
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=5)] = ("en",)
    preferences: Annotated[tuple[Wish, ...], Field(max_length=10)] = ()
    attending_adult: bool = False
    """Whether an adult would come to every session with a child."""


class Story(Unchecked):
    """What it is about, as much as the person wants to say."""

    problem_areas: Annotated[tuple[ProblemArea, ...], Field(max_length=4)] = ()
    life_event: LifeEvent | None = None
    conditions: Annotated[tuple[Condition, ...], Field(max_length=9)] = ()
    diagnosed: bool | None = None
    in_own_words: OwnWords = ""


class Safety(Unchecked):
    """Signs that a person should look at first; any answer is welcome and none is required."""

    thoughts_of_ending_life: bool | None = None
    harming_self: bool | None = None
    being_hurt: bool | None = None
    might_hurt_others: bool | None = None
    in_own_words: OwnWords = ""


class Submission(Unchecked):
    """A search request as the form, the HTTP API and partners' events bring it."""

    type: ClassVar[str] = TYPE
    stream: ClassVar[str] = STREAM

    reference: Reference | None = None
    """The partner's own reference; sending it again changes nothing."""

    requester: Requester
    client: Client
    consent: Consent
    looking_for: LookingFor
    story: Story = Story()
    safety: Safety = Safety()
