"""`python -m shared.contract write` writes schemas and AsyncAPI; `check` says what is out of date."""

import argparse
import sys

from shared.contract import publishing


def main() -> int:
    """The command line of the contract."""
    parser = argparse.ArgumentParser(prog="python -m shared.contract", description=__doc__)
    parser.add_argument("action", choices=["write", "check"])
    action = parser.parse_args().action
    if action == "write":
        sys.stdout.write(f"{publishing.write()} files written\n")
        return 0
    differences = publishing.differences()
    for difference in differences:
        sys.stderr.write(f"{difference}; run `python -m shared.contract write`\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
