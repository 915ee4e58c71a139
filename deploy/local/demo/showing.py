"""Prints what happens in the demo for somebody who sees the system for the first time."""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from deploy.local.demo.gathering import HELD
from deploy.local.demo.letters import Letter
from deploy.local.demo.measuring import Durations, Memory, of_services
from deploy.local.demo.people import Door
from deploy.local.demo.story import MAILS, Story
from deploy.local.demo.watching import Said
from deploy.local.state import SERVICES

DOORS = {Door.API: "the HTTP API", Door.FORM: "the web form", Door.KAFKA: "Kafka"}
SHOWN = 3
_ADDRESS = re.compile(r", https://[^;\s]+")
WIDTH = 118
INDENT = (0, 0, 0, 3)


def screen() -> Console:
    """A console wide enough for the tables, also in a log file."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)


def heading(console: Console, text: str) -> None:
    """Begins a part."""
    console.print()
    console.rule(f"[bold]{text}[/bold]", align="left")


def case(console: Console, story: Story) -> None:
    """What staff see of a request before they decide."""
    file = story.case or {}
    shortlist: dict[str, Any] = file["shortlist"]
    details = file["details"]
    about = [f"age {file['age']}", details["format"], details["mode"].replace("_", " ")]
    about += [details["outcode"]] if details["outcode"] else []
    console.print(f"\n[bold]{story.number}. {escape(story.title)}[/bold]  ({', '.join(about)})")
    for flag in file["flags"]:
        kind = flag["kind"].replace("_", " ")
        console.print(f"   [red]flag[/red] {kind}: {escape(flag['evidence'])} ({flag['field']})")
    for pathway in shortlist["pathways"]:
        console.print(f"   fits {pathway['variant'].upper()}, {pathway['format']}; {_evidence(pathway)}")
    told = {each["text"]: None for pathway in shortlist["pathways"] for each in pathway["cautions"]}
    for caution in told:
        console.print(f"   [yellow]caution[/yellow] {escape(caution)}")
    table = Table("", "therapist", "score", "where", "fee", "why", box=None, padding=(0, 1), pad_edge=False)
    for place, each in enumerate(shortlist["candidates"][:SHOWN], 1):
        best = sorted(each["reasons"], key=lambda reason: -reason["points"])[:3]
        why = " ".join(
            f"{escape(reason['text'])} (+{reason['points']})" for reason in best if reason["points"]
        )
        if each["unmet"]:
            why += f" [yellow]Not met:[/yellow] {escape(', '.join(each['unmet']))}."
        for caution in (one["text"] for one in each["cautions"] if one["text"] not in told):
            why += f" [yellow]Caution:[/yellow] {escape(caution)}"
        if each["behind"]:
            why += f" [dim]{escape(each['behind'])}[/dim]"
        if each["rises"]:
            why += f" The other way round with: {escape('; '.join(rise['text'] for rise in each['rises']))}."
        table.add_row(str(place), escape(each["name"]), str(each["score"]), _where(each), _fee(each), why)
    console.print(Padding(table, INDENT, expand=False))
    more = len(shortlist["candidates"]) - SHOWN
    if more > 0:
        console.print(f"   and {more} more")
    for each in shortlist["concessions"]:
        then = f"{escape(each['name'])} would come first ({each['score']} points)"
        console.print(f"   would change the order: {escape(each['text'])}: {then}")
    if (missed := shortlist["next_best"]) is not None:
        console.print(f"   next best: {escape(missed['name'])}, who {escape(missed['text'])}")


def _evidence(pathway: dict[str, Any]) -> str:
    """How well a pathway is supported for each condition that is named, and by what."""
    told = [
        f"{each['evidence']} with {each['condition']}".replace("_", " ") + _by(each)
        for each in pathway["supports"]
    ]
    return f"evidence {', '.join(told) or pathway['evidence'].replace('_', ' ') + _by(pathway)}"


def _by(supported: dict[str, Any]) -> str:
    # The address of the source stands on the page for staff.
    return f" ({escape(_ADDRESS.sub('', supported['source']))})"


def decision(console: Console, story: Story, who: str) -> None:
    """What a member of staff has decided."""
    made = story.decision
    if made is None:
        return
    if made.overruled:
        reason = story.submitted.asking.overrule
        text = f"{who} [bold]overrules[/bold]: {escape(made.therapist)}, because: “{escape(reason)}”"
    else:
        text = f"{who} [bold]confirms[/bold] {escape(made.therapist)}"
    console.print(Padding(f"→ {text}", INDENT, expand=False))


def member(console: Console, story: Story, answer: Said | None) -> None:
    """What a decision for a group has come to."""
    made, file = story.decision, story.case or {}
    if made is None:
        return
    [chosen] = [each for each in file["shortlist"]["candidates"] if each["therapist_id"] == made.therapist_id]
    console.print(f"\n[bold]{story.number}. {escape(story.title)}[/bold]")
    console.print(Padding(f"{escape(chosen['name'])}: {escape(chosen['reasons'][-1]['text'])}", INDENT))
    outcome = {
        None: "matching has not answered",
        "group-place-held": "a place is held; nobody is told of a match yet",
        "seat-reserved": "[bold]the group is formed[/bold], and everybody in it is matched",
    }[answer.name if answer is not None else None]
    console.print(Padding(f"→ confirmed: {outcome}", INDENT))


def rejection(console: Console, rejected: Said) -> None:
    """What a partner gets back on `intake.rejections`."""
    table = Table("field", "rule", box=None, padding=(0, 1), pad_edge=False)
    for fault in rejected.body["faults"]:
        table.add_row(escape(fault["field"]), escape(fault["rule"]))
    console.print(
        f"{rejected.type} for the partner's reference {escape(str(rejected.body.get('reference')))}, "
        f"{len(rejected.body['faults'])} faults:"
    )
    console.print(Padding(table, INDENT, expand=False))


def timeline(console: Console, story: Story) -> None:
    """Who said what about a request, and how long after its submission."""
    table = Table(
        "since submission",
        "service",
        "event",
        "",
        title=f"{story.number}. {escape(story.title)}",
        title_justify="left",
        title_style="bold",
    )
    begun = story.submitted.at
    table.add_row(_since(begun, begun), "", f"submission through {DOORS[story.submitted.asking.door]}", "")
    for each in story.said:
        table.add_row(_since(each.time, begun), each.service, each.name, _detail(each))
    console.print(table)


def letter(console: Console, found: Letter) -> None:
    """One mail as text."""
    head = "\n".join(
        f"[dim]{name}:[/dim] {escape(str(found.mail[name]))}" for name in ("From", "To", "Subject", "Date")
    )
    console.print(Panel(f"{head}\n\n{escape(found.text)}", title="a delivered mail", width=100))


def durations(console: Console, found: Iterable[Durations]) -> None:
    """How long it took."""
    table = Table("", "times", "p50", "max")
    for each in found:
        table.add_row(
            each.what,
            str(len(each.seconds)),
            f"{each.median * 1000:.0f} ms",
            f"{max(each.seconds) * 1000:.0f} ms",
        )
    console.print(table)


def memory(console: Console, found: Sequence[Memory]) -> None:
    """What each part holds."""
    table = Table("part", "processes", "resident memory", "its share of it")
    for each in found:
        table.add_row(each.part, str(each.processes), f"{each.megabytes:.0f} MB", f"{each.share:.0f} MB")
    table.add_section()
    table.add_row(
        "[bold]the four services together[/bold]", str(len(SERVICES)), "", f"{of_services(found):.0f} MB"
    )
    console.print(table)
    console.print("Memory that several processes hold together, such as Python itself, is shared out.")


def summary(
    console: Console,
    stories: Sequence[Story],
    broken: str,
    rejected: Said | None,
    group: Sequence[Story],
) -> None:
    """All submissions, in the order of their numbers."""
    table = Table("", "submission", "door", "outcome", "therapist", "mails", "matched after")
    for story in stories:
        _outcome(table, story, MAILS)
    faults = len(rejected.body["faults"]) if rejected is not None else 0
    outcome = f"rejected, {faults} faults named" if faults else "not answered"
    table.add_row(str(len(stories) + 1), escape(broken), DOORS[Door.KAFKA], outcome, "", "", "")
    for story in group:
        _outcome(table, story, (*MAILS, HELD) if story.event("group-place-held") else MAILS)
    console.print(table)


def _outcome(table: Table, story: Story, wanted: Sequence[tuple[str, str]]) -> None:
    seat, made = story.event("seat-reserved"), story.decision
    mails = sum(story.letter(*which) is not None for which in wanted)
    outcome = "not finished"
    if seat is not None and made is not None:
        outcome = "matched, overruled" if made.overruled else "matched, confirmed"
    table.add_row(
        str(story.number),
        escape(story.title),
        DOORS[story.submitted.asking.door].removeprefix("the "),
        outcome,
        escape(made.therapist) if made is not None else "",
        f"{mails} of {len(wanted)}",
        _since(seat.time, story.submitted.at) if seat is not None else "",
    )


def _where(candidate: dict[str, Any]) -> str:
    mode = str(candidate["mode"]).replace("_", " ")
    distance = candidate["distance_km"]
    return mode if distance is None else f"{mode}, {distance:g} km"


def _fee(candidate: dict[str, Any]) -> str:
    return f"£{candidate['fee_pence'] / 100:g}"


def _since(moment: datetime, begun: datetime) -> str:
    return f"{max(0.0, (moment - begun).total_seconds()):7.3f} s"


def _detail(said: Said) -> str:
    body = said.body
    match said.name:
        case "request-submitted":
            return f"from partner {body['partner']}" if body.get("partner") else ""
        case "message-sent":
            return f"{body['kind']} to the {body['recipient']}"
        case "match-confirmed":
            return "another than the first" if body["overruled"] else "the first of the shortlist"
        case "seat-reserved":
            return str(body["mode"]).replace("_", " ")
    return ""
