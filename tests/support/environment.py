"""Settings as the environment of a process."""

from pydantic import SecretStr

from shared.kit.settings import KitSettings


def environment(settings: KitSettings) -> dict[str, str]:
    """What a process must find in its environment to read the same settings."""
    values = {name.upper(): _plain(getattr(settings, name)) for name in type(settings).model_fields}
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: object) -> str | None:
    if value is None:
        return None
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
