"""Actions of people and API callers on tickets. Commands join the caller's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from models.conversations import messages
from models.definitions import desk
from models.events import queries as events
from models.events.commands import Actor
from models.events.payload import UNSET, Unset
from models.events.ticket_payloads import TicketAssigned, TicketCreated, TicketUpdated
from models.identity import queries as identity
from models.infomodel import locks as field_locks
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.ports import channel_facts
from models.publishing import workflows
from models.requesters import commands as requesters
from models.requesters.commands import normalise_address
from models.requesters.tables import Requester
from models.tasks.payloads import AdvanceTicket
from models.teams import availability
from models.teams import queries as teams
from models.ticket_actions import field_lookups, locks, own_words, reacting_ticket, tagging
from models.ticket_actions.input_needed import ConfirmationRequired
from models.ticket_actions.sorting import binning
from models.ticket_workflow import reclassifying, steps
from models.tickets import queries, ticket_fields
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.instance import Event, MessageView, seen_message


@dataclass(frozen=True, slots=True)
class NewTicket:
    """The values of a new ticket. The caller's entry point has checked their form."""

    title: str
    description: str | None = None
    type: str = "question"
    priority: str = "normal"
    requester_name: str | None = None
    requester_email: str | None = None
    fields: Mapping[str, Any] | None = None
    workflow: str | None = None  # None: what the type's model says, else support
    team: str | None = None
    tags: tuple[str, ...] = ()
    # An agent opens the ticket for the requester: the description is the agent's words, a first mail to the requester.
    by_agent: bool = False


def create(new: NewTicket, *, actor: Actor, role: str = steps.AUTOMATION, causation_id: str | None = None) -> Ticket:
    """Create a ticket from the API, the console or a workflow. The ticket's workflow reacts immediately; its effects
    are tasks.

    Raises Invalid for a type that no model takes, and for a priority or a field that the workflow or the type does not
    have.
    """
    if new.team is not None:
        teams.get_or_invalid(new.team)
    ticket_fields.check_type(new.type)
    requester = _requester(new)
    change = start_new(
        title=new.title,
        type_=new.type,
        priority=new.priority,
        workflow=new.workflow,
        fields=ticket_fields.new_fields(
            new.type, new.fields or {}, role=role, priority=new.priority, lookups=field_lookups.of(actor)
        ),
        requester=requester,
        channel="api",
        account=None,
        actor=actor,
        causation_id=causation_id,
        team=new.team,
        tags=new.tags,
    )
    if new.requester_email is not None:
        # In the form that suppressions and rate limits are kept by: another spelling is no second address.
        change.ticket.contact_channel = channel_facts.with_emails()
        change.ticket.contact_address = normalise_address(change.ticket.contact_channel, new.requester_email)
    message: MessageView | None = None
    if new.by_agent and new.description and requester is not None:
        return own_words.open_by_agent(change, new.description)
    if new.description:
        author = ("requester", requester.id, requester.name) if requester else messages.actor_author(actor)
        messages.add_description(change, new.description, author=author)
        message = seen_message(author[0], "api", new.description)
    elif requester is not None:
        message = seen_message("requester", "api", "")
    steps.react(change, "ticket_created", message=message)
    return change.save()


def _requester(new: NewTicket) -> Requester | None:
    if new.requester_email is not None:
        return requesters.find_or_create(
            channel_facts.with_emails(), new.requester_email, name=new.requester_name or ""
        )
    if new.requester_name is not None:
        return requesters.create_without_address(new.requester_name)
    return None


def start_new(
    *,
    title: str,
    type_: str,
    priority: str,
    workflow: str | None,
    fields: Mapping[str, Any],
    requester: Requester | None,
    channel: str,
    account: str | None,
    actor: Actor,
    causation_id: str | None = None,
    team: str | None = None,
    tags: tuple[str, ...] = (),
) -> TicketChange:
    """A new ticket's change, in its first state and not saved yet.

    Raises Invalid for a priority that its life cycle does not have.
    """
    workflow = workflow or ticket_fields.workflow_of(type_)
    version = workflows.newest(workflow)
    definition = version.definition
    if priority not in definition.priorities:
        raise Invalid(
            [FieldProblem("/priority", f"expected one of {', '.join(definition.priorities)}, found {priority!r}")]
        )
    now = clock.now()
    ticket = Ticket(
        id=new_id(),
        number=queries.next_number(),
        title=title,
        type=type_,
        priority=priority,
        state=definition.initial,
        category=definition.states[definition.initial].category,
        workflow=workflow,
        workflow_version=version.version,
        requester_id=requester.id if requester else None,
        requester_name=requester.name if requester else None,
        assignee_id=None,
        channel=channel,
        account=account,
        contact_channel=None,
        contact_account=None,
        contact_address=None,
        fields=dict(fields),
        created_at=now,
        updated_at=now,
        team=team,
        tags=list(tags),
        state_since=now,
        reply_token=secrets.token_hex(16),
    )
    change = TicketChange(ticket, actor=actor, new=True, causation_id=causation_id, requester=requester)
    change.record(
        TicketCreated(
            title=title,
            type=type_,
            priority=priority,
            fields=ticket.fields,
            team=team,
            tags=ticket.tags,
            state=ticket.state,
            channel=channel,
            account=account,
            requester_id=ticket.requester_id,
            workflow=workflow,
            workflow_version=version.version,
        )
    )
    steps.start(change)
    return change


