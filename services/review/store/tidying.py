"""Forgets, day by day, sessions and sign-in attempts that ended long ago."""

import asyncio

from services.review.store import sessions
from shared.kit.service import Service

EVERY_SECONDS = 3600


async def forget_the_old(service: Service) -> None:
    """Runs beside the doors."""
    while True:
        async with service.database.transaction() as tx:
            await sessions.tidy(tx)
        await asyncio.sleep(EVERY_SECONDS)
