"""Apply the engine's acts: each becomes rows, events and tasks of the ticket's change."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never
from uuid import UUID

from models.conversations import messages
from models.events import ticket_payloads, workflow_payloads
from models.events.commands import SYSTEM
from models.events.payload import UNSET
from models.notice_settings.rules import Kind
from models.notices import commands as notices
from models.tasks import timers
from models.tasks.payloads import AdvanceTicket, CallWebhook, MakeLinkedTicket
from models.teams import commands as teams
from models.ticket_workflow import approvals, links
from models.ticket_workflow import sla_clocks as sla
from models.ticket_workflow.acts import act_events, automatic_messages
from models.ticket_workflow.acts.act_events import record
from models.tickets.ticket_change import TicketChange
from models.workflow.acts import (
    AnyAct,
    ApprovalAsked,
    ApprovalDecided,
    ApprovalVoted,
    Assigned,
    ChainStopped,
    Charged,
    ClockChanged,
    FieldSet,
    MessageSent,
    Moved,
    NoteAdded,
    Notified,
    PrioritySet,
    RatingAsked,
    Refused,
    SlaBreached,
    SlaWarned,
    TagsSet,
    TeamSet,
    TicketMade,
    TimerStarted,
    TimerStopped,
    TypeSet,
    Unmatched,
    WebhookCalled,
    Withheld,
)
from models.workflow.definition import Workflow
from models.workflow.instance import Step

_AUTHOR: messages.Author = ("system", None, SYSTEM.name)


def ticket_key(ticket_id: object) -> str:
    """Tasks of one ticket's life cycle run one after another."""
    return f"ticket:{ticket_id}"


def apply(change: TicketChange, workflow: Workflow, step: Step) -> None:
    """Write the consequences of a step in their order. Each clock is written once, as it is at the end."""
    before = dict(change.clocks or {})
    for act in step.acts:
        _write(change, workflow, act)
    touched = {act.target for act in step.acts if isinstance(act, ClockChanged)}
    for target in sorted(touched):
        sla.put(change, target, step.instance.clocks[target], timer_key=ticket_key(change.ticket.id))
    if touched or before:
        change.clocks = dict(step.instance.clocks)
        change.ticket.next_due_at = sla.next_due_at(change.clocks)


def _write(change: TicketChange, workflow: Workflow, act: AnyAct) -> None:
    """Write one act. Each function matches one group of kinds; a type checker finds a kind that none matches."""
    match act:
        case Moved():
            _moved(change, workflow, act)
        case FieldSet():
            _field_set(change, act)
        case PrioritySet():
            _priority_set(change, act)
        case TypeSet():
            _type_set(change, act)
        case TeamSet():
            _team_set(change, act)
        case TagsSet():
            _tags_set(change, act)
        case Assigned():
            _assigned(change, act)
        case ClockChanged():
            pass  # written once per target at the end of the step
        case MessageSent() | RatingAsked() | NoteAdded() | Notified() | Withheld() | TicketMade():
            _write_message(change, act)
        case TimerStarted() | TimerStopped() | WebhookCalled() | Charged() | SlaWarned() | SlaBreached():
            _write_automation(change, act)
        case _:
            _write_decision(change, act)


def _write_message(
    change: TicketChange, act: MessageSent | RatingAsked | NoteAdded | Notified | Withheld | TicketMade
) -> None:
    match act:
        case MessageSent() | RatingAsked():
            _message_sent(change, act)
        case NoteAdded():
            _note_added(change, act)
        case Notified():
            _notified(change, act)
        case Withheld():
            _withheld(change, act)
        case TicketMade():
            _ticket_made(change, act)
        case _:
            assert_never(act)


def _write_automation(
    change: TicketChange, act: TimerStarted | TimerStopped | WebhookCalled | Charged | SlaWarned | SlaBreached
) -> None:
    match act:
        case TimerStarted():
            _timer_started(change, act)
        case TimerStopped():
            _timer_stopped(change, act)
        case WebhookCalled():
            _webhook_called(change, act)
        case Charged():
            _charged(change, act)
        case SlaWarned() | SlaBreached():
            _sla_event(change, act)
        case _:
            assert_never(act)


