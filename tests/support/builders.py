"""Builds contract objects for tests: complete, synthetic, with only what matters spelled out by the test."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from shared.contract import intake, matching, review
from shared.contract.ids import (
    DecisionId,
    GroupId,
    ProposalId,
    RequestId,
    SeatId,
    StaffId,
    SubjectId,
    TherapistId,
)
from shared.contract.vocabulary import (
    Condition,
    Door,
    Evidence,
    FlagKind,
    Format,
    LifeEvent,
    Mode,
    OnwardRoute,
    PreferenceAbout,
    ProblemArea,
    RequesterRole,
    Slot,
    Strength,
    Therapy,
    Variant,
)

NAMESPACE = UUID("5b0f1e43-7a34-4d5e-9f0a-0d7a4bb5e9c1")


def id_of(name: str) -> UUID:
    """The same id for the same name, so that tests can speak of people and not of numbers."""
    return uuid5(NAMESPACE, name)


def a_contact(**changes: Any) -> intake.Contact:
    """How to reach an adult who asks for herself."""
    return intake.Contact(
        client_name="Maya Okafor-Lind",
        client_phone="020 7946 0123",
        requester_role=RequesterRole.SELF,
        write_to_name="Maya Okafor-Lind",
        write_to_email="maya.okafor-lind@example.com",
        status_url="http://127.0.0.1:8001/status/sample-token",
    ).model_copy(update=changes)


def a_case(**changes: Any) -> intake.CaseDetails:
    """An adult after a move who wants online evenings."""
    return intake.CaseDetails(
        date_of_birth=date(1991, 3, 14),
        outcode="E1",
        therapy=Therapy.IPT,
        mode=Mode.ONLINE,
        format=Format.INDIVIDUAL,
        max_fee_pence=9000,
        availability=(Slot.TUE_EVENING, Slot.THU_EVENING),
        languages=("en",),
        problem_areas=(ProblemArea.ROLE_TRANSITION,),
        life_event=LifeEvent.MOVE,
        conditions=(Condition.DEPRESSION,),
        diagnosed=True,
        preferences=(
            intake.Preference(about=PreferenceAbout.THERAPIST_GENDER, wish="woman", strength=Strength.STRONG),
        ),
        in_own_words="Since the move I hardly know myself.",
    ).model_copy(update=changes)


def a_flag(kind: FlagKind = FlagKind.SUICIDAL_THOUGHTS) -> intake.Flag:
    """A risk sign with its evidence."""
    return intake.Flag(kind=kind, field="safety.thoughts_of_ending_life", evidence="answered yes")


def a_request(**changes: Any) -> intake.RequestSubmitted:
    """A submitted request of a new person, unless told otherwise."""
    return intake.RequestSubmitted(
        request_id=RequestId(uuid4()),
        subject_id=SubjectId(uuid4()),
        door=Door.WEB,
        consented_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        contact=a_contact(),
        details=a_case(),
    ).model_copy(update=changes)


def a_candidate(name: str = "ada", **changes: Any) -> matching.Candidate:
    """A therapist as a shortlist shows them."""
    return matching.Candidate(
        therapist_id=TherapistId(id_of(name)),
        name=f"Therapist {name.title()}",
        variant=Variant.IPT,
        mode=Mode.ONLINE,
        score=712,
        fee_pence=8000,
        seats_free=2,
        reasons=(
            matching.Reason(
                term="problem_area",
                field="details.problem_areas",
                points=200,
                text="Works often with role transitions.",
            ),
        ),
        for_client=("Interpersonal therapy, one to one, online.",),
        for_therapist=("For an adult from 25 to 39.",),
    ).model_copy(update=changes)


def another(variant: Variant, score: int = 640, **changes: Any) -> matching.OtherPathway:
    """What a candidate could give instead."""
    return matching.OtherPathway(variant=variant, mode=Mode.ONLINE, score=score).model_copy(update=changes)


def a_pathway(**changes: Any) -> matching.Pathway:
    """IPT for an adult, one to one."""
    return matching.Pathway(
        variant=Variant.IPT,
        format=Format.INDIVIDUAL,
        rule="For ages 18 and over; the client is 35.",
        rule_sources=("ISIPT",),
        evidence=Evidence.STRONG,
        source="NICE NG222",
    ).model_copy(update=changes)


def a_proposal(request: intake.RequestSubmitted, *names: str, **changes: Any) -> matching.MatchProposed:
    """A shortlist for a request, best first."""
    return matching.MatchProposed(
        request_id=request.request_id,
        subject_id=request.subject_id,
        proposal_id=ProposalId(uuid4()),
        policy_version="2026-11",
        shortlist=matching.Shortlist(
            candidates=tuple(
                a_candidate(name, score=700 - 10 * place)
                for place, name in enumerate(names or ("ada", "ben", "cem"))
            ),
            pathways=(a_pathway(),),
        ),
    ).model_copy(update=changes)


def nothing_found(request: intake.RequestSubmitted, **changes: Any) -> matching.MatchNotFound:
    """Word that no therapist fits for now."""
    return matching.MatchNotFound(
        request_id=request.request_id,
        subject_id=request.subject_id,
        policy_version="2026-11",
        findings=matching.NothingFound(
            pathways=(a_pathway(),),
            gates=(matching.GateCount(gate="language", therapists=240),),
            text="No therapist in the directory works in Welsh.",
        ),
    ).model_copy(update=changes)


def a_confirmation(
    proposal: matching.MatchProposed, name: str = "ada", **changes: Any
) -> review.MatchConfirmed:
    """A reviewer's choice from a shortlist."""
    return review.MatchConfirmed(
        **_decided(proposal),
        proposal_id=proposal.proposal_id,
        therapist_id=TherapistId(id_of(name)),
        overruled=False,
        considered_seconds=95,
    ).model_copy(update=changes)


