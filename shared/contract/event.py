"""What every event has: a type, a stream, and one thing that it is about, mostly a request."""

from typing import Any, ClassVar, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.contract.ids import RequestId
from shared.contract.sealing import sealed_fields


class Part(BaseModel):
    """A value inside an event; unknown fields are ignored, so that producers can add."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)


class Event(Part):
    """A fact that one service states and others act upon; it never changes once said."""

    type: ClassVar[str]
    """The CloudEvents type: `attune.<producer>.<event-in-kebab>.v<n>`."""

    stream: ClassVar[str]
    """The topic, before any prefix of the environment."""

    keyed_by: ClassVar[str]
    """The field that names what the event is about: whatever is said about one such thing stays in order."""

    is_last: ClassVar[bool] = False
    """Whether nothing is left to be said: a stream that keeps the last of each thing forgets this one."""

    tells_cause: ClassVar[bool] = True
    """Whether its envelope names the event and the trace that led to it, as those who hear both may know."""

    @property
    def key(self) -> UUID:
        """The id of what the event is about; Kafka's key and the envelope's subject."""
        key: UUID = getattr(self, self.keyed_by)
        return key

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if getattr(cls, "keyed_by", None) not in cls.model_fields:
            raise TypeError(
                f"{cls.__name__} must say which of its fields it is keyed by, or be a RequestEvent"
            )
        sealed = sealed_fields(cls)
        if sealed and "subject_id" not in cls.model_fields:
            raise TypeError(f"{cls.__name__} seals {', '.join(sealed)} and must name its subject_id")
        for name in sealed:
            # A service without the keys sees None there, so the type must admit it.
            if type(None) not in get_args(cls.model_fields[name].annotation):
                raise TypeError(f"{cls.__name__}.{name} is sealed and must be `| None`")


class RequestEvent(Event):
    """A fact about one request."""

    keyed_by: ClassVar[str] = "request_id"

    request_id: RequestId
