"""A process that relays one service's outbox and does nothing else, to be frozen and killed."""

import asyncio
import signal

from prometheus_client import CollectorRegistry

from shared.kit import logs
from shared.kit.kafka import Kafka
from shared.kit.metrics import Metrics
from shared.kit.relay import Relay
from shared.kit.settings import KitSettings, load


async def main() -> None:
    """Relays until SIGTERM."""
    settings = load(KitSettings)
    logs.configure("probe")
    relay = Relay(
        url=settings.database_url.get_secret_value(),
        kafka=Kafka.of(settings),
        service="probe",
        metrics=Metrics(CollectorRegistry()),
        poll_seconds=0.2,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.finish)
    await relay.run()


if __name__ == "__main__":
    asyncio.run(main())
