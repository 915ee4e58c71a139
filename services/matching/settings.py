"""What matching must be told beside what the kit needs."""

from pathlib import Path

from pydantic import Field

from shared.kit.settings import DatabaseSettings, KitSettings
from shared.places import LONDON

HERE = Path(__file__).parent
POLICY = HERE / "policy" / "2026-11.toml"


class Settings(KitSettings):
    """Matching's settings."""

    policy_file: Path = Field(POLICY, description="the matching policy to rank by")
    places_file: Path = Field(
        LONDON, description="the table of postcode districts, as `places build` writes it"
    )
    reoffer_poll_seconds: float = Field(2.0, gt=0, le=60)
    """How often to look whether the waiting list should be offered what has become free."""


class DirectorySettings(DatabaseSettings):
    """All that the directory's commands need."""

    places_file: Path = Field(
        LONDON, description="the table of postcode districts, as `places build` writes it"
    )
