"""A ticket and its life cycle: the engine is asked here, and what it answers is carried out and kept with its reasons.

The engine is pure; this module gives it the ticket as plain data, the people and the clock, and `apply_acts` turns its
acts into rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from models.definitions import desk
from models.events.ticket_payloads import TicketReclassified, WorkflowPlace
from models.identity import queries as identity
from models.kernel import settings
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.publishing import workflows
from models.requesters import person_fields
from models.requesters import queries as requesters
from models.sla.clocks import Clock
from models.tasks.tables import Task
from models.teams import assignment, availability
from models.teams import queries as teams
from models.ticket_workflow import approvals, links, ratings, reclassifying
from models.ticket_workflow import sla_clocks as sla
from models.ticket_workflow.acts import apply_acts
from models.tickets import ticket_fields
from models.tickets.ticket_change import TicketChange
from models.workflow import engine
from models.workflow.acts import Refused, TypeSet
from models.workflow.definition import Workflow
from models.workflow.execution.reclassification import EVENT, arrival
from models.workflow.instance import (
    Actor,
    Context,
    Event,
    Instance,
    MessageView,
    PendingApproval,
    RuleTrace,
    Step,
    Strategy,
)

AUTOMATION = "automation"
_UNREAD = "the requester has just written, and the life cycle has not looked at the message yet; try again in a moment"


def workflow_of(change: TicketChange) -> Workflow:
    return workflows.of_version(change.ticket.workflow, change.ticket.workflow_version).definition


def start(change: TicketChange) -> None:
    """A new ticket enters its first state."""
    workflow = workflow_of(change)
    step = engine.start(workflow, instance_of(change, workflow), context_of(change, workflow))
    _apply(change, workflow, step, event="ticket_created")


def react(change: TicketChange, event: str, *, name: str = "", message: MessageView | None = None, **more: Any) -> None:
    """Let the life cycle react to something that happened. `name`: the timer, signal ... that it is about."""
    workflow = workflow_of(change)
    context = context_of(change, workflow, message=message)
    step = engine.react(workflow, instance_of(change, workflow), context, Event(event, name, **more))
    _apply(change, workflow, step, event=event)


def clock_due(change: TicketChange, target: str) -> None:
    """The timer of an SLA clock went off."""
    workflow = workflow_of(change)
    step = engine.clock_due(workflow, instance_of(change, workflow), context_of(change, workflow), target)
    _apply(change, workflow, step, event="sla")


def approval_expired(change: TicketChange, transition: str) -> None:
    """The time for an approval is over."""
    workflow = workflow_of(change)
    step = engine.approval_expired(workflow, instance_of(change, workflow), context_of(change, workflow), transition)
    _apply(change, workflow, step, event="approval_expired")


def touched(change: TicketChange, events: list[Event], *, role: str) -> None:
    """A person changed fields, type or priority; the ticket has the new values already."""
    workflow = workflow_of(change)
    step = engine.touched(workflow, instance_of(change, workflow), context_of(change, workflow, role=role), events)
    _apply(change, workflow, step, event="field_changed")


def retyped(change: TicketChange, events: list[Event], *, role: str) -> None:
    """A person changed the ticket's type, and perhaps other values; the ticket has the new values already.

    The ticket moves to the life cycle of its type, unless it is on it.
    """
    if reclassifying.target_of(change.ticket.type, change.ticket.workflow) is None:
        touched(change, events, role=role)
        return
    _move_to_life_cycle_of_type(change, events, role=role)


def _move_to_life_cycle_of_type(change: TicketChange, events: list[Event], *, role: str = AUTOMATION) -> None:
    ticket = change.ticket
    target = reclassifying.target_of(ticket.type, ticket.workflow)
    if target is None:
        return
    old, new = workflow_of(change), target.definition
    before = WorkflowPlace(workflow=ticket.workflow, version=ticket.workflow_version, state=ticket.state)
    state, reason = arrival(new, ticket.workflow, ticket.state, ticket.category)
    instance = instance_of(change, old if old.sla else new)
    change.is_reclassified = True
    ticket.workflow, ticket.workflow_version = new.workflow, target.version
    after = WorkflowPlace(workflow=new.workflow, version=target.version, state=state)
    change.record(TicketReclassified(type=ticket.type, from_=before, to=after, reason=reason))
    context = context_of(change, new, role=role)
    step = engine.reclassified(new, instance, context, state, old=old, reason=reason, events=events)
    _apply(change, new, step, event=EVENT)


def options(change: TicketChange, *, role: str, fields: Mapping[str, Any] | None = None) -> list[engine.Option]:
    """The moves that leave the ticket's state, each possible or with the reasons against it.

    `fields`: values that would change along with the move.
    """
    workflow = workflow_of(change)
    ticket = instance_of(change, workflow)
    if fields:
        ticket = replace(ticket, fields={**ticket.fields, **fields})
    return engine.options(workflow, ticket, context_of(change, workflow, role=role))


def request(
    change: TicketChange,
    name: str,
    *,
    role: str,
    comment: str | None,
    fields: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """A person's transition: carried out, or the reasons of a refusal; either way it is part of the story.

    `fields`: valid values that change along with it.
    """
    workflow = workflow_of(change)
    step = engine.request(
        workflow,
        instance_of(change, workflow),
        context_of(change, workflow, role=role),
        name,
        comment=comment,
        fields=dict(fields or {}),
    )
    _apply(change, workflow, step, event="request")
    # A refusal of a later rule (a reaction to the new state) is no refusal of this request.
    return step.refusal if step.acts and isinstance(step.acts[0], Refused) else ()


def vote(change: TicketChange, transition: str, *, role: str, vote: str, comment: str | None) -> tuple[str, ...]:
    """A person's vote on a transition that waits; the reasons when it does not count."""
    workflow = workflow_of(change)
    step = engine.vote(
        workflow,
        instance_of(change, workflow),
        context_of(change, workflow, role=role),
        transition,
        vote=vote,
        comment=comment,
    )
    _apply(change, workflow, step, event="vote")
    return step.refusal if step.acts and isinstance(step.acts[0], Refused) else ()


