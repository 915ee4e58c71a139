"""Where the tests' own Kafka and PostgreSQL come from, on machines of every kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.support.stack import Source, choose

NO_ENGINE = {"DOCKER_HOST": "tcp://127.0.0.1:9"}


def test_what_is_given_is_used() -> None:
    given = {"KAFKA_URL": "127.0.0.1:9092", "DATABASE_URL": "postgresql://127.0.0.1/tests"}

    assert choose(NO_ENGINE | given) is Source.GIVEN


def test_half_of_what_is_needed_is_not_used() -> None:
    assert choose(NO_ENGINE | {"KAFKA_URL": "127.0.0.1:9092"}) is Source.EMBEDDED


def test_without_an_engine_the_stack_is_embedded() -> None:
    assert choose(NO_ENGINE) is Source.EMBEDDED


def test_an_engine_that_has_the_images_is_used() -> None:
    with engine(images=200) as address:
        assert choose({"DOCKER_HOST": address}) is Source.CONTAINERS


def test_an_engine_that_cannot_get_the_images_is_passed_over_with_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with engine(images=404) as address:
        assert choose({"DOCKER_HOST": address}) is Source.EMBEDDED

    assert "has no apache/kafka" in capsys.readouterr().err


@contextmanager
def engine(images: int) -> Iterator[str]:
    """Speaks as much of Docker's API as choosing needs; a real engine is not on every machine."""

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            about_images = "/images/" in self.path
            self._answer(
                images if about_images else 200,
                b'{"ApiVersion": "1.44", "Id": "x", "message": "no such image"}',
            )

        def do_POST(self) -> None:
            self._answer(500, b'{"message": "no registry is reachable"}')

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