def _write_decision(
    change: TicketChange,
    act: ApprovalAsked | ApprovalVoted | ApprovalDecided | Refused | Unmatched | ChainStopped,
) -> None:
    match act:
        case ApprovalAsked():
            _approval_asked(change, act)
        case ApprovalVoted():
            _approval_voted(change, act)
        case ApprovalDecided():
            _approval_decided(change, act)
        case Refused():
            _refused(change, act)
        case Unmatched():
            _unmatched(change, act)
        case ChainStopped():
            _chain_stopped(change, act)
        case _:
            assert_never(act)


def _moved(change: TicketChange, workflow: Workflow, act: Moved) -> None:
    ticket, state = change.ticket, act.to
    ticket.state, ticket.category = state, workflow.states[state].category
    ticket.state_since = change.at
    ticket.solved_at = (ticket.solved_at or change.at) if ticket.category in ("done", "closed") else None
    ticket.closed_at = (ticket.closed_at or change.at) if ticket.category == "closed" else None
    record(change, act_events.moved(act), act)
    if ticket.category in ("done", "closed") and not change.is_new:
        links.report_done(change)


def _updated(change: TicketChange, act: FieldSet | PrioritySet | TypeSet | TeamSet | TagsSet, name: str) -> None:
    record(change, act_events.updated(act, name), act)


def _field_set(change: TicketChange, act: FieldSet) -> None:
    field, after = act.field, act.after
    fields = dict(change.ticket.fields)
    if after is None:
        fields.pop(field, None)
    else:
        fields[field] = after
    change.ticket.fields = fields
    _updated(change, act, f"fields.{field}")


def _priority_set(change: TicketChange, act: PrioritySet) -> None:
    change.ticket.priority = act.after
    _updated(change, act, "priority")


def _type_set(change: TicketChange, act: TypeSet) -> None:
    ticket = change.ticket
    ticket.former_types = [*(one for one in ticket.former_types if one != act.before), act.before]
    ticket.type, ticket.fields = act.after, dict(act.fields)
    _updated(change, act, "type")


def _team_set(change: TicketChange, act: TeamSet) -> None:
    change.ticket.team = act.after or None
    _updated(change, act, "team")


def _tags_set(change: TicketChange, act: TagsSet) -> None:
    change.ticket.tags = list(act.after)
    _updated(change, act, "tags")


def _assigned(change: TicketChange, act: Assigned) -> None:
    before, after = (UUID(user) if user else None for user in (act.before, act.after))
    change.ticket.assignee_id = after
    if after is not None:
        teams.note_assigned(after, change.at)
    choice = UNSET if act.choice is None else act.choice
    record(
        change, ticket_payloads.TicketAssigned(from_=before, to=after, how=act.how, choice=choice), act, actor=SYSTEM
    )


def _message_sent(change: TicketChange, act: MessageSent | RatingAsked) -> None:
    reason = automatic_messages.withheld_reason(change)
    if reason is not None:
        withheld = workflow_payloads.AutomaticMessageWithheld(template=act.template, reason=reason)
        record(change, withheld, act, actor=SYSTEM)
        return
    # A channel with buttons shows the scores under the message that asks for one.
    details = {"rating_id": str(change.rating_id)} if isinstance(act, RatingAsked) and change.rating_id else {}
    messages.add_reply(
        change,
        act.text,
        author=_AUTHOR,
        automatic=True,
        template=act.template,
        cause=act_events.cause(change, act),
        details=details,
    )


def _note_added(change: TicketChange, act: NoteAdded) -> None:
    messages.add_note(change, act.text, author=_AUTHOR, cause=act_events.cause(change, act))


# A notice that a life cycle writes because of these events takes the place of the desk's own.
_NOTICE_KINDS = {"delivery_failed": Kind.send_failed, "sla": Kind.breached}


def _notified(change: TicketChange, act: Notified) -> None:
    about = change.about_id
    kind = Kind.life_cycle if about is None else _NOTICE_KINDS.get(change.event, Kind.life_cycle)
    for user in act.users:
        notices.add(change, UUID(user), rule=act.rule, text=act.text, kind=kind, event_id=about)
    record(change, workflow_payloads.AgentsNotified(users=act.users, team=act.team), act, actor=SYSTEM)


