"""Cases, what was done with them and what went wrong, as JSON."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.review.domain import wording
from services.review.domain.case import PROMISED, Case
from services.review.domain.deciding import Refusal, Refused, allowed
from services.review.domain.wishes import Wish
from services.review.settings import Settings
from services.review.store.audit import Entry
from services.review.store.case_file import CaseFile
from services.review.store.deciding import Changed
from services.review.store.queue import Queued
from shared.ages import CONSENT_AGE, age_on, day_in_london
from shared.contract.ids import reference
from shared.kit.problems import FieldError, Problem


def no_such_case() -> Problem:
    """Nobody knows of such a request."""
    return Problem(404, "no_such_case", detail="there is no case for that request")


def changed(found: Changed, wish: Wish) -> Problem:
    """What happened to a case since its author saw it."""
    return Problem(
        409,
        "case_changed",
        "Somebody or something has changed the case",
        detail=f"the case is at version {found.case.version}, not {wish.version}; nothing was done",
        current_version=found.case.version,
        state=found.case.state,
        changes=[_entry(each) for each in found.since],
    )


def refused(why: Refused) -> Problem:
    """Why an action was not carried out."""
    status = {Refusal.INCOMPLETE: 422, Refusal.UNSEEN: 422}.get(why.refusal, 409)
    titles = {
        Refusal.INCOMPLETE: "The decision breaks a rule",
        Refusal.NOT_NOW: "That cannot be done with the case as it is",
        Refusal.CLAIMED: "A colleague is working on the case",
        Refusal.UNSEEN: "The case has not been looked at",
    }
    return Problem(
        status,
        why.refusal.value,
        titles[why.refusal],
        detail=why.rule,
        errors=tuple(FieldError(each.field, each.rule) for each in why.faults),
    )


def _clocks(case: Case, now: datetime, settings: Settings) -> dict[str, Any]:
    return {
        "request_id": str(case.request_id),
        "reference": reference(case.request_id),
        "version": case.version,
        "state": case.state,
        "submitted_at": case.submitted_at.isoformat(),
        "promised_by": (case.submitted_at + settings.promise).isoformat(),
        "waiting_seconds": int((now - case.submitted_at).total_seconds()) if case.state in PROMISED else None,
        "overdue": case.is_overdue(settings.promise, now),
        "reopened_at": _moment(case.reopened_at),
        "reopened_because": case.reopened_because,
        "therapist_gone_at": _moment(case.therapist_gone_at),
        "doubts": list(case.doubts),
        "doubted_at": _moment(case.doubted_at),
    }


def queued(each: Queued, now: datetime, settings: Settings) -> dict[str, Any]:
    """A case as the queue shows it."""
    return _clocks(each.case, now, settings) | {
        "flags": each.case.flags,
        "claimed_by": _claim(each.case, each.claimed_by, each.claimed_at),
        "mails_in_trouble": each.mails_in_trouble,
    }


def whole(file: CaseFile, now: datetime, settings: Settings) -> dict[str, Any]:
    """Everything there is about a case."""
    case, details = file.case, file.details
    age = age_on(day_in_london(now), details.date_of_birth) if details is not None else None
    return _clocks(case, now, settings) | {
        "flags": [
            flag.model_dump(mode="json") | {"what_to_do": wording.crisis(flag.kind, age or 0)}
            for flag in (details.flags if details is not None else ())
        ],
        "age": age,
        "under_16": age is not None and age < CONSENT_AGE,
        "allowed": sorted(allowed(case)),
        "claimed_by": _claim(case, file.claimed_by, file.claimed_at),
        "door": file.door,
        "partner": file.partner,
        "consented_at": file.consented_at.isoformat(),
        "contact": file.contact and file.contact.model_dump(mode="json", exclude={"status_url"}),
        "details": details and details.model_dump(mode="json", exclude={"flags"}),
        "proposal_id": case.proposal_id and str(case.proposal_id),
        "policy_version": file.policy_version,
        "first": case.first and str(case.first),
        "unavailable": [str(each) for each in case.unavailable],
        "excluded": [str(each) for each in case.excluded],
        "shortlist": file.shortlist and file.shortlist.model_dump(mode="json"),
        "findings": file.findings and file.findings.model_dump(mode="json"),
        "group": file.group and file.group.model_dump(mode="json"),
        "beside": {
            str(therapist_id): [
                {
                    "request_id": str(each.request_id),
                    "name": each.name,
                    "age": each.born and age_on(day_in_london(now), each.born),
                }
                for each in members
            ]
            for therapist_id, members in file.beside.items()
        },
        "decision": case.choice
        and {
            "decision_id": str(case.choice.decision_id),
            "therapist_id": str(case.choice.therapist_id),
            "therapist": file.chosen_name,
            "variant": file.chosen_variant,
            "decided_by": file.decided_by,
            "decided_at": _moment(file.decided_at),
        },
        "mails": [
            {
                "message_id": str(mail.id),
                "kind": mail.kind,
                "recipient": mail.recipient,
                "state": mail.state,
                "reason": mail.reason,
                "attempts": mail.attempts,
                "at": mail.at.isoformat(),
                "trouble": mail.is_trouble,
                "settled_by": mail.settled_by,
            }
            for mail in file.mails
        ],
        "history": [
            _entry(each) | {"codes": dict(each.codes), "words": each.words and dict(each.words)}
            for each in file.history
        ],
        "views": [asdict(each) | {"at": each.at.isoformat()} for each in file.views],
    }


def _claim(case: Case, name: str | None, at: datetime | None) -> dict[str, Any] | None:
    return None if case.claimed_by is None else {"id": str(case.claimed_by), "name": name, "at": _moment(at)}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "who": entry.staff_name or entry.actor,
        "action": entry.action,
        "what": wording.said(entry.action, entry.codes),
        "version": entry.case_version,
        "decision_id": entry.decision_id and str(entry.decision_id),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
