"""How a server is named to an operator, and what is said of it when it fails; never a secret."""

import re
from urllib.parse import parse_qs, urlsplit

import asyncpg
from aiokafka.errors import BrokerResponseError, KafkaError

SERVER_FAULTS = (OSError, TimeoutError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What comes of a server that is away, that hangs, or that will not do what it is asked."""

_AWAY = (
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
_PLACE = re.compile(r"[\w.:,\[\]/-]+")


def named(what: str, url: str) -> str:
    """A database with its host and port, as far as the URL tells them beyond doubt."""
    try:
        parts = urlsplit(url)
    except ValueError:
        # What is wrong with it may stand in its password.
        return what
    place = parts.netloc.rpartition("@")[2] or next(iter(parse_qs(parts.query).get("host", [])), "")
    # A password that is not quoted may end the address early: then what looks like a host is part of it.
    doubtful = "@" in "".join((parts.path, parts.query, parts.fragment))
    return what if doubtful or not _PLACE.fullmatch(place) else f"{what} at {place}"


def failed(servers: str, error: BaseException) -> str:
    """What to tell an operator of work that one of these servers has not done."""
    refused = isinstance(error, asyncpg.PostgresError | BrokerResponseError) and not isinstance(error, _AWAY)
    return f"{servers} {'refused' if refused else 'did not answer'} ({type(error).__name__})"
