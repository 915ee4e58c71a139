"""The catalogue holds every event there is, and each is named as the contract says."""

import pytest
from pydantic import BaseModel, ValidationError

from shared.contract import intake, matching, notify, review
from shared.contract.catalogue import EVENTS
from shared.contract.event import Event, RequestEvent
from shared.contract.sealing import Purpose, Withheld, opened, sealed_fields
from tests.support.builders import a_request
from tests.support.every_event import one_of_each

MODULES = (intake, matching, review, notify)


def defined_events() -> set[type[Event]]:
    return {
        thing
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Event) and hasattr(thing, "type")
    }


def test_the_catalogue_lists_every_event_that_is_defined() -> None:
    assert set(EVENTS.values()) == defined_events()


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.type)
def test_an_event_is_named_for_its_producer_and_says_who_acts(event: type[Event]) -> None:
    producer = event.__module__.removeprefix("shared.contract.").partition(".")[0]

    assert event.type.startswith(f"attune.{producer}.")
    assert event.type.endswith(".v1")
    assert event.stream.startswith(f"{producer}.")
    assert (event.__doc__ or "").strip()


def test_the_builders_make_one_of_each() -> None:
    assert {type(event) for event in one_of_each()} == set(EVENTS.values())


def test_only_ids_and_codes_travel_unsealed() -> None:
    """Whatever can hold a person's words, name or address is sealed; this list is looked at by people."""
    open_text = {
        f"{event.__name__}.{name}"
        for event in EVENTS.values()
        for name, field in event.model_fields.items()
        if name not in sealed_fields(event) and _holds_text(field.annotation)
    }

    assert open_text == {
        "RequestSubmitted.partner",
        "SubmissionRejected.partner",
        "SubmissionRejected.submission_id",
        "SubmissionRejected.reference",
        "SubmissionRejected.onward_route",
        "MatchProposed.policy_version",
        "MatchNotFound.policy_version",
        "SubmissionRejected.faults",
        # Two numbers about all who waited.
        "MatchNotFound.wait_weeks",
        # What the clinic publishes of its therapists.
        "TherapistListed.entry",
        "TherapistChanged.entry",
        "TherapistChanged.changed",
    }


def _holds_text(annotation: object) -> bool:
    if annotation is str:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(_holds_text(part) for part in getattr(annotation, "__args__", ()))


def test_an_event_cannot_seal_without_naming_whose_data_it_is() -> None:
    with pytest.raises(TypeError, match="must name its subject_id"):
        type(
            "Nameless",
            (RequestEvent,),
            {
                "__module__": __name__,
                "__annotations__": {"contact": intake.RequestSubmitted.__annotations__["contact"]},
            },
        )


def test_an_event_cannot_do_without_something_it_is_about() -> None:
    with pytest.raises(TypeError, match="Aimless must say which of its fields it is keyed by"):
        type("Aimless", (Event,), {"__module__": __name__, "__annotations__": {"count": int}})
    with pytest.raises(TypeError, match="Astray must say which of its fields it is keyed by"):
        type("Astray", (RequestEvent,), {"__module__": __name__, "keyed_by": "nobody_id"})


def test_an_event_is_keyed_by_the_request_unless_it_says_what_else_it_is_about() -> None:
    others = {event.__name__: event.keyed_by for event in EVENTS.values() if event.keyed_by != "request_id"}

    assert others == dict.fromkeys(
        ("TherapistListed", "TherapistChanged", "TherapistRemoved"), "therapist_id"
    )
    assert all(event.key == getattr(event, event.keyed_by) for event in one_of_each())


def test_a_field_that_may_not_be_opened_says_so() -> None:
    assert sealed_fields(intake.RequestSubmitted) == {
        "contact": Purpose.CONTACT,
        "details": Purpose.CLINICAL,
    }
    with pytest.raises(Withheld):
        opened(None)


def test_a_refused_value_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        intake.CaseDetails.model_validate({"in_own_words": "a secret", "date_of_birth": "a secret day"})

    assert "a secret" not in str(caught.value)


def test_an_event_never_changes_once_said() -> None:
    request = a_request()

    with pytest.raises(ValidationError):
        request.partner = "somebody"  # type: ignore[misc]