def advance(payload: AdvanceTicket, *, causation_id: str) -> None:
    """Let the life cycle react to the payload of a task `advance_ticket`: a stored message, a fired
    timer, a signal ...

    The ticket in which a message is now reacts to it, unless it has reacted already (`reacting_ticket.py`). A merged
    ticket has no timers, promises and approvals any more; other events go to its target. Raises NotFound, Contention.
    """
    held = reacting_ticket.hold(payload, causation_id=causation_id)
    if held is None:
        return
    event, (change, message) = payload.event, held
    if change.ticket.id != payload.ticket_id and event in _OF_ONE_TICKET:
        return
    if binning.put_off(change.ticket, payload):
        return
    change.about_id = payload.about_id
    before = change.ticket.event_sequence
    if event == "sla":
        assert payload.target is not None, "the payload's type checks it"
        steps.clock_due(change, payload.target)
    elif event == "approval_expired":
        assert payload.transition is not None, "the payload's type checks it"
        steps.approval_expired(change, payload.transition)
    else:
        steps.react(
            change,
            event,
            name=payload.timer or payload.signal or "",
            message=message,
            payload=_event_payload(payload),
            count=payload.count,
        )
    change.save(visible=change.ticket.event_sequence > before)


# Events about rows of one ticket, which a merge ends.
_OF_ONE_TICKET: Final = frozenset({"timer", "sla", "approval_expired"})


def _event_payload(payload: AdvanceTicket) -> Mapping[str, Any]:
    """Read the payload of an event: a signal's facts from the history, a linked ticket's id."""
    if payload.event_id is not None:
        told = events.payload_of(payload.event_id)
        found = told.get("payload", told)
        return found if isinstance(found, Mapping) else {}
    if payload.linked_id is None:
        return {}
    # Tasks of earlier releases name no kind; they are about children.
    return {"ticket_id": str(payload.linked_id), "link": payload.link or "child"}


def update(
    ticket_id: UUID,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    actor: Actor,
    role: str = steps.AUTOMATION,
    keeps_assignee: bool = False,
) -> Ticket:
    """Change title, type, priority, team, tags or fields.

    Fields are merged: a field that `changes` does not name keeps its value, and null removes one. Tags are replaced as
    a whole, unless they are a `TagEdit`.

    Another type moves the ticket to the life cycle of that type. The strategy of another team assigns the ticket,
    unless the change `keeps_assignee`.

    Raises PreconditionFailed when the ticket changed meanwhile, Invalid for a wrong priority, team or field, TypeLocked
    while something holds the type.
    """
    change = TicketChange.of(ticket_id, actor=actor)
    change.keeps_assignee = keeps_assignee
    ticket = change.ticket
    change.expect_version(expected_version)
    if changes.get("type", ticket.type) != ticket.type:
        ticket_fields.check_type(changes["type"])
    reclassifying.check_priority(change, changes)
    locks.check_type(change, changes.get("type", ticket.type))
    changes = _with_valid_fields(change, tagging.resolved(changes, ticket.tags), role)
    different = {name: value for name, value in changes.items() if getattr(ticket, name) != value}
    if not different:
        return ticket
    happened = _events_of(ticket, different)
    change.record(TicketUpdated(changes=_shown_changes(ticket, different)))
    if "type" in different:
        ticket.former_types = [*(one for one in ticket.former_types if one != ticket.type), ticket.type]
    for name, value in different.items():
        setattr(ticket, name, value)
    if "type" in different:
        steps.retyped(change, happened, role=role)
    else:
        steps.touched(change, happened, role=role)
    return change.save()


