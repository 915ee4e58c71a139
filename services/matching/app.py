"""Wires matching together: rules, handlers, and the worker that looks after the waiting list."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette

from services.matching.domain.engine import warm_up
from services.matching.domain.place import Places, PlacesFault, read_places
from services.matching.domain.policy import PolicyFault, read_policy
from services.matching.domain.ranking import Rules
from services.matching.handlers import Matcher, handlers, waiting_list_worker
from services.matching.settings import POLICY, Settings
from services.matching.store import DirectoryInMemory
from shared.kit.errors import Fatal
from shared.kit.service import Service, assemble
from shared.places import LONDON


def build_app(settings: Settings) -> Starlette:
    """The service, ready to be served."""
    rules = load_rules(settings.policy_file, settings.places_file)
    matcher = Matcher(rules, DirectoryInMemory(rules))

    async def load_directory(service: Service) -> Sequence[object]:
        await asyncio.to_thread(warm_up, rules.policy, rules.places)
        async with service.database.transaction() as tx, matcher.directory.current(tx):
            return [matcher]

    return assemble(
        "matching",
        settings,
        handlers=handlers,
        prepare=load_directory,
        workers=[waiting_list_worker(matcher, settings.reoffer_poll_seconds)],
    )


def load_rules(policy_file: Path = POLICY, places_file: Path = LONDON) -> Rules:
    """The policy and the places; a file that cannot be used ends the process, saying what is wrong."""
    try:
        policy = read_policy(policy_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Fatal(f"POLICY_FILE {policy_file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Fatal(f"POLICY_FILE {policy_file} is not UTF-8") from None
    except PolicyFault as fault:
        raise Fatal(f"POLICY_FILE {policy_file}: {fault}") from None
    return Rules(policy, load_places(places_file))


def load_places(file: Path = LONDON) -> Places:
    """The postcode districts, of London if nothing else is said."""
    try:
        return read_places(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Fatal(f"PLACES_FILE {file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, PlacesFault) as fault:
        why = fault if isinstance(fault, PlacesFault) else "it is not UTF-8"
        raise Fatal(f"PLACES_FILE {file}: {why}") from None
