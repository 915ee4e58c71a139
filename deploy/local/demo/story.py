"""What became of one request, as far as the topics and the mail server show it, and what is missing of it."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from deploy.local.demo.doors import Submitted
from deploy.local.demo.letters import Letter
from deploy.local.demo.people import Door
from deploy.local.demo.staff import Decision
from deploy.local.demo.watching import Said
from deploy.local.services import THERAPISTS

MAILS = (("acknowledgement", "client"), ("matched", "client"), ("referral", "therapist"))
DOORS = {Door.API: "api", Door.FORM: "web", Door.KAFKA: "kafka"}
"""What the contract calls them."""


@dataclass(slots=True)
class Story:
    """One request, from its submission on."""

    number: int
    submitted: Submitted
    said: list[Said] = field(default_factory=list)
    case: dict[str, Any] | None = None
    decision: Decision | None = None
    letters: dict[str, Letter] = field(default_factory=dict)
    """By message id."""

    @property
    def title(self) -> str:
        """What kind of request it is."""
        return self.submitted.asking.title

    def event(self, name: str) -> Said | None:
        """The first event of that name."""
        return next((each for each in self.said if each.name == name), None)

    def message(self, kind: str, recipient: str) -> Said | None:
        """Word that a mail went out."""
        for each in self.said:
            if each.name == "message-sent" and (each.body["kind"], each.body["recipient"]) == (
                kind,
                recipient,
            ):
                return each
        return None

    def letter(self, kind: str, recipient: str) -> Letter | None:
        """The mail itself."""
        sent = self.message(kind, recipient)
        return self.letters.get(str(sent.body["message_id"])) if sent is not None else None

    def collect(self, said: Sequence[Said], letters: Sequence[Letter]) -> None:
        """Takes in all that is about this request."""
        if self.submitted.request_id is None:
            return
        self.said = sorted(
            (each for each in said if each.request_id == self.submitted.request_id),
            key=lambda each: each.time,
        )
        own = {str(each.body.get("message_id")) for each in self.said}
        self.letters = {each.message_id: each for each in letters if each.message_id in own}

    def missing(self) -> Iterator[str]:
        """What should have happened by the end and did not, one sentence each."""
        expected = ("request-submitted", "match-proposed", "match-confirmed", "seat-reserved")
        for name in expected:
            if self.event(name) is None:
                yield f"there is no {name}"
        came = self.event("request-submitted")
        if came is not None and came.body.get("door") != DOORS[self.submitted.asking.door]:
            yield f"it is recorded as having come through {came.body.get('door')}"
        decided = self.event("match-confirmed")
        if decided is not None and bool(decided.body.get("overruled")) != bool(
            self.submitted.asking.overrule
        ):
            yield "the decision is not recorded as it was made"
        for kind, recipient in MAILS:
            if self.message(kind, recipient) is None:
                yield f"nothing says that the {kind} mail to the {recipient} went out"
            elif (letter := self.letter(kind, recipient)) is None:
                yield f"the {kind} mail to the {recipient} is not at the mail server"
            elif letter.recipient != self._address(recipient):
                yield f"the {kind} mail went to somebody else than the {recipient}"

    def _address(self, recipient: str) -> str | None:
        if recipient == "therapist":
            return _therapists().get(self.decision.therapist_id) if self.decision is not None else None
        document = self.submitted.asking.document
        if self.submitted.asking.door is Door.FORM:
            document = {side: {"email": document.get(f"{side}.email")} for side in ("client", "requester")}
        address: str | None = document["client"].get("email") or document["requester"].get("email")
        return address


@cache
def _therapists() -> dict[str, str]:
    with THERAPISTS.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["email"] for row in csv.DictReader(file)}
