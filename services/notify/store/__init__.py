"""Notify's tables; the only place with its SQL."""

from services.notify.store.correspondents import (
    Correspondent,
    add_correspondent,
    close,
    find_correspondent,
    set_therapist,
    set_waiting_told,
    turn_down,
)
from services.notify.store.messages import (
    Message,
    add_message,
    claim_next,
    claimed,
    count_waiting,
    expired,
    find_message,
    list_messages,
    mark_handing_over,
    mark_unwanted,
    messages_about,
    renew_lease,
    settle,
)

__all__ = [
    "Correspondent",
    "Message",
    "add_correspondent",
    "add_message",
    "claim_next",
    "claimed",
    "close",
    "count_waiting",
    "expired",
    "find_correspondent",
    "find_message",
    "list_messages",
    "mark_handing_over",
    "mark_unwanted",
    "messages_about",
    "renew_lease",
    "set_therapist",
    "set_waiting_told",
    "settle",
    "turn_down",
]
