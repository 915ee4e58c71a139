"""A letter as a mail: to one address, and every byte of it settled when it is written."""

import pytest

from services.notify.domain.mail import Mail, Mailbox, NotWritable
from shared.contract.vocabulary import MessageKind
from tests.notify.letters import a_letter, a_mail


def test_the_same_letter_gives_the_same_bytes() -> None:
    first, second = (a_mail(a_letter(MessageKind.MATCHED)) for _ in range(2))

    assert first == second
    assert first.data.isascii()
    assert b"\r\n" in first.data
    assert b"\n" not in first.data.replace(b"\r\n", b"")


def test_a_mail_is_kept_and_found_again_byte_for_byte() -> None:
    mail = a_mail(a_letter(MessageKind.WAITING), Mailbox("Zoë", "zoë@bücher.example"))

    assert Mail.unpacked(mail.packed()) == mail


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("maya@example.com", "maya@example.com"),
        ("maya+clinic@example.com", "maya+clinic@example.com"),
        ("zoë@bücher.example", "zoë@xn--bcher-kva.example"),
        ("maya@bücher.example", "maya@xn--bcher-kva.example"),
    ],
)
def test_an_address_in_any_script_goes_out_as_the_mail_server_wants_it(address: str, wire: str) -> None:
    mail = a_mail(a_letter(MessageKind.WAITING), Mailbox("Zoë Ångström", address))

    assert mail.to == wire
    # Read as bytes: Python's own parser does not read addresses in UTF-8.
    assert f"<{wire}>\r\n".encode() in mail.data.partition(b"Subject:")[0]


@pytest.mark.parametrize(
    "address",
    ["", "@", "a@", "@b.example", "a b@c.example", "a@b\r\nBcc: c@d.example", "a@b.example, c@d.example",
     "a@b.example>", "<a@b.example", "a\x00@b.example", "a@b..example",
     f"{'a' * 65}@b.example", "a@b@c.example", "a@-b.example", "a\u2028b@c.example"],
)  # fmt: skip
def test_an_address_that_could_break_out_of_its_header_is_refused(address: str) -> None:
    with pytest.raises(NotWritable) as refused:
        Mailbox("Maya", address)

    assert "b.example" not in str(refused.value)


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x00b", "a\x1bb", "a\x85b", "a\u2028b", "a" * 121])
def test_a_name_that_could_break_out_of_its_header_is_refused(name: str) -> None:
    with pytest.raises(NotWritable):
        Mailbox(name, "maya@example.com")
