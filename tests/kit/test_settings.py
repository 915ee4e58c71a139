"""Settings that are missing or wrong are named at start, and secrets are read from files."""

from pathlib import Path

import pytest

from shared.kit import settings as kit_settings
from shared.kit.errors import Fatal
from shared.kit.settings import DatabaseSettings, KitSettings, load
from tests.support.environment import environment
from tests.support.marks import PROBE
from tests.support.processes import running


async def test_all_missing_settings_are_named_at_once() -> None:
    async with running(*PROBE, environment={}) as process:
        assert await process.ended() == 2

    for name in ("KAFKA_URL", "DATABASE_URL", "KEYRING_URL", "SEALING_KEY_CONTACT", "HTTP_PORT"):
        assert f"{name} is missing" in process.output
    assert "Traceback" not in process.output


async def test_a_wrong_setting_is_named_with_its_rule_and_without_its_value(settings: KitSettings) -> None:
    wrong = environment(settings) | {"SEALING_KEY_CONTACT": "dG9vLXNob3J0", "KAFKA_URL": "no-port"}

    async with running(*PROBE, environment=wrong) as process:
        assert await process.ended() == 2

    assert "SEALING_KEY_CONTACT must be the base64 of exactly 32 bytes" in process.output
    assert "KAFKA_URL must be host:port" in process.output
    assert "dG9vLXNob3J0" not in process.output


async def test_secrets_are_read_from_files_and_a_variable_goes_before_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_settings, "SECRETS", tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "database_url").write_text("postgresql://file\n")

    assert load(DatabaseSettings).database_url.get_secret_value() == "postgresql://file"
    monkeypatch.setenv("DATABASE_URL", "postgresql://variable")
    assert load(DatabaseSettings).database_url.get_secret_value() == "postgresql://variable"


def test_an_address_that_cannot_be_read_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:s\u2100cret@127.0.0.1:1/name")

    with pytest.raises(Fatal) as refused:
        load(DatabaseSettings)

    assert "DATABASE_URL is no URL" in str(refused.value)
    assert "cret" not in str(refused.value)
