"""Run what really happened through a draft: which tickets would have ended differently, and what would have been sent,
promised and paid.

Each ticket's recorded events are driven through the simulation twice: with the version that it was on (the baseline)
and with the draft. Only the difference between the two counts, so what the record does not tell (who was how busy) is
the same for both. Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.definitions import desk
from models.identity import roles
from models.infomodel import published as infomodel
from models.infomodel import values
from models.kernel.errors import ConfigurationError
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.publishing import workflows
from models.requesters import commands as requester_commands
from models.requesters import person_fields
from models.requesters import queries as requesters
from models.teams import queries as teams
from models.ticket_workflow.recorded_payload import Recorded, RecordedPayload
from models.ticket_workflow.recorded_tickets import histories
from models.ticket_workflow.replay_report import Report, Tally
from models.tickets import ticket_fields
from models.visibility.sight import DESK, Sight
from models.workflow.acts import AnyAct, Charged, MessageSent, RatingAsked, Refused, SlaBreached
from models.workflow.definition import Workflow
from models.workflow.execution import team_assignment
from models.workflow.testing.simulation import Person, Simulation, TooManyFirings

page_tickets = 200  # tickets whose events are in memory at once


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: str
    priority: str
    team: str
    acts: Counter[tuple[str, str]]
    amounts: Counter[str]


def replay(
    name: str,
    draft: Workflow,
    *,
    since: datetime,
    until: datetime,
    progress: Callable[[int], None] = lambda events: None,
) -> Report:
    """Replay every ticket of the life cycle that something happened to since an instant; reads only, page by page.

    For commands, whose users read the database itself: no ticket is hidden from them.
    """
    tally = Tally(Report(name, since, until))
    cursor: UUID | None = None
    while (cursor := step(draft, tally, after=cursor, most=page_tickets, sight=DESK)) is not None:
        progress(tally.report.events)
    return tally.finished()


def step(draft: Workflow, tally: Tally, *, after: UUID | None, most: int, sight: Sight) -> UUID | None:
    """Replay the next visible tickets into the tally; returns the last one, or None when none was left.

    A ticket that `sight` does not show is not driven at all. The conditions of a draft may read its texts and fields,
    and the sums of a report would tell their results.
    """
    report = tally.report
    page = histories(report.workflow, report.since, after=after, most=most, sight=sight)
    people = _people() if page else []
    for ticket, recorded in page:
        report.tickets += 1
        report.events += len(recorded)
        try:
            asker = _asker(recorded)
            version = workflows.of_version(report.workflow, ticket.workflow_version).definition
            before = _drive(version, recorded, people, asker, report.until)
            outcome = _drive(draft, recorded, people, asker, report.until)
        except (TooManyFirings, ConfigurationError) as error:
            report.failed += 1
            tally.note(ticket.number, ticket.state, {"failed": str(error)})
            continue
        report.faithful += before.state == ticket.state
        for index, one in enumerate((before, outcome)):
            tally.acts[index].update(one.acts)
            tally.money[index].update(one.amounts)
        changed = {
            what: {"before": getattr(before, what), "after": getattr(outcome, what)}
            for what in ("state", "priority", "team")
            if getattr(before, what) != getattr(outcome, what)
        }
        if changed:
            report.ended_differently += 1
            tally.note(ticket.number, ticket.state, changed)
    return page[-1][0].id if page else None


def _people() -> list[Person]:
    """Users and API keys as they are now: the record keeps ids, not roles."""
    users = database.run("SELECT id, name, email, role FROM users ORDER BY id")
    keys = database.run("SELECT id, name, role FROM api_keys ORDER BY id")
    role = {one.name: str(one.based_on) for one in roles.all_roles()}
    found = [
        Person(str(one["id"]), one["name"], role[one["role"]], one["email"], teams.of_user(one["id"])) for one in users
    ]
    return [*found, *(Person(str(one["id"]), one["name"], role.get(one["role"], "agent")) for one in keys)]


def _asker(recorded: list[Recorded]) -> JsonObject:
    """Return the ticket's requester and their organisation as they are now: the record keeps an id."""
    opened = next((one.payload for one in recorded if one.type == "ticket_created"), RecordedPayload({}))
    requester_id = parse_id(opened.text("requester_id"))
    if requester_id is None:
        return {kind: {"id": "", "name": "", "fields": person_fields.view(kind, {})} for kind in person_fields.KINDS}
    found = requesters.as_view(requester_commands.current_id(requester_id))
    organisation = found.pop("organisation")
    return {"requester": found, "organisation": organisation}


def _drive(
    workflow: Workflow, recorded: list[Recorded], people: list[Person], asker: JsonObject, until: datetime
) -> _Outcome:
    """One ticket's events through one definition."""
    simulation = Simulation(
        *(workflow, recorded[0].at, people),
        **asker,
        desk=desk.current(),
        fields_view=lambda type_, fields: (values.view_values(infomodel.find(type_), fields), values.filled(fields)),
        missing=ticket_fields.missing,
    )
    fields: JsonObject = {}
    created = False
    for index, event in enumerate(recorded):
        if not created and event.type == "ticket_created":
            _create(simulation, event, recorded[index + 1 :])
            created = True
            continue
        if not created or _first_message(recorded, index):
            continue
        simulation.advance(to=max(simulation.now, event.at))
        _happen(simulation, event, fields)
    if created:
        simulation.advance(to=max(simulation.now, until))
    return _outcome(simulation)