def _withheld(change: TicketChange, act: Withheld) -> None:
    record(change, workflow_payloads.EffectWithheld(effect=act.effect, reason=act.reason), act, actor=SYSTEM)


def timer_name(change: TicketChange, timer: str) -> str:
    return f"ticket:{change.ticket.id}:{timer}"


def _timer_started(change: TicketChange, act: TimerStarted) -> None:
    put_timer(change, act.timer, due_at=act.due_at, count=act.count)


def put_timer(change: TicketChange, timer: str, *, due_at: datetime, count: int = 1) -> None:
    """Set a timer of the life cycle; its firing is an event of the ticket."""
    ticket_id = change.ticket.id
    timers.put(
        timer_name(change, timer),
        AdvanceTicket(ticket_id=ticket_id, event="timer", timer=timer, count=count),
        due_at=due_at,
        key=ticket_key(ticket_id),
    )


def _timer_stopped(change: TicketChange, act: TimerStopped) -> None:
    timers.stop(timer_name(change, act.timer), pending=ticket_key(change.ticket.id))


def _webhook_called(change: TicketChange, act: WebhookCalled) -> None:
    called = workflow_payloads.WebhookCalled(webhook=act.webhook, event=act.event)
    event_id = record(change, called, act, actor=SYSTEM)
    payload = CallWebhook(ticket_id=change.ticket.id, event_id=event_id)
    change.enqueue(payload, key=f"webhook:{act.webhook}:{change.ticket.id}")


def _charged(change: TicketChange, act: Charged) -> None:
    record(change, act_events.charged(act), act, actor=SYSTEM)


def _ticket_made(change: TicketChange, act: TicketMade) -> None:
    event_id = record(change, act_events.linked_ticket_wanted(act), act, actor=SYSTEM)
    payload = MakeLinkedTicket(ticket_id=change.ticket.id, event_id=event_id)
    change.enqueue(payload, key=ticket_key(change.ticket.id))


def _sla_event(change: TicketChange, act: SlaWarned | SlaBreached) -> None:
    event_id = record(change, act_events.sla(act), act, actor=SYSTEM)
    if isinstance(act, SlaBreached):
        change.about_id = event_id


def _approval_asked(change: TicketChange, act: ApprovalAsked) -> None:
    approval_id = approvals.ask(change, act)
    expires_at = act.expires_at
    if expires_at is not None:
        ticket_id, transition = change.ticket.id, act.transition
        timers.put(
            f"ticket:{ticket_id}:approval:{transition}",
            AdvanceTicket(ticket_id=ticket_id, event="approval_expired", transition=transition),
            due_at=expires_at,
            key=ticket_key(ticket_id),
        )
    record(change, act_events.approval_requested(act, approval_id), act)


def _approval_voted(change: TicketChange, act: ApprovalVoted) -> None:
    approvals.vote(change, act)
    record(change, act_events.approval_voted(act), act)


def _approval_decided(change: TicketChange, act: ApprovalDecided) -> None:
    approvals.decide(change, act)
    timers.stop(f"ticket:{change.ticket.id}:approval:{act.transition}")
    field = UNSET if act.field is None else act.field
    decided = workflow_payloads.ApprovalDecided(transition=act.transition, outcome=act.outcome, field=field)
    record(change, decided, act)


def _refused(change: TicketChange, act: Refused) -> None:
    asked = act.event == "request"
    refused = workflow_payloads.TransitionRefused(event=act.event, transition=act.transition, reasons=act.reasons)
    record(change, refused, act, actor=None if asked else SYSTEM)


def _unmatched(change: TicketChange, act: Unmatched) -> None:
    record(change, workflow_payloads.EventUnmatched(event=act.event, name=act.name), act, actor=SYSTEM)


def _chain_stopped(change: TicketChange, act: ChainStopped) -> None:
    record(change, workflow_payloads.AutomationStopped(event=act.event, reason=act.reason), act, actor=SYSTEM)
