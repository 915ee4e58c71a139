"""How Kafka is reached and what things are called there: servers, sign-in and prefix in one place."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faststream.security import BaseSecurity, SASLScram512

from shared.kit.errors import Fatal
from shared.kit.settings import KafkaSettings

PROBE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Kafka:
    """A cluster, as one environment sees it."""

    servers: tuple[str, ...]
    prefix: str = ""
    security_protocol: str = "PLAINTEXT"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    cafile: str | None = None
    session_ms: int = 30_000

    @classmethod
    def of(cls, settings: KafkaSettings) -> Self:
        """The cluster that the settings name."""
        protocol = settings.kafka_security_protocol
        if protocol.startswith("SASL") and not (
            settings.kafka_sasl_username and settings.kafka_sasl_password
        ):
            raise Fatal(f"KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed for {protocol}")
        password = settings.kafka_sasl_password
        return cls(
            servers=tuple(server.strip() for server in settings.kafka_url.split(",")),
            prefix=settings.kafka_topic_prefix,
            security_protocol=protocol,
            username=settings.kafka_sasl_username,
            password=password.get_secret_value() if password is not None else None,
            cafile=str(settings.kafka_ssl_cafile) if settings.kafka_ssl_cafile is not None else None,
            session_ms=round(settings.kafka_session_seconds * 1000),
        )

    def topic(self, stream: str) -> str:
        """The name of a stream's topic on the cluster."""
        return self.prefix + stream

    def stream(self, topic: str) -> str:
        """The stream that a topic carries."""
        return topic.removeprefix(self.prefix)

    def group(self, consumer: str) -> str:
        """The name of a consumer's group on the cluster."""
        return self.prefix + consumer

    def client_arguments(self) -> dict[str, Any]:
        """What every client of aiokafka's must be told."""
        arguments: dict[str, Any] = {
            # A comma-separated string would be taken for one host by some clients.
            "bootstrap_servers": list(self.servers),
            "security_protocol": self.security_protocol,
            "ssl_context": self._ssl_context(),
        }
        if self.username is not None:
            arguments |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return arguments

    def faststream_security(self) -> BaseSecurity | None:
        """The same for FastStream."""
        context = self._ssl_context()
        if self.username is not None and self.password is not None:
            return SASLScram512(
                self.username, self.password, ssl_context=context, use_ssl=context is not None
            )
        return BaseSecurity(ssl_context=context) if context is not None else None

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """An administrator's connection."""
        admin = AIOKafkaAdminClient(**self.client_arguments(), request_timeout_ms=10_000)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    async def missing(self, streams: Iterable[str]) -> list[str]:
        """Which of the streams have no topic."""
        wanted = {self.topic(stream): stream for stream in streams}
        async with self.admin() as admin:
            found = {
                each["topic"] for each in await admin.describe_topics(list(wanted)) if not each["error_code"]
            }
        return sorted(stream for topic, stream in wanted.items() if topic not in found)

    async def reachable(self) -> bool:
        """Whether a fresh connection gets an answer."""
        try:
            async with asyncio.timeout(PROBE_SECONDS), self.admin() as admin:
                await admin.describe_cluster()
        except (KafkaError, OSError, TimeoutError):
            return False
        return True

    async def wait_for(self, streams: Iterable[str], seconds: float) -> None:
        """Waits, for a bounded time, until Kafka answers and has the streams' topics."""
        streams = list(streams)
        lacking: list[str] | None = None
        why = "no answer"
        try:
            async with asyncio.timeout(seconds):
                while lacking != []:
                    try:
                        lacking = await self.missing(streams)
                    except (KafkaError, OSError) as error:
                        lacking, why = None, type(error).__name__
                    if lacking != []:
                        await asyncio.sleep(0.5)
        except TimeoutError:
            if lacking is None:
                raise Fatal(
                    f"Kafka at {', '.join(self.servers)} did not answer within {seconds:g} s: {why}"
                ) from None
            raise Fatal(
                f"Kafka lacks the topics of {', '.join(lacking)}, or does not show them to this user:"
                " run `python -m shared.kit topics apply deploy/kafka/topics.yaml`"
            ) from None

    def _ssl_context(self) -> ssl.SSLContext | None:
        if not self.security_protocol.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=self.cafile)
