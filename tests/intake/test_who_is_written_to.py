"""Whom mails about a request go to."""

import pytest

from tests.intake.builders import MISSING, from_a_parent, refused, taken


@pytest.mark.parametrize("role", ["parent", "carer", "professional"])
def test_whoever_asks_for_somebody_else_can_be_reached(role: str) -> None:
    faults = refused({"requester.role": role})

    assert sorted(faults) == ["requester.email", "requester.name"]


def test_mails_go_to_the_client_where_there_is_an_address() -> None:
    contact = taken(from_a_parent({"client.email": "lea@example.com"})).contact("https://x/status/t")

    assert (contact.write_to_name, contact.write_to_email) == ("Lea Duarte", "lea@example.com")


def test_mails_go_to_the_requester_where_the_client_has_no_address() -> None:
    contact = taken(from_a_parent()).contact("https://x/status/t")

    assert (contact.write_to_name, contact.write_to_email) == ("Ines Duarte", "ines@example.com")


def test_a_young_person_who_asks_is_written_to_and_nobody_else() -> None:
    alone = {"client.date_of_birth": "2011-02-01", "client.email": "lea@example.com"}
    with_a_parent = alone | {"requester.email": "parent@example.com", "requester.name": "A Parent"}

    contact = taken(with_a_parent).contact("https://x/status/t")

    assert contact.write_to_email == "lea@example.com"
    assert "client.email" in refused(with_a_parent | {"client.email": MISSING})


def test_an_international_domain_is_written_so_that_any_mail_server_takes_it() -> None:
    contact = taken({"client.email": "maya@bücher.example"}).contact("https://x/status/t")

    assert contact.write_to_email == "maya@xn--bcher-kva.example"
