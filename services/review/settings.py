"""What review must be told beside what the kit asks for."""

from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from services.review.domain.staff import Lifetime
from shared.kit.settings import KitSettings


class Settings(KitSettings):
    """Settings of the review service."""

    public_url: str = Field(description="where staff reach these pages, such as https://review.example.org")
    clinic_name: str = "Attune clinic"
    promised_hours: int = Field(72, ge=1, le=2000)
    """Within how many hours a client is told what comes of the request."""

    session_hours: int = Field(10, ge=1, le=24)
    session_idle_minutes: int = Field(60, ge=5, le=1440)
    password_checks_at_once: int = Field(2, ge=1, le=16)
    """Each takes 64 MiB and about a tenth of a second of one core."""

    @field_validator("public_url")
    @classmethod
    def _has_a_scheme_and_host(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("must be https unless it is on this machine: a session would travel in the open")
        return url.rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url.startswith("https://")

    @property
    def lifetime(self) -> Lifetime:
        """How long sessions last."""
        return Lifetime(timedelta(hours=self.session_hours), timedelta(minutes=self.session_idle_minutes))

    @property
    def promise(self) -> timedelta:
        """The promised time."""
        return timedelta(hours=self.promised_hours)
