"""Marks the fields that travel sealed, and for which purpose they may be opened; the kit does the sealing."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema

T = TypeVar("T")


class Purpose(StrEnum):
    """Why a field may be opened; a service holds the keys of its purposes and of no other."""

    CONTACT = "contact"
    CLINICAL = "clinical"


class SealedValue(BaseModel):
    """A sealed field as it stands on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kid: UUID
    """The data key it is sealed under; the key of an erased subject is destroyed."""

    box: str
    """Base64 of nonce and ciphertext (AES-256-GCM)."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Says that a field travels sealed: `Annotated[Contact | None, Sealed(Purpose.CONTACT)]`."""

    purpose: Purpose

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        inside = handler(schema)
        return {
            "type": "object",
            "description": f"Sealed for the purpose '{self.purpose}'; x-opens-to describes what is inside.",
            "required": ["kid", "box"],
            "properties": {
                "kid": {"type": "string", "format": "uuid"},
                "box": {"type": "string", "contentEncoding": "base64"},
            },
            "x-purpose": str(self.purpose),
            "x-opens-to": inside,
        }


class Withheld(Exception):
    """A service asked for a field that it may not open."""


def opened(value: T | None) -> T:
    """The value of a sealed field, for a service that holds the keys of its purpose."""
    if value is None:
        raise Withheld("this service does not hold the keys for that field")
    return value


def sealed_fields(model: type[BaseModel]) -> dict[str, Purpose]:
    """Which fields of an event travel sealed, and for what."""
    return {
        name: mark.purpose
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Sealed)
    }
