"""One event of every type that the contract has."""

from shared.contract import intake, matching, notify
from shared.contract.event import Event
from shared.contract.ids import DecisionId, MessageId, ProposalId, RequestId, SeatId, SubjectId, TherapistId
from shared.contract.vocabulary import MessageKind, Recipient
from tests.support.builders import (
    a_confirmation,
    a_decline,
    a_group_in_doubt,
    a_place,
    a_proposal,
    a_question,
    a_rematch,
    a_request,
    a_seat,
    a_seat_gone,
    a_therapist_gone,
    a_withdrawal,
    id_of,
    nothing_found,
)
from tests.support.directory import a_change, a_listing


def one_of_each() -> list[Event]:
    """One event of every type, those about a request all about the same one."""
    request = a_request(request_id=RequestId(id_of("request")), subject_id=SubjectId(id_of("subject")))
    proposal = a_proposal(request, proposal_id=ProposalId(id_of("proposal")))
    confirmation = a_confirmation(
        proposal, decision_id=DecisionId(id_of("decision")), beside=(RequestId(id_of("member")),)
    )
    message = {
        "request_id": request.request_id,
        "message_id": MessageId(id_of("message")),
        "kind": MessageKind.MATCHED,
        "recipient": Recipient.CLIENT,
        "cause_id": id_of("cause"),
        "attempts": 1,
    }
    decided = {"decision_id": DecisionId(id_of("decision"))}
    return [
        request,
        intake.SubmissionRejected(
            request_id=RequestId(id_of("rejected")),
            partner="northgate-practice",
            submission_id="7c1d",
            reference="NG-204",
            faults=(intake.Fault(field="client.date_of_birth", rule="must not be in the future"),),
        ),
        a_withdrawal(request),
        proposal,
        nothing_found(request),
        a_place(confirmation, seat_id=SeatId(id_of("seat"))),
        a_seat(confirmation, seat_id=SeatId(id_of("seat"))),
        a_seat_gone(
            confirmation, reason=matching.SeatRefusal.JOINED_UNSEEN, members=(RequestId(id_of("member")),)
        ),
        a_therapist_gone(a_seat(confirmation, seat_id=SeatId(id_of("seat")))),
        a_group_in_doubt(
            a_seat(confirmation, seat_id=SeatId(id_of("seat"))), matching.GroupDoubt.LEADER_LAPSED
        ),
        a_listing(),
        a_change("seats_free", seats_free=2),
        matching.TherapistRemoved(therapist_id=TherapistId(id_of("ada"))),
        confirmation,
        a_rematch(proposal, "ada", **decided),
        a_decline(request, **decided),
        a_question(request, **decided),
        notify.MessageSent.model_validate(message),
        notify.MessageFailed.model_validate(
            message | {"reason": notify.FailureReason.REFUSED, "smtp_code": 550}
        ),
        notify.MessageUncertain.model_validate(message),
    ]
