"""Fetches Kafka by its lock file: side by side, checked, once; offline from then on."""

import hashlib
import os
import ssl
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from deploy.local.faults import StackFault

LOCK = Path(__file__).with_name("kafka.lock")
REPOSITORY = "ATTUNE_MAVEN_REPOSITORY"
AT_ONCE = 8
TRIES = 3
TIMEOUT = httpx.Timeout(60, connect=15)


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of the lock; `path` is its place in a Maven repository."""

    path: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Lock:
    """What has to be there for Kafka to run."""

    version: str
    repository: str
    jars: tuple[Jar, ...]


def read_lock(path: Path = LOCK) -> Lock:
    """The lock file; a company with a mirror names it by an environment variable."""
    document = tomllib.loads(path.read_text("utf-8"))
    return Lock(
        version=document["version"],
        repository=os.environ.get(REPOSITORY, document["repository"]).rstrip("/"),
        jars=tuple(Jar(each["path"], each["sha256"], each["size"]) for each in document["jar"]),
    )


def cache() -> Path:
    """The user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attune"


def fetch(lock: Lock, folder: Path, console: Console) -> Path:
    """Puts every jar of the lock into the folder, unless it is there; a wrong one stops it by name."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in lock.jars if not _is_there(jar, folder)]
    if missing:
        _download(missing, lock.repository, folder, console)
    return folder


def _is_there(jar: Jar, folder: Path) -> bool:
    path = folder / jar.name
    if not path.exists() or path.stat().st_size != jar.size:
        return False
    if _checksum(path.read_bytes()) == jar.sha256:
        return True
    raise StackFault(f"{path} has a wrong checksum. Delete it and start again; it will be fetched anew.")


def _download(jars: list[Jar], repository: str, folder: Path, console: Console) -> None:
    progress = Progress(
        TextColumn("  Kafka from Maven Central"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
    )
    with (
        progress,
        httpx.Client(timeout=TIMEOUT, follow_redirects=True, verify=_trusted()) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        task = progress.add_task("jars", total=sum(jar.size for jar in jars))

        def get(jar: Jar) -> None:
            content = _get(client, f"{repository}/{jar.path}")
            if _checksum(content) != jar.sha256:
                raise StackFault(f"{jar.name} was fetched with a wrong checksum and is not used.")
            part = folder / f".{jar.name}.{os.getpid()}"
            part.write_bytes(content)
            part.replace(folder / jar.name)
            progress.advance(task, jar.size)

        try:
            for done in [pool.submit(get, jar) for jar in jars]:
                done.result()
        except BaseException:
            # Without a network, the others would fail as slowly one by one.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _get(client: httpx.Client, url: str, tries: int = TRIES) -> bytes:
    try:
        response = client.get(url)
        response.raise_for_status()
    except httpx.HTTPError as error:
        # A connection that was cut may hold the next time; an answer stays what it is.
        if tries > 1 and isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            return _get(client, url, tries - 1)
        why = str(error) or type(error).__name__
        if isinstance(error, httpx.HTTPStatusError):
            why = f"the answer was {error.response.status_code}"
        raise StackFault(
            f"{url} could not be fetched: {why}. Is the network up? "
            f"What is here already is kept. A mirror can be named by {REPOSITORY}."
        ) from None
    return response.content


def _trusted() -> ssl.SSLContext:
    # The usual roots, and whom this machine trusts: a company's proxy may sign with a root of its own.
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