def instance_of(change: TicketChange, workflow: Workflow) -> Instance:
    """The ticket as plain data; clocks and approvals are read only where the life cycle has any."""
    ticket = change.ticket
    waiting, given = _approvals(change, workflow)
    return Instance(
        state=ticket.state,
        category=ticket.category,
        type=ticket.type,
        priority=ticket.priority,
        number=ticket.number,
        title=ticket.title,
        channel=ticket.channel,
        contact_channel=ticket.contact_channel or "",
        assignee=str(ticket.assignee_id or ""),
        assignee_name=_name(ticket.assignee_id) if ticket.assignee_id else "",
        team=ticket.team or "",
        tags=tuple(ticket.tags),
        fields=ticket.fields,
        message_count=ticket.message_count,
        minutes_spent=ticket.minutes_spent,
        created_at=ticket.created_at,
        state_since=ticket.state_since or ticket.updated_at,
        first_response_at=ticket.first_response_at,
        clocks=_clocks(change, workflow),
        approvals=waiting,
        approved=given,
    )


def _clocks(change: TicketChange, workflow: Workflow) -> dict[str, Clock]:
    if change.clocks is not None:
        return change.clocks
    return {} if change.is_new or not workflow.sla else sla.of_ticket(change.ticket.id)


def _approvals(change: TicketChange, workflow: Workflow) -> tuple[dict[str, PendingApproval], frozenset[str]]:
    if change.is_new or all(one.approval is None for one in workflow.transitions.values()):
        return {}, frozenset()
    return approvals.waiting_and_given(change.ticket.id)


def _name(user_id: UUID) -> str:
    return identity.names_of({user_id}).get(user_id, "")


def context_of(
    change: TicketChange, workflow: Workflow, *, role: str = AUTOMATION, message: MessageView | None = None
) -> Context:
    """The surroundings of a step: who acts, who could be given the ticket, what its fields are."""
    actor = change.actor
    user_id = actor.id if actor.kind == "user" and actor.id and role != AUTOMATION else None
    asker = _Asker(change)
    return Context(
        now=change.at,
        actor=Actor(actor.kind, actor.id or "", role, teams.of_user(user_id) if user_id else ()),
        message=message,
        desk_url=settings.current().public_url,
        desk=desk.current(),
        seed=change.causation_id or str(change.ticket.id),
        roster=teams.roster,
        assignable=availability.assignable,
        strategy=_by_hand if change.keeps_assignee else assignment.strategy_of,
        fields_view=ticket_fields.fields_view,
        validate=ticket_fields.validated_by_rule,
        missing=ticket_fields.missing,
        check_new=ticket_fields.check_new_by_rule,
        retype=lambda ticket, type_: reclassifying.retyped(change, workflow, ticket, type_),
        veto=lambda state: _UNREAD if _would_bury_a_message(change, workflow, state) else None,
        rating_url=lambda: ratings.new_url(change),
        requester=asker.requester,
        organisation=asker.organisation,
        linked=lambda: {} if change.is_new else links.numbers(change.ticket.id),
        hides_words=change.ticket.contact_is_a_stranger,
    )


