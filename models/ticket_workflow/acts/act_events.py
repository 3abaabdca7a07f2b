"""The events of the engine's acts: payload and cause."""

from __future__ import annotations

from uuid import UUID

from models.events import ticket_payloads, workflow_payloads
from models.events.commands import Actor
from models.events.payload import UNSET, Cause, EventPayload
from models.tickets.ticket_change import TicketChange
from models.workflow.acts import (
    Act,
    ApprovalAsked,
    ApprovalVoted,
    Charged,
    FieldSet,
    Moved,
    PrioritySet,
    SlaBreached,
    SlaWarned,
    TagsSet,
    TeamSet,
    TicketMade,
    TypeSet,
)


def cause(change: TicketChange, act: Act) -> Cause:
    """Return the rule that caused the act, with the version of the life cycle."""
    ticket, condition = change.ticket, act.condition
    return Cause(
        rule=act.rule,
        workflow=ticket.workflow,
        workflow_version=ticket.workflow_version,
        condition=UNSET if condition is None else condition,
        values=UNSET if condition is None else act.values,
    )


def record(change: TicketChange, event: EventPayload, act: Act, *, actor: Actor | None = None) -> UUID:
    """Append the event of an act, with its cause; returns the event's id."""
    return change.record(event, cause=cause(change, act), actor=actor)


def moved(act: Moved) -> ticket_payloads.TicketStateChanged:
    """Return the event of a move to another state."""
    return ticket_payloads.TicketStateChanged(
        from_=act.from_,
        to=act.to,
        transition=act.transition,
        event=act.event,
        comment=act.comment,
        condition=act.condition,
    )


def updated(act: FieldSet | PrioritySet | TypeSet | TeamSet | TagsSet, name: str) -> ticket_payloads.TicketUpdated:
    """Return the event of a change of one value."""
    return ticket_payloads.TicketUpdated(changes={name: {"from": act.before, "to": act.after}})


def charged(act: Charged) -> workflow_payloads.FeeCharged | workflow_payloads.RewardGranted:
    """Return the event of a fee or a reward."""
    kind = workflow_payloads.FeeCharged if act.charge_kind == "fee" else workflow_payloads.RewardGranted
    return kind(kind=act.charge_kind, amount_minor=act.amount_minor, currency=act.currency, user=act.user)


def linked_ticket_wanted(act: TicketMade) -> workflow_payloads.LinkedTicketWanted:
    """Return the event that describes the ticket to be made."""
    wanted = workflow_payloads.LinkedTicket(
        title=act.title,
        description=act.description,
        type=act.type,
        workflow=act.workflow,
        priority=act.priority,
        team=act.team,
        fields=act.fields,
        link=act.link,
    )
    return workflow_payloads.LinkedTicketWanted(wanted=wanted)


def sla(act: SlaWarned | SlaBreached) -> workflow_payloads.SlaWarning | workflow_payloads.SlaBreached:
    """Return the event of a promise that is near its due instant or past it."""
    kind = workflow_payloads.SlaWarning if isinstance(act, SlaWarned) else workflow_payloads.SlaBreached
    return kind(target=act.target, due_at=act.due_at)


def approval_requested(act: ApprovalAsked, approval_id: UUID) -> workflow_payloads.ApprovalRequested:
    """Return the event of a transition that waits for votes."""
    return workflow_payloads.ApprovalRequested(
        approval_id=approval_id,
        transition=act.transition,
        team=act.team,
        needed=act.needed,
        expires_at=act.expires_at,
        comment=act.comment,
    )


def approval_voted(act: ApprovalVoted) -> workflow_payloads.ApprovalVoted:
    """Return the event of a vote."""
    return workflow_payloads.ApprovalVoted(transition=act.transition, user=act.user, vote=act.vote, comment=act.comment)
