"""docker-compose.yml is well formed, keeps its ports to itself and guesses no secret."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
SERVICES = ("intake", "matching", "review", "notify")
JOBS = ("topics", "migrate-keyring", *(f"migrate-{name}" for name in SERVICES))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document


def test_the_file_fits_the_compose_schema() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0, result.stdout


def test_every_part_of_the_system_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*SERVICES, *JOBS, "kafka", "postgres", "mailpit"}


def test_ports_are_bound_to_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_runs_for_long_restarts_and_is_health_checked(compose: dict[str, Any]) -> None:
    dockerfile = (COMPOSE.parent / "deploy" / "Dockerfile").read_text()

    for name, service in compose["services"].items():
        if name in JOBS:
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped"
            assert "healthcheck" in service or ("build" in service and "HEALTHCHECK" in dockerfile), name


def test_services_start_only_after_topics_and_migrations(compose: dict[str, Any]) -> None:
    for name in SERVICES:
        waits_for = compose["services"][name]["depends_on"]

        assert waits_for["topics"]["condition"] == "service_completed_successfully"
        assert waits_for[f"migrate-{name}"]["condition"] == "service_completed_successfully"


def test_no_secret_has_a_guessed_default(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for setting, value in (service.get("environment") or {}).items():
            if any(word in setting for word in ("PASSWORD", "KEY", "SECRET", "_URL")) and "${" in str(value):
                assert "_PASSWORD:-" not in str(value), f"{name}.{setting}"
                assert "_KEY" not in setting or ":?" in str(value), f"{name}.{setting}"


def test_notify_is_not_given_the_clinical_key(compose: dict[str, Any]) -> None:
    holders = {
        name
        for name, service in compose["services"].items()
        if "SEALING_KEY_CLINICAL" in (service.get("environment") or {})
    }

    assert holders.isdisjoint({"notify", "migrate-notify"})
    assert holders >= {"intake", "matching", "review"}


def test_data_lives_in_named_volumes(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {"kafka-data", "postgres-data"}
