"""The import laws hold, and each of them bites when it is broken on purpose."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())",
            "--no-cache",
        ],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PYTHONPATH": str(tree), "PATH": "", "COLUMNS": "200"},
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the code, to break."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for part in ("services", "shared"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_laws_hold() -> None:
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line", "law"),
    [
        ("services/notify/store/__init__.py", "import services.matching.store", "No service imports another"),
        (
            "services/notify/store/__init__.py",
            "import services.notify.handlers",
            "A service reads top to bottom",
        ),
        ("services/review/helpers.py", '"""A room too many."""', "has no other rooms"),
        ("shared/kit/clock.py", "import services.intake.domain", "shared knows no service"),
        ("shared/contract/event.py", "import shared.kit.errors", "The contract knows no machinery"),
        ("shared/contract/event.py", "import asyncpg", "The contract knows no machinery"),
        ("services/intake/domain/__init__.py", "import shared.kit.clock", "The domain is pure"),
        ("services/matching/domain/__init__.py", "import asyncpg", "The domain is pure"),
        (
            "services/notify/store/__init__.py",
            "from aiokafka import AIOKafkaProducer",
            "Services never see Kafka",
        ),
        ("services/intake/handlers.py", "import faststream.kafka", "Services never see Kafka"),
        ("services/review/app.py", "from shared.kit.kafka import Kafka", "Services never see Kafka"),
    ],
)
def test_a_broken_law_is_caught(tree: Path, file: str, line: str, law: str) -> None:
    path = tree / file
    path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")

    result = lint(tree)

    assert result.returncode != 0
    broken = [row for row in result.stdout.splitlines() if row.rstrip().endswith("BROKEN")]
    assert any(law in row for row in broken), result.stdout
