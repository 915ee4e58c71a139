"""What becomes of a submission that is accepted: a case in the words of the contract, and whom to reach."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from email_validator import validate_email

from services.intake.domain.warning_signs import WarningWords, flags_in
from shared.ages import day_in_london
from shared.contract.intake import CaseDetails, Contact, Preference
from shared.contract.submission import Submission
from shared.contract.vocabulary import RequesterRole
from shared.places import outcode_of


@dataclass(frozen=True, slots=True)
class Accepted:
    """A complete, consented submission, in the words of the contract."""

    reference: str | None
    fingerprint: bytes
    """Equal for two submissions that say the same; says nothing by itself."""

    requested_by: RequesterRole
    consented_at: datetime
    details: CaseDetails
    _submission: Submission

    def contact(self, status_url: str) -> Contact:
        """Whom to reach: the client where there is an address, else whoever asks for them."""
        client, requester = self._submission.client, self._submission.requester
        to_client = client.email is not None
        return Contact(
            client_name=client.name,
            client_phone=client.phone,
            requester_role=requester.role,
            requester_name=requester.name,
            requester_phone=requester.phone,
            write_to_name=client.name if to_client else (requester.name or ""),
            write_to_email=written_address((client.email if to_client else requester.email) or ""),
            may_leave_message=client.may_leave_message,
            status_url=status_url,
        )


def accepted(submission: Submission, now: datetime, words: WarningWords) -> Accepted:
    """What a submission that breaks no rule says; `now` is in UTC."""
    looking_for, story, client = submission.looking_for, submission.story, submission.client
    fee = looking_for.max_fee_pounds
    return Accepted(
        reference=submission.reference,
        fingerprint=hashlib.sha256(submission.model_dump_json().encode()).digest(),
        requested_by=submission.requester.role,
        consented_at=submission.consent.given_at or now,
        details=CaseDetails(
            date_of_birth=client.date_of_birth,
            outcode=None if client.postcode is None else outcode_of(client.postcode),
            therapy=looking_for.therapy,
            mode=looking_for.mode,
            format=looking_for.format,
            max_distance_km=looking_for.max_distance_km,
            max_fee_pence=None if fee is None else fee * 100,
            availability=tuple(dict.fromkeys(looking_for.availability)),
            languages=tuple(dict.fromkeys(looking_for.languages)),
            problem_areas=tuple(dict.fromkeys(story.problem_areas)),
            life_event=story.life_event,
            conditions=tuple(dict.fromkeys(story.conditions)),
            diagnosed=story.diagnosed,
            preferences=tuple(
                Preference(about=wish.about, wish=wish.wish, strength=wish.strength)
                for wish in looking_for.preferences
            ),
            attending_adult=looking_for.attending_adult,
            in_own_words=_own_words(submission),
            flags=flags_in(submission, day_in_london(now), words),
        ),
        _submission=submission,
    )


def _own_words(submission: Submission) -> str:
    """Both texts, for what was written about safety must reach the reviewer even where it raises no flag."""
    about_safety = submission.safety.in_own_words.strip()
    texts = (submission.story.in_own_words.strip(), about_safety and f"About safety: {about_safety}")
    return "\n\n".join(text for text in texts if text)


def written_address(address: str) -> str:
    """As it goes on the envelope of a mail: ASCII, for not every server takes more."""
    checked = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    return checked.ascii_email or checked.normalized
