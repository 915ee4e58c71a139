"""What tests of prices stand on."""

import pytest

from shared.kit.database import Database
from tests.matching.prices.priced import ANYBODY, GENERALIST, ONLY_THERE, SPECIALIST, came
from tests.matching.recorded import in_directory


@pytest.fixture
async def busy(database: Database) -> None:
    """A clinic where more adolescents ask than the only one for them has seats."""
    await in_directory(database, SPECIALIST, GENERALIST)
    await came(database, ONLY_THERE, 14)
    await came(database, ANYBODY, 14)
