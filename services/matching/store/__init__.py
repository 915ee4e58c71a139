"""Matching's tables; the only place with its SQL."""

from services.matching.store.directory import (
    find_therapist,
    find_therapists,
    lock_directory,
    save_therapist,
    therapists,
)
from services.matching.store.in_memory import DirectoryInMemory
from services.matching.store.requests import (
    Request,
    State,
    add_proposal,
    add_request,
    close_request,
    exclude,
    excluded_from,
    get_shortlist,
    lock_request,
    mark_seated,
    reoffers_done,
    reoffers_wanted,
    spoken_for,
    wait,
    waiting_in_order,
    want_reoffer,
)
from services.matching.store.seats import decision_has_seat, free_seat, take_seat

__all__ = [
    "DirectoryInMemory",
    "Request",
    "State",
    "add_proposal",
    "add_request",
    "close_request",
    "decision_has_seat",
    "exclude",
    "excluded_from",
    "find_therapist",
    "find_therapists",
    "free_seat",
    "get_shortlist",
    "lock_directory",
    "lock_request",
    "mark_seated",
    "reoffers_done",
    "reoffers_wanted",
    "save_therapist",
    "spoken_for",
    "take_seat",
    "therapists",
    "wait",
    "waiting_in_order",
    "want_reoffer",
]
