"""Prepares a fresh machine with nothing but a Python 3: fetches uv if it is missing, then all packages.

Runs on Python 3.8 and newer with the standard library only. Does nothing, and needs no network, when
everything is there already.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import io
import os
import platform
import re
import shutil
import ssl
import stat
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / ".attune-setup"
LOCK = ROOT / "uv.lock"
OLDEST_UV = (0, 9)
JAVA = 17
DISK_MB = 2000
PLATFORMS = {
    ("Linux", "x86_64"): "manylinux_2_17_x86_64",
    ("Linux", "aarch64"): "manylinux_2_17_aarch64",
    ("Darwin", "x86_64"): "macosx_10_12_x86_64",
    ("Darwin", "arm64"): "macosx_11_0_arm64",
}


def say(text: str) -> None:
    """One line about what happens."""
    print("  " + text, flush=True)


def main() -> int:
    """Brings the checkout's environment up to date."""
    parser = argparse.ArgumentParser(prog="make setup", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="also what tests and linters need")
    wants_dev = parser.parse_args().dev
    needs_java = not has_java()
    wanted = fingerprint(needs_java)
    if prepared(wanted, wants_dev):
        return 0
    require_disk()
    uv = find_uv() or fetch_uv()
    say("installing packages from uv.lock" + (", and a Java runtime, as there is none" if needs_java else ""))
    # Inexact: what somebody has installed besides stays.
    command = [uv, "sync", "--frozen", "--inexact"]
    command += ["--all-groups"] if wants_dev else ["--no-dev"]
    command += ["--extra", "java"] if needs_java else []
    environment = {**trusting(), **os.environ, "UV_PROJECT_ENVIRONMENT": str(VENV)}
    code = subprocess.call(command, cwd=str(ROOT), env=environment)
    if code:
        say("uv could not install the packages; its message is above")
        return code
    STAMP.write_text(("dev " if wants_dev else "run ") + wanted)
    return 0


def require_disk(needed_mb: int = DISK_MB) -> None:
    """Stops where the packages would not fit, before half of them are there."""
    for place in (ROOT, next(path for path in (cache(), *cache().parents) if path.exists())):
        free_mb = shutil.disk_usage(str(place)).free // 2**20
        if free_mb < needed_mb:
            sys.exit(f"Attune needs {needed_mb} MB of free disk below {place}, and there are {free_mb} MB.")


def trusting() -> dict[str, str]:
    """Makes uv trust whom this machine trusts: a company's proxy may sign with a root of its own."""
    paths = ssl.get_default_verify_paths()
    has_roots = paths.cafile or (paths.capath and any(Path(paths.capath).iterdir()))
    return {"UV_SYSTEM_CERTS": "true"} if has_roots else {}


def fingerprint(needs_java: bool) -> str:
    """Changes when anything that decides the environment changes."""
    found = hashlib.sha256(LOCK.read_bytes())
    found.update(b"java" if needs_java else b"no java")
    return found.hexdigest()


def prepared(wanted: str, wants_dev: bool) -> bool:
    """Whether the environment is there and up to date."""
    try:
        kind, _, found = STAMP.read_text().partition(" ")
    except OSError:
        return False
    return found == wanted and (kind == "dev" or not wants_dev) and (VENV / "bin" / "python").exists()


def has_java() -> bool:
    """Whether the machine has a Java that Kafka can run on."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java or not Path(java).exists():
        return False
    try:
        text = printed([java, "-version"])
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r'version "(\d+)', text)
    return version is not None and int(version.group(1)) >= JAVA


def printed(command: list[str]) -> str:
    """What a short command prints."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return result.stdout + result.stderr


def find_uv() -> str | None:
    """A uv that is on this machine: named by UV, on PATH, or fetched earlier."""
    for candidate in (os.environ.get("UV"), shutil.which("uv"), str(cache() / "uv")):
        if not candidate or not Path(candidate).exists():
            continue
        try:
            text = printed([candidate, "--version"])
        except (OSError, subprocess.SubprocessError):
            continue
        version = re.search(r"(\d+)\.(\d+)", text)
        if version and (int(version.group(1)), int(version.group(2))) >= OLDEST_UV:
            return candidate
    return None


def fetch_uv() -> str:
    """Downloads the uv that uv.lock pins, checks it and keeps it in the user's cache."""
    tag = PLATFORMS.get((platform.system(), platform.machine()))
    block = re.search(r'\[\[package\]\]\nname = "uv"\n.*?(?=\n\[\[package\]\]|\Z)', LOCK.read_text(), re.S)
    wheels = (
        re.findall(r'url = "([^"]+\.whl)", hash = "sha256:([0-9a-f]{64})"', block.group(0)) if block else []
    )
    wheel = next((each for each in wheels if tag and tag in each[0]), None)
    if wheel is None:
        sys.exit("There is no uv for this machine in uv.lock: install uv and put it on PATH.")
    url, checksum = wheel
    say("fetching uv, which installs the rest")
    content = download(url)
    if hashlib.sha256(content).hexdigest() != checksum:
        sys.exit(url.rpartition("/")[2] + " was fetched with a wrong checksum and is not used.")
    target = cache() / "uv"
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        part = target.with_suffix("." + str(os.getpid()))
        part.write_bytes(archive.read(name))
    part.chmod(part.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    part.replace(target)
    return str(target)


def download(url: str) -> bytes:
    """The content of an address, with a bar where somebody watches."""
    try:
        # The address stands in uv.lock and is https.
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310
            size = int(response.headers.get("Content-Length") or 0)
            content = bytearray()
            while True:
                part = response.read(262144)
                if not part:
                    break
                content += part
                if size and sys.stdout.isatty():
                    done = 30 * len(content) // size
                    print("\r  [" + "#" * done + "." * (30 - done) + "]", end="", flush=True)
            if size and sys.stdout.isatty():
                print()
            if len(content) < size:
                raise ConnectionError("it was cut short")
            return bytes(content)
    except (OSError, http.client.HTTPException) as error:
        why = str(getattr(error, "reason", "") or error or type(error).__name__)
        sys.exit(url + " could not be fetched: " + why + ". Is the network up? Or install uv yourself.")


def cache() -> Path:
    """The user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attune"


if __name__ == "__main__":
    sys.exit(main())
