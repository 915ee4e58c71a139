"""What the kit must be told: by environment variables, or by files of the same name under /run/secrets."""

import base64
import binascii
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from shared.kit.errors import Fatal

SECRETS = Path("/run/secrets")

S = TypeVar("S", bound=BaseSettings)


class SettingsFault(Fatal):
    """Settings are missing or wrong; every one of them is named, no value is shown."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("settings are missing or wrong:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


def load(settings: type[S]) -> S:
    """Reads the settings, or names all that is wrong with them at once."""
    try:
        return settings()
    except ValidationError as error:
        faults = [
            _fault(settings, ".".join(map(str, fault["loc"])), fault["type"], fault["msg"])
            for fault in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise SettingsFault(sorted(faults)) from None


def _fault(settings: type[BaseSettings], name: str, kind: str, message: str) -> str:
    field = settings.model_fields.get(name)
    meaning = f" ({field.description})" if field is not None and field.description else ""
    rule = "is missing" if kind == "missing" else message.removeprefix("Value error, ")
    return f"{name.upper()} {rule}{meaning}"


def _servers(url: str) -> str:
    for server in url.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("must be host:port, several separated by commas")
    return url


def _postgres(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("must begin with postgresql://")
    try:
        urlsplit(url.get_secret_value())
    except ValueError:
        # What it says of the fault may repeat the password.
        raise ValueError("is no URL: what is special in a password must be written as %xx") from None
    return url


def _key(key: SecretStr) -> SecretStr:
    try:
        length = len(base64.b64decode(key.get_secret_value(), validate=True))
    except binascii.Error:
        raise ValueError("must be base64") from None
    if length != 32:
        raise ValueError("must be the base64 of exactly 32 bytes")
    return key


def _networks(named: str) -> str:
    for each in named.split(",") if named else ():
        try:
            ip_network(each.strip())
        except ValueError:
            raise ValueError("must be addresses or networks, several separated by commas") from None
    return named


Servers = Annotated[str, AfterValidator(_servers)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]
Networks = Annotated[str, AfterValidator(_networks)]
SealingKey = Annotated[SecretStr, AfterValidator(_key)]
Seconds = Annotated[float, Field(gt=0)]


class _FromOutside(BaseSettings):
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = (SecretsSettingsSource(settings_cls, secrets_dir=SECRETS),) if SECRETS.is_dir() else ()
        return (init_settings, env_settings, *files)


class LogSettings(_FromOutside):
    """How much to log."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class KafkaSettings(LogSettings):
    """Where Kafka is, and how to be let in."""

    kafka_url: Servers = Field(description="Kafka servers as host:port, separated by commas")
    kafka_topic_prefix: str = Field("", pattern=r"^[a-z0-9.-]*$", max_length=60)
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: Path | None = None
    kafka_session_seconds: float = Field(30, ge=6, le=300)
    """How long the group waits for a member that was killed before others take its partitions."""


class DatabaseSettings(LogSettings):
    """Where the service keeps what it knows."""

    database_url: PostgresUrl = Field(
        description="this service's database, postgresql://user:password@host/name"
    )
    database_pool_size: int = Field(10, ge=2, le=100)


class KeyringSettings(LogSettings):
    """Where the data keys are."""

    keyring_url: PostgresUrl = Field(
        description="the keyring's database, postgresql://user:password@host/name"
    )


class KitSettings(KafkaSettings, DatabaseSettings, KeyringSettings):
    """What every service must be told; a service adds its own in its settings.py."""

    sealing_key_contact: SealingKey = Field(
        description="wraps the keys of contact data; `python -m shared.kit keyring new-key` makes one"
    )
    sealing_key_clinical: SealingKey | None = Field(
        None, description="wraps the keys of clinical data; not given to a service that may not read it"
    )

    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65535, description="the port to serve HTTP on")
    operator_port: int | None = Field(None, ge=1, le=65535, description="the port for operators alone")
    """If given, what is for operators, such as `/metrics`, is served there and at the other port no more."""

    forwarded_allow_ips: Networks = Field("", description="the proxies that say for whom they ask")
    """X-Forwarded-For and X-Forwarded-Proto are believed of these alone: else anybody could be anybody."""

    http_body_limit: int = Field(1024 * 1024, gt=0)
    """No request may be longer, in bytes; doors set lower limits of their own."""

    startup_wait_seconds: Seconds = 60
    stuck_after_seconds: Seconds = 60
    """A handler that gives no sign of life for so long takes the process down."""

    graceful_seconds: Seconds = 20
    unassigned_after_seconds: Seconds = 120
    """A consumer that has joined its group for so long without success takes the process down."""

    relay_poll_seconds: float = Field(1.0, gt=0, le=5)
    """How often the relay looks without being woken; well below the 10 s after which its session is ended."""

    entry_seconds: Seconds = 45
    """How long one batch may wait in its handler before Kafka is polled again."""

    not_yet_seconds: Seconds = 60
    """How long an event waits for a fact of another stream before it is parked."""

    handler_tries: int = Field(5, ge=1)
    dead_letters_in_a_row: int = Field(20, ge=1)
    """So many parked one after the other mean that something else is wrong: the process ends."""

    inbox_days: int = Field(30, ge=15)
    """How long seen events are remembered; longer than topics keep them."""
