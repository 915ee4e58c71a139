"""What matching must be told beside what the kit needs."""

from pathlib import Path

from pydantic import Field

from shared.kit.settings import DatabaseSettings, KitSettings, LogSettings
from shared.places import LONDON

HERE = Path(__file__).parent
POLICY = HERE / "policy" / "2026-11.toml"


class PlacesSettings(LogSettings):
    """Where postcode districts are looked up."""

    places_file: Path = Field(
        LONDON, description="the table of postcode districts, as `places build` writes it"
    )


class RulesSettings(PlacesSettings):
    """What rankings depend on beside the directory."""

    policy_file: Path = Field(POLICY, description="the matching policy to rank by")


class Settings(KitSettings, RulesSettings):
    """Matching's settings."""

    shadow_policy_file: Path | None = Field(None, description="a policy to try beside the live one")
    shadow_poll_seconds: float = Field(2.0, gt=0, le=60)
    """How often to look for rankings to compare with the shadow policy."""

    replay_days: int = Field(180, ge=1, le=3650)
    """How long rankings are kept, and the directory's history that they need to be made again."""

    reoffer_poll_seconds: float = Field(2.0, gt=0, le=60)
    """How often to look whether the waiting list should be offered what has become free."""

    directory_hours: int = Field(24, ge=1, le=168)
    """How often others are told of the directory; what happens in between tells them less of clients."""

    price_seconds: float = Field(60.0, gt=0, le=3600)
    """How often to work therapists' prices out afresh."""


class DirectorySettings(DatabaseSettings, PlacesSettings):
    """All that the directory's commands need."""