def a_seat(confirmation: review.MatchConfirmed, **changes: Any) -> matching.SeatReserved:
    """The seat that a confirmed decision got."""
    return matching.SeatReserved(
        **_given_by(confirmation),
        mode=Mode.ONLINE,
        therapist=matching.TherapistContact(name="Ada Fernsby", email="ada.fernsby@therapists.example"),
    ).model_copy(update=changes)


def a_therapist_gone(seat: matching.SeatReserved) -> matching.TherapistGone:
    """That the therapist of a match has left the directory."""
    return matching.TherapistGone(
        request_id=seat.request_id,
        decision_id=seat.decision_id,
        seat_id=seat.seat_id,
        therapist_id=seat.therapist_id,
    )


def a_group_in_doubt(seat: matching.SeatReserved, doubt: matching.GroupDoubt) -> matching.GroupInDoubt:
    """That something has happened to the formed group of a match."""
    return matching.GroupInDoubt(
        request_id=seat.request_id,
        decision_id=seat.decision_id,
        seat_id=seat.seat_id,
        therapist_id=seat.therapist_id,
        doubt=doubt,
    )


def a_group(**changes: Any) -> matching.Group:
    """A group of four to seven of whom two have a place."""
    return matching.Group(
        group_id=GroupId(id_of("group")),
        slot=Slot.TUE_EVENING,
        language="en",
        members=2,
        least=4,
        most=7,
        deadline=datetime(2026, 12, 22, 9, 0, tzinfo=UTC),
        individual_first=2,
        sessions=8,
        minutes=90,
    ).model_copy(update=changes)


def a_place(confirmation: review.MatchConfirmed, **changes: Any) -> matching.GroupPlaceHeld:
    """The place that a confirmed decision got in a group that gathers."""
    return matching.GroupPlaceHeld(
        **_given_by(confirmation),
        group=a_group(),
    ).model_copy(update=changes)


def a_seat_gone(confirmation: review.MatchConfirmed, **changes: Any) -> matching.SeatUnavailable:
    """Word that the seat has gone."""
    return matching.SeatUnavailable(
        request_id=confirmation.request_id,
        subject_id=confirmation.subject_id,
        proposal_id=confirmation.proposal_id,
        decision_id=confirmation.decision_id,
        therapist_id=confirmation.therapist_id,
        reason=matching.SeatRefusal.NO_SEAT_LEFT,
    ).model_copy(update=changes)


def a_rematch(proposal: matching.MatchProposed, *exclude: str, **changes: Any) -> review.RematchRequested:
    """A reviewer's wish for another shortlist."""
    return review.RematchRequested(
        **_decided(proposal),
        proposal_id=proposal.proposal_id,
        exclude=tuple(TherapistId(id_of(name)) for name in exclude),
        reason="The client knows this person socially.",
    ).model_copy(update=changes)


def a_decline(request: intake.RequestSubmitted, **changes: Any) -> review.RequestDeclined:
    """A reviewer's no, with the way onward."""
    return review.RequestDeclined(
        **_decided(request),
        onward_route=OnwardRoute.GP,
        reason="Needs an assessment that this clinic cannot give.",
    ).model_copy(update=changes)


def a_question(request: intake.RequestSubmitted, **changes: Any) -> review.InformationRequested:
    """A reviewer's question."""
    return review.InformationRequested(
        **_decided(request),
        question="Which evenings are truly free?",
    ).model_copy(update=changes)


def a_withdrawal(request: intake.RequestSubmitted) -> intake.RequestWithdrawn:
    """Word that the client no longer wants a match."""
    return intake.RequestWithdrawn(request_id=request.request_id, reason=intake.WithdrawalReason.CLIENT_ASKED)


def _decided(about: intake.RequestSubmitted | matching.MatchProposed) -> dict[str, Any]:
    return {
        "request_id": about.request_id,
        "subject_id": about.subject_id,
        "decision_id": DecisionId(uuid4()),
        "decided_by": StaffId(id_of("reviewer")),
    }


def _given_by(decision: review.MatchConfirmed) -> dict[str, Any]:
    same = ("request_id", "subject_id", "proposal_id", "decision_id", "decided_by", "therapist_id")
    return {name: getattr(decision, name) for name in same} | {"seat_id": SeatId(uuid4())}


def a_submission(**changes: Any) -> dict[str, Any]:
    """A search request as a partner sends it, ready for JSON; `changes` replace whole sections."""
    return {
        "reference": "NG-204",
        "requester": {"role": "self"},
        "client": {
            "name": "Maya Okafor-Lind",
            "date_of_birth": "1991-03-14",
            "postcode": "E1 6AN",
            "email": "maya.okafor-lind@example.com",
            "phone": "020 7946 0123",
        },
        "consent": {"to_process": True, "to_share": True},
        "looking_for": {
            "therapy": "ipt",
            "mode": "online",
            "format": "individual",
            "max_fee_pounds": 90,
            "availability": ["tue_evening", "thu_evening"],
            "languages": ["en"],
            "preferences": [{"about": "therapist_gender", "wish": "woman", "strength": "strong"}],
        },
        "story": {
            "problem_areas": ["role_transition"],
            "life_event": "move",
            "conditions": ["depression"],
            "diagnosed": True,
            "in_own_words": "Since the move I hardly know myself.",
        },
    } | changes
