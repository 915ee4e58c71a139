"""Settings that are wrong are named at start, and no secret shows in the fault."""

import base64
from typing import Any

import pytest

from services.notify.gateway import MailServer
from services.notify.settings import Settings, mail_server
from shared.kit.settings import SettingsFault, load

GIVEN = {
    "KAFKA_URL": "127.0.0.1:9092",
    "DATABASE_URL": "postgresql://127.0.0.1/notify",
    "KEYRING_URL": "postgresql://127.0.0.1/keyring",
    "SEALING_KEY_CONTACT": base64.b64encode(b"c" * 32).decode(),
    "HTTP_PORT": "8004",
    "SMTP_URL": "smtp://127.0.0.1:1025",
    "MAIL_FROM": "hello@attune.example",
    "CLINIC_NAME": "Attune clinic",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which notify can start."""
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:1025", MailServer("127.0.0.1", 1025, "if_offered")),
        ("smtp://mail.example", MailServer("mail.example", 587, "if_offered")),
        ("smtp://mailpit:1025?starttls=never", MailServer("mailpit", 1025, "never")),
        ("smtp://127.0.0.1:1025?starttls=require", MailServer("127.0.0.1", 1025, "require")),
        ("smtps://mail.example", MailServer("mail.example", 465, "implicit")),
        ("smtp://a:b@mail.example?starttls=require", MailServer("mail.example", 587, "require", "a", "b")),
        ("smtps://a:p%40ss%3A@mail.example:46", MailServer("mail.example", 46, "implicit", "a", "p@ss:")),
    ],
)
def test_a_mail_server_is_read_from_its_address(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("SMTP_URL", "http://mail.example", "must be smtp://"),
        ("SMTP_URL", "smtp://", "must be smtp://"),
        ("SMTP_URL", "smtp://mail.example:99999", "port below 65536"),
        ("SMTP_URL", "smtp://mail.example?starttls=perhaps", "starttls=require or ?starttls=never"),
        ("SMTP_URL", "smtp://attune:hunter2@mail.example", "bears a password"),
        ("SMTP_URL", "smtp://mail.example?tls=yes", "starttls=require or ?starttls=never"),
        ("MAIL_FROM", "nobody", "must be one plain e-mail address"),
        ("MAIL_FROM", "Attune <hello@attune.example>", "must be one plain e-mail address"),
        ("MAIL_FROM", "zoë@attune.example", "must be written in ASCII"),
        ("MAIL_FROM", "hello@ipt-clinic.example", "must not say what the clinic treats"),
        ("CLINIC_NAME", "The Depression Clinic", "must not say what the clinic treats"),
        ("CLINIC_NAME", "Attune\nBcc: all@example.com", "pattern"),
        ("LEASE_SECONDS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_named_with_its_rule(
    environment: pytest.MonkeyPatch, name: str, value: str, rule: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(SettingsFault) as fault:
        load(Settings)

    assert f"{name} " in str(fault.value)
    assert rule in str(fault.value)


@pytest.mark.parametrize("name", ["SMTP_URL", "MAIL_FROM", "CLINIC_NAME"])
def test_what_is_missing_is_asked_for_by_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(SettingsFault, match=f"{name} is missing"):
        load(Settings)


def test_a_password_shows_neither_in_a_fault_nor_in_the_settings(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SMTP_URL", "smtp://attune:hunter2@mail.example?starttls=maybe")
    with pytest.raises(SettingsFault) as fault:
        load(Settings)
    environment.setenv("SMTP_URL", "smtps://attune:hunter2@mail.example")
    settings: Any = load(Settings)

    shown = [str(fault.value), repr(settings), repr(mail_server(settings.smtp_url.get_secret_value()))]

    assert not any("hunter2" in text for text in shown)