def _first_message(recorded: list[Recorded], index: int) -> bool:
    """Return True if the event is the message that opened the ticket."""
    event = recorded[index]
    return event.type == "message_received" and not any(one.type == "message_received" for one in recorded[:index])


def _create(simulation: Simulation, event: Recorded, after: list[Recorded]) -> None:
    told = event.payload
    opening = next((one for one in after if one.type in ("message_received", "message_added")), None)
    first = opening.payload if opening is not None and opening.type == "message_received" else RecordedPayload({})
    channel = told.text("channel") or "api"
    by = "requester" if event.actor_kind == "requester" or told.text("requester_id") else _who(simulation, event)
    simulation.create(
        title=told.text("title"),
        type=told.text("type") or "question",
        priority=told.text("priority") or "normal",
        channel=channel,
        contact_channel=channel if channel != "api" else "",
        fields=told.get("fields") or {},
        team=told.text("team"),
        tags=told.get("tags") or [],
        automatic=first.text("automatic"),
        by_machine=first.by_machine,
        text=opening.text if opening is not None else "",
        by=by,
    )


def _who(simulation: Simulation, event: Recorded) -> str:
    """The member of the cast who acted; a person who is gone acts as automation."""
    known = {person.id for person in simulation.people}
    if event.actor_kind == "requester":
        return "requester"
    return event.actor_id if event.actor_id in known else "automation"


def _happen(simulation: Simulation, event: Recorded, fields: JsonObject) -> None:
    """Repeat in the simulation what a person or the outside did. What rules did is left to the rules.

    `fields` collects the fields that a rule's event names, for the request that follows it.
    """
    repeat = _REPEATED.get(event.type)
    if repeat is not None:
        repeat(simulation, event, _who(simulation, event), fields)


def _received(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    simulation.message(
        event.text, automatic=told.text("automatic"), by_machine=told.by_machine, channel=told.get("channel")
    )


def _replied(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    if not event.payload.get("automatic") and "rule" not in event.payload:
        simulation.reply(who, event.text)


def _updated(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    changes = {name: change["to"] for name, change in told["changes"].items()}
    set_fields = {name[7:]: value for name, value in changes.items() if name.startswith("fields.")}
    if "rule" in told:
        fields.update(set_fields)  # a person set them, if the transition of this rule follows as a request
    else:
        set_fields |= changes.get("fields") or {}
        simulation.change(who, priority=changes.get("priority"), fields=set_fields)


def _moved(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    if told.get("event") == "request":
        comment = told.text("comment") or "-"
        simulation.transition(told["transition"], who, comment=comment, fields=dict(fields))
    fields.clear()


def _arrived(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    if told["to"]["workflow"] == simulation.workflow.workflow:
        simulation.arrive(told["to"]["state"], type=told.text("type"))


def _refused(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    if told.get("event") == "request":
        simulation.transition(told.text("transition") or str(told["rule"]), who)


def _assigned(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    # The strategy of a team is no rule of the life cycle: its choice is a fact, like that of a person.
    if told.get("rule", team_assignment.RULE) != team_assignment.RULE:
        return
    to = str(told["to"]) if told.get("to") else None
    known = to is None or any(person.id == to for person in simulation.people)
    simulation.assign(to if known else None, who)


def _signalled(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    simulation.signal(told["signal"], told.get("payload") or {})


def _voted(simulation: Simulation, event: Recorded, who: str, fields: JsonObject) -> None:
    told = event.payload
    if who != "automation":
        simulation.vote(told["transition"], who, told["vote"])


_REPEATED: dict[str, Callable[[Simulation, Recorded, str, JsonObject], object]] = {
    "message_received": _received,
    "message_added": _replied,
    "note_added": lambda simulation, event, who, fields: (
        None if {"rule", "side_conversation_id"} & event.payload.keys() else simulation.note(who)
    ),
    "ticket_updated": _updated,
    "ticket_state_changed": _moved,
    "ticket_reclassified": _arrived,
    "transition_refused": _refused,
    "ticket_assigned": _assigned,
    "signal_received": _signalled,
    "approval_voted": _voted,
    "delivery_failed": lambda simulation, event, who, fields: simulation.event("delivery_failed"),
    "rated": lambda simulation, event, who, fields: simulation.event("rated"),
}


def _outcome(simulation: Simulation) -> _Outcome:
    acts: Counter[tuple[str, str]] = Counter()
    amounts: Counter[str] = Counter()
    for act in simulation.acts:
        if (what := _counted(act)) is not None:
            acts[what] += 1
        if isinstance(act, Charged):
            amounts[f"{act.charge_kind} {act.currency}"] += act.amount_minor
    ticket = simulation.instance
    return _Outcome(ticket.state, ticket.priority, ticket.team, acts, amounts)


def _counted(act: AnyAct) -> tuple[str, str] | None:
    match act:
        case MessageSent() | RatingAsked():
            return "sent", act.template
        case SlaBreached():
            return "breached", act.target
        case Refused():
            return "refused", act.transition or act.rule
    return None
