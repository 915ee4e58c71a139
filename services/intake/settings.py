"""What intake must be told beside what the kit needs."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.kit.settings import KitSettings

TABLES = Path(__file__).parent / "domain"
WARNING_WORDS = TABLES / "warning_words.toml"


def _base(url: str) -> str:
    if not url.startswith(("http://", "https://")) or "?" in url or "#" in url:
        raise ValueError("must be the http(s) address under which people reach these pages")
    return url.rstrip("/")


class Settings(KitSettings):
    """Intake's settings."""

    public_url: Annotated[str, AfterValidator(_base)] = Field(
        description="the address under which people reach these pages; status links begin with it"
    )
    clinic_name: str = "Attune"
    """The name that the pages bear."""

    @property
    def status_base(self) -> str:
        """What every status link begins with."""
        return f"{self.public_url}/status/"
