"""Writes .env for docker compose: a fresh secret for every setting that must have one."""

import argparse
import base64
import os
import secrets
import sys
from pathlib import Path

PASSWORDS = ("POSTGRES", "KEYRING_DB", "INTAKE_DB", "MATCHING_DB", "REVIEW_DB", "NOTIFY_DB")
PURPOSES = ("CONTACT", "CLINICAL")

FURTHER = """
# Where mail goes. With `docker compose --profile development up` mailpit takes it: http://127.0.0.1:8025
SMTP_URL=smtp://mailpit:1025
MAIL_FROM=clinic@attune.example
CLINIC_NAME=Attune clinic

# Where people reach the pages; behind a proxy with TLS these are its https addresses.
INTAKE_PUBLIC_URL=http://127.0.0.1:8001
REVIEW_PUBLIC_URL=http://127.0.0.1:8003

# Where that proxy's requests come from, so that it is believed for whom it asks; see deploy/README.md.
FORWARDED_ALLOW_IPS=
"""


def environment() -> str:
    """The text of a new .env, with secrets nobody has seen."""
    lines = [
        "# Made by `make compose-env`. Keep it secret and keep a copy: without the sealing keys",
        "# nothing that was sealed can be read again.",
    ]
    lines += [f"{name}_PASSWORD={secrets.token_urlsafe(24)}" for name in PASSWORDS]
    lines += [f"SEALING_KEY_{name}={base64.b64encode(secrets.token_bytes(32)).decode()}" for name in PURPOSES]
    return "\n".join(lines) + "\n" + FURTHER


def main() -> int:
    """Writes the file once; an existing one is left alone, for its keys may be the only ones."""
    parser = argparse.ArgumentParser(prog="make compose-env", description=__doc__)
    parser.add_argument("--file", type=Path, default=Path(".env"))
    file: Path = parser.parse_args().file
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write(f"{file} is there already and stays as it is; move it away to make another\n")
        return 1
    with os.fdopen(descriptor, "w") as out:
        out.write(environment())
    sys.stdout.write(f"{file} written; look at its last lines, then run `docker compose up`\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