def _with_valid_fields(change: TicketChange, changes: JsonObject, role: str) -> JsonObject:
    ticket = change.ticket
    if changes.get("team") is not None:
        teams.get_or_invalid(changes["team"])
    if not changes.keys().isdisjoint(("fields", "type", "priority")):
        changes["fields"] = ticket_fields.changed_fields(
            ticket,
            changes.get("fields") or {},
            role=role,
            type_=changes.get("type"),
            priority=changes.get("priority"),
            lookups=field_lookups.of(change.actor),
        )
        locks.check_fields(change, changes["fields"], role=role)
    return changes


def _shown_changes(ticket: Ticket, different: Mapping[str, Any]) -> JsonObject:
    """Return the changes as the history shows them: each field by its own name."""
    found: JsonObject = {
        name: {"from": getattr(ticket, name), "to": value} for name, value in different.items() if name != "fields"
    }
    after = different.get("fields", ticket.fields)
    for name in field_locks.changed_names(ticket.fields, after):
        found[f"fields.{name}"] = {"from": ticket.fields.get(name), "to": after.get(name)}
    return found


def _events_of(ticket: Ticket, different: Mapping[str, Any]) -> list[Event]:
    """One `field_changed` for each thing that a person changed; the title and the type are fields
    in this sense, too.
    """
    found = [
        Event("field_changed", name, before=getattr(ticket, name), after=value)
        for name, value in different.items()
        if name != "fields"
    ]
    before, after = ticket.fields, different.get("fields", ticket.fields)
    for name in field_locks.changed_names(before, after):
        found.append(Event("field_changed", name, before=before.get(name), after=after.get(name)))
    return found


def assign(
    ticket_id: UUID,
    assignee_id: UUID | None,
    *,
    actor: Actor,
    expected_version: int | None = None,
    how: str | Unset = UNSET,
) -> Ticket:
    """Assign the ticket to an active user, or to nobody. `how`: the way in which it came to that, if not by a choice.

    Raises PreconditionFailed when the ticket is not at `expected_version` any more, Invalid when no such active user
    works on tickets, AssigneeAway for somebody else who is away.
    """
    change = TicketChange.of(ticket_id, actor=actor)
    change.expect_version(expected_version)
    if change.ticket.assignee_id == assignee_id:
        return change.ticket
    if assignee_id is not None and not identity.can_take_tickets(assignee_id):
        raise Invalid([FieldProblem("/assignee_id", "expected the id of an active user who works on tickets")])
    if assignee_id is not None and str(assignee_id) != actor.id:
        availability.check_not_away(assignee_id)
    change.record(TicketAssigned(from_=change.ticket.assignee_id, to=assignee_id, how=how))
    change.ticket.assignee_id = assignee_id
    steps.react(change, "assigned")
    return change.save()


def transition(
    ticket_id: UUID,
    name: str,
    *,
    fields: Mapping[str, Any] | None,
    comment: str | None,
    role: str,
    actor: Actor,
    expected_version: int | None = None,
    confirmed: bool = False,
) -> tuple[Ticket, tuple[str, ...]]:
    """Take a transition on a person's request. Records and returns the reasons of a refusal, so that the caller can
    commit them.

    `fields` are merged into the ticket's. Raises Invalid for wrong ones, PreconditionFailed when the ticket changed
    meanwhile, and ConfirmationRequired for a possible transition that asks for a confirmation, without `confirmed`.
    """
    change = TicketChange.of(ticket_id, actor=actor)
    ticket = change.ticket
    change.expect_version(expected_version)
    changed: JsonObject = {}
    if fields:
        after = ticket_fields.changed_fields(ticket, fields, role=role, lookups=field_lookups.of(actor))
        locks.check_fields(change, after, role=role)
        changed = {field: after.get(field) for field in fields if after.get(field) != ticket.fields.get(field)}
    asked = steps.workflow_of(change).transitions.get(name)
    reasons = steps.request(change, name, role=role, comment=comment, fields=changed)
    if not reasons and not confirmed and asked is not None and asked.confirm is not None:
        # The caller's transaction takes back all that the request has written.
        raise ConfirmationRequired(
            f"{name} asks for a confirmation: {desk.current().pick(asked.confirm)} Send `confirm: true`."
        )
    return change.save(visible=not reasons), reasons


def vote(
    ticket_id: UUID, transition: str, vote: str, *, comment: str | None, role: str, actor: Actor
) -> tuple[Ticket, tuple[str, ...]]:
    """A person approves or refuses a transition that waits; the reasons when the vote does not count (recorded, to be
    committed).
    """
    change = TicketChange.of(ticket_id, actor=actor)
    reasons = steps.vote(change, transition, role=role, vote=vote, comment=comment)
    return change.save(visible=not reasons), reasons
