"""Reads a policy file, or names every fault in it with its line."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from math import nan
from typing import Any

from pydantic import ValidationError

from services.matching.domain.policy.lines import line_of, path_in
from services.matching.domain.policy.whole import Policy


class PolicyFault(Exception):
    """The policy cannot be used; every field that is wrong is named with the rule it breaks."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            "the matching policy cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults)
        )
        self.faults = faults


def read_policy(text: str) -> Policy:
    """Reads a policy file, or says what is wrong with it."""
    try:
        # As JSON: there a word may name one of a list, while `true` and "5" are still no numbers.
        return Policy.model_validate_json(json.dumps(tomllib.loads(text), default=_nothing), strict=True)
    except tomllib.TOMLDecodeError as error:
        raise PolicyFault([f"it is not TOML: {error}"]) from None
    except ValidationError as error:
        raise PolicyFault([each for fault in error.errors(**_PLAIN) for each in _told(text, fault)]) from None


def _nothing(_moment: object) -> float:
    """What no row takes: none is a date or a time."""
    return nan


_PLAIN: dict[str, Any] = {"include_input": False, "include_context": False, "include_url": False}


def _told(text: str, fault: Mapping[str, Any]) -> Iterator[str]:
    """The faults in one of pydantic's, each with its line as far as there is one."""
    path = fault["loc"]
    said = fault["msg"].removeprefix("Value error, ")
    for message in said.split("; ") if not path else [said]:
        line = line_of(text, path or path_in(message))
        where = f"line {line}, " if line is not None else ""
        field = ".".join(map(str, path))
        yield f"{where}{field}: {message}" if field else f"{where}{message}"
