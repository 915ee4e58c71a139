"""A decision meets the entry as a change that is being made leaves it, never as it stood before."""

import asyncio
from dataclasses import replace

from services.matching import store
from shared.contract.matching import MatchProposed, SeatReserved, SeatUnavailable
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.matching.builders import a_therapist
from tests.matching.gathering import in_directory
from tests.matching.locks import waits_for_a_lock
from tests.matching.processes import Process
from tests.support.builders import a_confirmation, a_request

ADA = a_therapist("ada", seats_offered=1, seats_free=1)


async def test_who_loses_their_registration_while_a_decision_is_carried_out_gets_no_client(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA)
    [proposal] = await process.hear(a_request())
    assert isinstance(proposal, MatchProposed)

    async with database.transaction() as tx:
        await store.save_therapist(tx, replace(ADA, registration=None))
        deciding = asyncio.create_task(process.hear(a_confirmation(proposal, "ada")))
        await eventually(lambda: waits_for_a_lock(database), within=30)
    said = await deciding

    assert any(isinstance(each, SeatUnavailable) for each in said)
    assert not any(isinstance(each, SeatReserved) for each in said)
