"""What tests of the record, of replay and of the shadow stand on."""

from pathlib import Path

import pytest

from services.matching.domain.comparing import Book
from services.matching.domain.ranking import Rules
from services.matching.handlers import Shadow
from shared.kit.database import Database
from tests.matching.builders import RULES
from tests.matching.recorded import another_policy, in_directory, rules_of
from tests.matching.replay.shadowed import ADA, ADA_FIRST, BEN


@pytest.fixture
def tried(tmp_path: Path) -> Rules:
    """A policy that puts Ada first, where the live one puts Ben."""
    return rules_of(another_policy(tmp_path, problem_area=ADA_FIRST))


@pytest.fixture
def book(tried: Rules) -> Book:
    """What is told of the comparison, and nothing in it yet."""
    return Book(live=RULES.policy.version, shadow=tried.policy.version)


@pytest.fixture
async def shadow(database: Database, tried: Rules, book: Book) -> Shadow:
    """That policy beside the live one, from now on."""
    await in_directory(database, ADA, BEN)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)
    return shadow
