"""The file of a policy: where it is, how it is written, and how one is told from another."""

from hashlib import sha256
from pathlib import Path

import pytest

from services.matching.app import load_rules
from shared.kit.errors import Fatal
from tests.matching.builders import RULES
from tests.matching.policies import TEXT


def test_a_service_with_a_wrong_policy_does_not_start(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(TEXT.replace("smallest_group = 10", ""), encoding="utf-8")

    with pytest.raises(Fatal, match=r"smallest_group: Field required"):
        load_rules(file)


def test_a_policy_that_is_not_there_does_not_start_either(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=r"POLICY_FILE .* cannot be read"):
        load_rules(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    "written",
    [TEXT, TEXT.replace("\n", "\r\n"), f"\ufeff{TEXT}", "\ufeff" + TEXT.replace("\n", "\r\n")],
    ids=["plain", "with CR LF", "with a byte order mark", "with both"],
)
def test_however_an_editor_writes_a_file_it_is_the_same_policy_under_the_same_digest(
    tmp_path: Path, written: str
) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(written.encode())

    rules = load_rules(file)

    assert rules.policy == RULES.policy
    assert rules.policy_digest == sha256(TEXT.encode()).hexdigest()
    assert rules.digest == RULES.digest


def test_another_word_is_another_digest(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(TEXT.replace("fresh_days = 120 ", "fresh_days = 121 ").encode())

    assert load_rules(file).policy_digest != RULES.policy_digest


def test_a_policy_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(TEXT.encode("utf-16"))

    with pytest.raises(Fatal, match="is not UTF-8"):
        load_rules(file)
