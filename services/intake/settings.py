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

    form_per_mailbox_a_day: int = Field(5, ge=1)
    """How many requests made with the form may be acknowledged to one mailbox in a day."""

    form_per_origin_an_hour: int = Field(60, ge=1)
    """How many may come from one network address in an hour; a surgery may have one for many people."""

    @property
    def status_base(self) -> str:
        """What every status link begins with."""
        return f"{self.public_url}/status/"
