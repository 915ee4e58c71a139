"""docker-compose.yml is well formed, keeps its ports to itself and guesses no secret."""

import re
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


def test_what_is_for_operators_has_a_port_of_its_own(compose: dict[str, Any]) -> None:
    for name in SERVICES:
        service = compose["services"][name]
        inside = [port.rpartition(":")[2] for port in service["ports"]]

        assert inside == [service["environment"]["HTTP_PORT"], service["environment"]["OPERATOR_PORT"]]


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


def guessed_secrets(compose: dict[str, Any]) -> list[str]:
    """Settings that hold a secret which does not come from the environment alone."""
    from_outside = re.compile(r"\$\{[A-Z_]+(:\?[^}]*)?\}")
    found = []
    for name, service in compose["services"].items():
        for setting, value in (service.get("environment") or {}).items():
            secret: str | None = None
            if setting.endswith("_URL") and "@" in str(value):
                secret = str(value).partition("://")[2].rpartition("@")[0].partition(":")[2]
            elif re.search("PASSWORD|SECRET|(^|_)KEY(_|$)", setting):
                secret = str(value)
            if secret is not None and not from_outside.fullmatch(secret):
                found.append(f"{name}.{setting}")
    return found


def test_no_secret_has_a_guessed_default(compose: dict[str, Any]) -> None:
    assert guessed_secrets(compose) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("POSTGRES_PASSWORD", "postgres"),
        ("POSTGRES_PASSWORD", "${POSTGRES_PASSWORD:-postgres}"),
        ("SEALING_KEY_CONTACT", "c2VjcmV0"),
        ("DATABASE_URL", "postgresql://attune:attune@postgres/intake"),
        ("DATABASE_URL", "postgresql://attune:${INTAKE_DB_PASSWORD:-attune}@postgres/intake"),
    ],
)
def test_a_guessed_secret_would_be_found(setting: str, value: str) -> None:
    assert guessed_secrets({"services": {"intake": {"environment": {setting: value}}}}) == [
        f"intake.{setting}"
    ]


def test_notify_is_not_given_the_clinical_key(compose: dict[str, Any]) -> None:
    holders = {
        name
        for name, service in compose["services"].items()
        if "SEALING_KEY_CLINICAL" in (service.get("environment") or {})
    }

    assert holders.isdisjoint({"notify", "migrate-notify"})
    assert holders >= {"intake", "matching", "review"}


def test_data_lives_in_named_volumes(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {"kafka-data", "matching-compiled", "postgres-data"}


def test_matching_can_write_down_what_it_compiles(compose: dict[str, Any]) -> None:
    dockerfile = (COMPOSE.parent / "deploy" / "Dockerfile").read_text()
    [folder] = re.findall(r"NUMBA_CACHE_DIR=(\S+)", dockerfile)

    assert compose["services"]["matching"]["read_only"] is True
    assert [mount.partition(":")[2] for mount in compose["services"]["matching"]["volumes"]] == [folder]
