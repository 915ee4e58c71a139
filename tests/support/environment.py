"""Settings as the environment of a process, and the keys that processes of one test seal with."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import SecretStr

from shared.kit.settings import KitSettings

CornerOf = Callable[[str], Awaitable[dict[str, Any]]]
"""What a service of that name is told to stand in a corner of the stack."""

CONTACT_KEY = base64.b64encode(b"c" * 32).decode()
CLINICAL_KEY = base64.b64encode(b"k" * 32).decode()


def environment(settings: KitSettings) -> dict[str, str]:
    """What a process must find in its environment to read the same settings."""
    values = {name.upper(): _plain(getattr(settings, name)) for name in type(settings).model_fields}
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: object) -> str | None:
    if value is None:
        return None
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
