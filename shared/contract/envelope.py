"""The envelope: CloudEvents 1.0 in Kafka's binary mode, as headers."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

CONTENT_TYPE = "application/json"

TraceParent = Annotated[str, Field(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]
"""W3C trace context, so that one request can be followed through every service."""

Headers = Iterable[tuple[str, bytes | None]]


class MalformedEnvelope(ValueError):
    """The headers are not an envelope; `rule` says which one is wrong and why, without its value."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Envelope(BaseModel):
    """Who said what about which request, and because of what; holds no personal data."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: UUID
    type: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,120}$")]
    source: Annotated[str, Field(min_length=1, max_length=200)]
    subject: Annotated[str, Field(min_length=1, max_length=200)]
    time: AwareDatetime
    dataschema: str | None = None
    traceparent: TraceParent | None = None
    causation_id: UUID | None = None
    """The event that led to this one."""

    aggregate_version: int | None = None
    """Counts what this producer has said about this request, from 1, without gaps."""

    def headers(self) -> list[tuple[str, bytes]]:
        """The envelope as Kafka headers."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(self.id),
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_subject": self.subject,
            "ce_time": _rfc3339(self.time),
            "ce_dataschema": self.dataschema,
            "content-type": CONTENT_TYPE,
            "traceparent": self.traceparent,
            "ce_causationid": None if self.causation_id is None else str(self.causation_id),
            "ce_aggregateversion": None if self.aggregate_version is None else str(self.aggregate_version),
        }
        return [(name, value.encode()) for name, value in headers.items() if value is not None]

    @classmethod
    def from_headers(cls, headers: Headers) -> "Envelope":
        """Reads the envelope, or says which header breaks which rule."""
        values = decoded(headers)
        if values.get("ce_specversion") != "1.0":
            raise MalformedEnvelope("ce_specversion must be 1.0")
        if not re.match(r"application/json\s*(;|$)", values.get("content-type", "")):
            raise MalformedEnvelope(f"content-type must be {CONTENT_TYPE}")
        try:
            return cls.model_validate_strings(
                {
                    name: values[header]
                    for name, header in {
                        "id": "ce_id",
                        "type": "ce_type",
                        "source": "ce_source",
                        "subject": "ce_subject",
                        "time": "ce_time",
                        "dataschema": "ce_dataschema",
                        "traceparent": "traceparent",
                        "causation_id": "ce_causationid",
                        "aggregate_version": "ce_aggregateversion",
                    }.items()
                    if header in values
                }
            )
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise MalformedEnvelope(f"envelope field {first['loc'][0]}: {first['msg']}") from None


def decoded(headers: Headers) -> dict[str, str]:
    """The headers as text; a null or undecodable one is refused by name."""
    values: dict[str, str] = {}
    for name, value in headers:
        if value is None:
            raise MalformedEnvelope(f"header {name} is null")
        try:
            values[name] = value.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedEnvelope(f"header {name} is not UTF-8") from None
    return values


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