def _by_hand(team: str) -> Strategy:
    return "manual"


class _Asker:
    """The requester of a ticket and their organisation, as rules see them. Both are read at first use, at once."""

    def __init__(self, change: TicketChange) -> None:
        self._change = change
        self._read: Mapping[str, Any] | None = None

    def requester(self) -> Mapping[str, Any]:
        ticket, known = self._change.ticket, self._change.requester
        if known is not None and self._change.is_new:
            return {
                "id": str(known.id),
                "name": known.name,
                "locale": known.locale or "",
                "time_zone": known.time_zone or "",
                "channel": ticket.channel,
                "fields": person_fields.view("requester", known.fields),
            }
        if ticket.requester_id is None:
            return {"fields": person_fields.view("requester", {})}
        found = {name: value for name, value in self._stored().items() if name != "organisation"}
        return found | {"channel": ticket.contact_channel or ticket.channel}

    def organisation(self) -> Mapping[str, Any]:
        known = self._change.requester
        belongs = known.organisation_id is not None if known is not None and self._change.is_new else True
        if self._change.ticket.requester_id is None or not belongs:
            return {"fields": person_fields.view("organisation", {})}
        found: Mapping[str, Any] = self._stored()["organisation"]
        return found

    def _stored(self) -> Mapping[str, Any]:
        requester_id = self._change.ticket.requester_id
        assert requester_id is not None, "the callers looked"
        if self._read is None:
            self._read = requesters.as_view(requester_id)
        return self._read


def _apply(change: TicketChange, workflow: Workflow, step: Step, *, event: str) -> None:
    first = change.ticket.event_sequence + 1
    change.event = event
    apply_acts.apply(change, workflow, step)
    if step.traces:
        ticket = change.ticket
        change.batch.insert(
            "decisions",
            {
                "id": new_id(),
                "ticket_id": ticket.id,
                "event": event,
                "workflow": ticket.workflow,
                "workflow_version": ticket.workflow_version,
                "state": step.instance.state,
                "at": change.at,
                "causation_id": change.causation_id,
                "first_sequence": first,
                "last_sequence": ticket.event_sequence,
                "looks": [_trace_as_json(trace) for trace in step.traces],
            },
        )
    changed = [Event("field_changed", "type", before=one.before, after=one.after) for one in _retyped_by(step)]
    if changed:
        _move_to_life_cycle_of_type(change, changed)


def _retyped_by(step: Step) -> list[TypeSet]:
    return [act for act in step.acts if isinstance(act, TypeSet)]


def _trace_as_json(trace: RuleTrace) -> JsonObject:
    told = {
        name: getattr(trace, name) for name in ("event", "rule", "outcome", "condition", "failed", "values", "reasons")
    }
    return {name: value for name, value in told.items() if value not in (None, (), {})}


def _would_bury_a_message(change: TicketChange, workflow: Workflow, state: str) -> bool:
    """Return True if the transition would close the ticket while a message waits for its reaction.

    A message is committed first, and its reaction follows in a task. If the ticket closed in between, nothing would
    reopen it and nobody would read the message. The ticket's row is held, so no message can join during this check. The
    task that runs now is the reaction itself. A dead task does not count: the history shows it.
    """
    if workflow.states[state].category != "closed" or change.ticket.category == "closed":
        return False
    rows = database.run(
        "SELECT id, payload FROM tasks WHERE key = :key AND state IN ('ready', 'leased') AND kind = 'advance_ticket'",
        key=apply_acts.ticket_key(change.ticket.id),
    )
    return any(
        Task.converted(row)["payload"]["event"] == "requester_message" and change.causation_id != f"task:{row['id']}"
        for row in rows
    )
