"""Wires matching together: rules, handlers, and the workers beside them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette

from services.matching import api, pages
from services.matching.domain import pricing
from services.matching.domain.comparing import Book
from services.matching.domain.engine import warm_up
from services.matching.domain.place import Places, PlacesFault, read_places
from services.matching.domain.policy import PolicyFault, read_policy
from services.matching.domain.ranking import Rules
from services.matching.handlers import (
    Matcher,
    Shadow,
    announcing_worker,
    expiring_worker,
    handlers,
    pricing_worker,
    shadow_worker,
    tidying_worker,
    waiting_list_worker,
    watching_worker,
)
from services.matching.settings import POLICY, Settings
from services.matching.store import DirectoryInMemory, begin_era_if_moved
from shared.kit import logs
from shared.kit.clock import Clock
from shared.kit.errors import Fatal
from shared.kit.pace import Pace
from shared.kit.service import Service, assemble
from shared.places import LONDON


def build_app(settings: Settings, clock: Clock | None = None) -> Starlette:
    """The service, ready to be served."""
    rules = load_rules(settings.policy_file, settings.places_file)
    matcher = Matcher(rules, DirectoryInMemory(rules))
    workers = [
        waiting_list_worker(matcher, settings.reoffer_poll_seconds),
        watching_worker(),
        pricing_worker(matcher, settings.price_seconds),
        tidying_worker(settings.replay_days),
        announcing_worker(settings.directory_hours),
        expiring_worker(rules.policy.fresh_days),
    ]
    book = Book(live=rules.policy.version, shadow=None)
    if settings.shadow_policy_file is not None:
        tried = load_rules(settings.shadow_policy_file, settings.places_file, named="SHADOW_POLICY_FILE")
        book = Book(live=rules.policy.version, shadow=tried.policy.version)
        workers.append(shadow_worker(Shadow(rules, tried, book), book, settings.shadow_poll_seconds))

    async def load_directory(service: Service) -> Sequence[object]:
        await asyncio.to_thread(warm_up, rules.policy, rules.places)
        await asyncio.to_thread(pricing.warm_up)
        async with service.database.transaction() as tx:
            if await begin_era_if_moved(tx):
                logs.logger().warning("the database comes from another server: its history begins anew")
        async with service.database.transaction() as tx, matcher.directory.current(tx):
            return [matcher]

    return assemble(
        "matching",
        settings,
        handlers=handlers,
        routes=api.routes(),
        for_operators=pages.routes(),
        provide=[rules, Pace(), pages.ShadowPage.of(book, rules.policy.smallest_group)],
        prepare=load_directory,
        workers=workers,
        clock=clock,
    )


def load_rules(
    policy_file: Path = POLICY, places_file: Path = LONDON, *, named: str = "POLICY_FILE"
) -> Rules:
    """The policy and the places; a file that cannot be used ends the process, saying what is wrong."""
    try:
        # However an editor marks the beginning and ends its lines, the same policy has the same digest.
        text = policy_file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        policy = read_policy(text)
    except OSError as error:
        raise Fatal(f"{named} {policy_file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Fatal(f"{named} {policy_file} is not UTF-8") from None
    except PolicyFault as fault:
        raise Fatal(f"{named} {policy_file}: {fault}") from None
    return Rules(policy, load_places(places_file), text)


def load_places(file: Path = LONDON) -> Places:
    """The postcode districts, of London if nothing else is said."""
    try:
        return read_places(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Fatal(f"PLACES_FILE {file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, PlacesFault) as fault:
        why = fault if isinstance(fault, PlacesFault) else "it is not UTF-8"
        raise Fatal(f"PLACES_FILE {file}: {why}") from None
