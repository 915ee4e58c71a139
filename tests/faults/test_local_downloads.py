"""What the local stack downloads is checked, kept, and not asked for again."""

import hashlib
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local import bootstrap, downloads
from deploy.local.faults import StackFault

CONTENTS = {f"org/example/{name}/1/{name}-1.jar": name.encode() * 1000 for name in ("ash", "elm", "oak")}


class Mirror:
    """A Maven repository on this machine."""

    def __init__(self) -> None:
        self.contents = dict(CONTENTS)
        self.asked: list[str] = []
        self.cuts = 0
        """How many answers are still to be cut in the middle."""
        mirror = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.removeprefix("/maven/")
                mirror.asked.append(path)
                content = mirror.contents.get(path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                is_cut, mirror.cuts = mirror.cuts > 0, max(0, mirror.cuts - 1)
                self.wfile.write((content or b"")[: 100 if is_cut else None])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/maven/"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    found = Mirror()
    monkeypatch.setenv(downloads.REPOSITORY, found.address)
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def lock(tmp_path: Path, mirror: Mirror) -> downloads.Lock:
    file = tmp_path / "some.lock"
    lines = ['version = "1"', 'repository = "https://nowhere.example"']
    for path, content in CONTENTS.items():
        checksum = hashlib.sha256(content).hexdigest()
        lines += ["[[jar]]", f'path = "{path}"', f'sha256 = "{checksum}"', f"size = {len(content)}"]
    file.write_text("\n".join(lines))
    return downloads.read_lock(file)


def fetch(lock: downloads.Lock, folder: Path) -> Path:
    return downloads.fetch(lock, folder, Console(file=StringIO()))


def test_all_of_the_lock_comes_from_the_mirror_that_the_environment_names(
    lock: downloads.Lock, mirror: Mirror, tmp_path: Path
) -> None:
    folder = fetch(lock, tmp_path / "cache")

    assert sorted(path.name for path in folder.iterdir()) == ["ash-1.jar", "elm-1.jar", "oak-1.jar"]
    assert sorted(mirror.asked) == sorted(CONTENTS)


def test_what_was_fetched_once_needs_no_network_any_more(
    lock: downloads.Lock, mirror: Mirror, tmp_path: Path
) -> None:
    fetch(lock, tmp_path / "cache")
    mirror.asked.clear()

    fetch(lock, tmp_path / "cache")

    assert mirror.asked == []


def test_a_download_with_a_wrong_checksum_is_named_and_not_kept_and_the_rest_is(
    lock: downloads.Lock, mirror: Mirror, tmp_path: Path
) -> None:
    good = "org/example/elm/1/elm-1.jar"
    mirror.contents[good] = b"x" * len(CONTENTS[good])

    with pytest.raises(StackFault, match=r"elm-1\.jar"):
        fetch(lock, tmp_path / "cache")

    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["ash-1.jar", "oak-1.jar"]
    mirror.contents[good] = CONTENTS[good]
    assert (fetch(lock, tmp_path / "cache") / "elm-1.jar").read_bytes() == CONTENTS[good]


def test_a_file_that_was_changed_in_the_cache_stops_the_start_by_name(
    lock: downloads.Lock, tmp_path: Path
) -> None:
    folder = fetch(lock, tmp_path / "cache")
    (folder / "oak-1.jar").write_bytes(b"y" * len(b"oak" * 1000))

    with pytest.raises(StackFault, match=r"oak-1\.jar has a wrong checksum"):
        fetch(lock, folder)

    assert (folder / "ash-1.jar").exists()


def test_a_download_that_is_cut_is_tried_again(lock: downloads.Lock, mirror: Mirror, tmp_path: Path) -> None:
    mirror.cuts = 2

    folder = fetch(lock, tmp_path / "cache")

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.rpartition("/")[2]: content for path, content in CONTENTS.items()
    }
    assert len(mirror.asked) == len(CONTENTS) + 2


def test_a_download_that_is_cut_every_time_is_named_and_nothing_of_it_is_kept(
    lock: downloads.Lock, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.cuts = 1000

    with pytest.raises(StackFault, match=r"1\.jar could not be fetched.*Is the network up"):
        fetch(lock, tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []


def test_the_download_of_uv_says_when_it_is_cut_and_when_the_file_is_not_there(mirror: Mirror) -> None:
    path = next(iter(CONTENTS))
    mirror.cuts = 1

    with pytest.raises(SystemExit, match=rf"{path} could not be fetched: it was cut short"):
        bootstrap.download(mirror.address + path)
    with pytest.raises(SystemExit, match=r"elsewhere\.whl could not be fetched: Not Found"):
        bootstrap.download(mirror.address + "elsewhere.whl")
    assert bootstrap.download(mirror.address + path) == CONTENTS[path]


def test_too_little_disk_for_the_packages_is_said_before_any_is_fetched() -> None:
    too_much = shutil.disk_usage(bootstrap.ROOT).total // 2**20 + 1

    with pytest.raises(SystemExit, match=rf"needs {too_much} MB of free disk"):
        bootstrap.require_disk(too_much)


def test_a_file_that_the_mirror_lacks_is_named_with_the_way_out(
    lock: downloads.Lock, mirror: Mirror, tmp_path: Path
) -> None:
    del mirror.contents["org/example/ash/1/ash-1.jar"]

    with pytest.raises(StackFault, match=rf"ash-1\.jar could not be fetched.*{downloads.REPOSITORY}"):
        fetch(lock, tmp_path / "cache")


def test_the_committed_lock_names_kafka_and_something_that_writes_its_log() -> None:
    lock = downloads.read_lock()
    names = [jar.name for jar in lock.jars]

    assert f"kafka_2.13-{lock.version}.jar" in names
    assert any(name.startswith("slf4j-simple") for name in names)
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in lock.jars)
