"""What a failure means: who waits for something that comes back, and who waits for nothing."""

from pathlib import Path

import asyncpg
import pytest

from shared.kit.consuming.verdicts import Kind, judge
from shared.kit.errors import Contended


@pytest.mark.parametrize("path", ["nowhere.toml", ".", "a-file/below-it"])
def test_a_file_that_is_not_as_it_should_be_is_a_bug_and_holds_up_nobody_for_ever(
    path: str, tmp_path: Path
) -> None:
    (tmp_path / "a-file").touch()

    with pytest.raises(OSError, match=r".") as failure:
        (tmp_path / path).read_bytes()

    assert judge(failure.value).kind is Kind.BUG


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        FileNotFoundError(2, "no such socket"),
        OSError(),
        TimeoutError(),
    ],
    ids=repr,
)
def test_a_server_that_cannot_be_reached_is_waited_for(error: OSError) -> None:
    assert judge(error).kind is Kind.TRANSIENT


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
        asyncpg.InterfaceError("cannot call fetch(): connection has been released back to the pool"),
        asyncpg.IdleSessionTimeoutError("terminating connection due to idle-session timeout"),
    ],
    ids=repr,
)
def test_a_session_that_the_server_has_ended_is_waited_for_however_the_client_puts_it(
    error: Exception,
) -> None:
    assert judge(error).kind is Kind.TRANSIENT


def test_who_was_beaten_by_others_tries_for_as_long_as_it_takes() -> None:
    assert judge(Contended("a seat")).kind is Kind.TRANSIENT
