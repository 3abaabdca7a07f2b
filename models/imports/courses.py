"""The course of an imported ticket as events of the past: its opening, its messages, its states and its assignees.

The numbers are computed from these events, so an imported ticket counts like one that was worked on here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from models.events.commands import SYSTEM, Actor
from models.events.past import PastEvent
from models.events.ticket_payloads import (
    MessageAdded,
    MessageReceived,
    NoteAdded,
    TicketAssigned,
    TicketCreated,
    TicketImported,
    TicketStateChanged,
)
from models.imports import form
from models.imports.context import Context
from models.kernel.storage.database import Row
from models.tickets.tables import Ticket
from models.workflow.definition import Workflow

IMPORTED: Final = "imported"


def steps_of(record: form.Ticket, definition: Workflow, state: str) -> list[form.Step]:
    """Return the course of a ticket, which begins and ends with a state.

    A source without a course gives the opening and the state now; a solved ticket was solved at its `solved_at`.
    """
    steps = sorted(record.course, key=lambda step: step.at)
    states = [step for step in steps if step.state is not None]
    if not states:
        opened = form.Step(at=record.created_at, state=definition.initial)
        return [opened, *steps, *_to_end(record, definition, state)]
    if states[-1].state != state:
        steps.append(form.Step(at=_end(record), state=state))
    return steps


def _end(record: form.Ticket) -> datetime:
    return record.updated_at or max((one.created_at for one in record.messages), default=record.created_at)


def _to_end(record: form.Ticket, definition: Workflow, state: str) -> list[form.Step]:
    if state == definition.initial:
        return []
    done = next((name for name, one in definition.states.items() if one.category == "done"), None)
    is_closed = definition.states[state].category == "closed"
    found = []
    if is_closed and done is not None and record.solved_at is not None:
        found.append(form.Step(at=record.solved_at, state=done))
    at = record.closed_at if is_closed else record.solved_at if definition.states[state].category == "done" else None
    return [*found, form.Step(at=at or _end(record), state=state)]


def events_of(
    context: Context, record: form.Ticket, ticket: Ticket, steps: Sequence[form.Step], messages: Sequence[Row]
) -> list[PastEvent]:
    """Return the events of a ticket in the order of their instants; the first opens it, the last one is the import."""
    opened = next(step for step in steps if step.state is not None)
    requester = Actor("requester", str(ticket.requester_id)) if ticket.requester_id is not None else SYSTEM
    first = PastEvent(opened.at, _created(ticket, opened.state or ticket.state), requester)
    found = [*_state_events(context, steps, opened), *(_message_event(row) for row in messages)]
    found.sort(key=lambda one: one.at)
    imported = TicketImported(
        import_id=context.sources.import_id,
        source=context.sources.source,
        source_id=record.id,
        former_number=record.number if record.number != ticket.number else None,
    )
    return [first, *found, PastEvent(context.now, imported, SYSTEM)]


def _created(ticket: Ticket, state: str) -> TicketCreated:
    return TicketCreated(
        title=ticket.title,
        type=ticket.type,
        priority=ticket.priority,
        fields=ticket.fields,
        team=ticket.team,
        tags=ticket.tags,
        state=state,
        channel=ticket.channel,
        account=ticket.account,
        requester_id=ticket.requester_id,
        workflow=ticket.workflow,
        workflow_version=ticket.workflow_version,
    )


def _state_events(context: Context, steps: Sequence[form.Step], opened: form.Step) -> list[PastEvent]:
    state, assignee = opened.state or "", None
    found = []
    for step in steps:
        by = context.actor(step.by) or SYSTEM
        if step.state is not None and step is not opened:
            moved = TicketStateChanged(
                from_=state,
                to=step.state,
                transition=step.transition or IMPORTED,
                event=IMPORTED,
                comment=None,
                condition=None,
            )
            found.append(PastEvent(step.at, moved, by))
            state = step.state
        if step.assignee is not None or step.unassigned:
            to: UUID | None = context.user(step.assignee)
            if to != assignee:
                found.append(PastEvent(step.at, TicketAssigned(from_=assignee, to=to), by))
            assignee = to
    return found


def _message_event(row: Row) -> PastEvent:
    author = _author(row)
    if row["kind"] == "note":
        return PastEvent(row["created_at"], NoteAdded(message_id=row["id"]), author)
    if row["direction"] == "outbound":
        is_automatic = row["author_kind"] == "system"
        added = MessageAdded(message_id=row["id"], delivery_ids=[], automatic=is_automatic)
        return PastEvent(row["created_at"], added, author)
    received = MessageReceived(
        message_id=row["id"],
        channel=row["channel"],
        account=row["account"],
        automatic=row["automatic"],
        by_machine=row["by_machine"],
    )
    return PastEvent(row["created_at"], received, author)


def _author(row: Row) -> Actor:
    if row["author_id"] is None:
        return SYSTEM
    return Actor("requester" if row["author_kind"] == "requester" else "user", str(row["author_id"]))
