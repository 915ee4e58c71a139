"""All events there are, by type; the index of the language."""

from shared.contract import intake, matching, notify, review
from shared.contract.event import Event

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (
        intake.RequestSubmitted,
        intake.SubmissionRejected,
        intake.RequestWithdrawn,
        matching.MatchProposed,
        matching.MatchNotFound,
        matching.GroupPlaceHeld,
        matching.SeatReserved,
        matching.SeatUnavailable,
        matching.TherapistGone,
        matching.GroupInDoubt,
        matching.TherapistListed,
        matching.TherapistChanged,
        matching.TherapistRemoved,
        review.MatchConfirmed,
        review.RematchRequested,
        review.RequestDeclined,
        review.InformationRequested,
        notify.MessageSent,
        notify.MessageFailed,
        notify.MessageUncertain,
    )
}
