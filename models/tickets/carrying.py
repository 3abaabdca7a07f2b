"""Carry out what the engine decided: every kind of act becomes rows, events and tasks of the ticket's change."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from models.conversations import messages
from models.events.commands import SYSTEM
from models.kernel import limits, settings
from models.kernel.ids import new_id
from models.sla import store as sla
from models.tasks import rates, timers
from models.teams import commands as teams
from models.tickets import approvals
from models.tickets.change import TicketChange
from models.workflow.definition import Workflow
from models.workflow.instance import Act, Step

_AUTHOR: messages.Author = ("system", None, SYSTEM.name)


def ticket_key(ticket_id: object) -> str:
    """Tasks of one ticket's life cycle run one after another."""
    return f"ticket:{ticket_id}"


def carry_out(change: TicketChange, workflow: Workflow, step: Step) -> None:
    """Write what the step says, in its order; clocks once, as they are in the end."""
    before = dict(change.clocks or {})
    for act in step.acts:
        _CARRIERS[act.kind](change, workflow, act)
    touched = {act.details["target"] for act in step.acts if act.kind == "clock_changed"}
    for target in sorted(touched):
        sla.put(change, target, step.instance.clocks[target], timer_key=ticket_key(change.ticket.id))
    if touched or before:
        change.clocks = dict(step.instance.clocks)


def _why(change: TicketChange, act: Act) -> dict[str, Any]:
    """What every change names: the version, the rule, its condition and the values that it saw."""
    told: dict[str, Any] = {
        "rule": act.rule,
        "workflow": change.ticket.workflow,
        "workflow_version": change.ticket.workflow_version,
    }
    if act.condition is not None:
        told |= {"condition": act.condition, "values": dict(act.values)}
    return told


def _moved(change: TicketChange, workflow: Workflow, act: Act) -> None:
    ticket, state = change.ticket, act.details["to"]
    ticket.state, ticket.category = state, workflow.states[state].category
    ticket.state_since = change.at
    ticket.solved_at = (ticket.solved_at or change.at) if ticket.category in ("done", "closed") else None
    ticket.closed_at = (ticket.closed_at or change.at) if ticket.category == "closed" else None
    why = {"condition": None} | _why(change, act)
    change.record("ticket_state_changed", dict(act.details) | why)
    if ticket.category in ("done", "closed") and not change.is_new:
        from models.tickets import links

        links.tell_parents(change)


def _updated(change: TicketChange, act: Act, name: str) -> None:
    changes = {name: {"from": act.details["before"], "to": act.details["after"]}}
    change.record("ticket_updated", {"changes": changes} | _why(change, act))


def _field_set(change: TicketChange, workflow: Workflow, act: Act) -> None:
    field, after = act.details["field"], act.details["after"]
    fields = dict(change.ticket.fields)
    if after is None:
        fields.pop(field, None)
    else:
        fields[field] = after
    change.ticket.fields = fields
    _updated(change, act, f"fields.{field}")


def _priority_set(change: TicketChange, workflow: Workflow, act: Act) -> None:
    change.ticket.priority = act.details["after"]
    _updated(change, act, "priority")


def _team_set(change: TicketChange, workflow: Workflow, act: Act) -> None:
    change.ticket.team = act.details["after"] or None
    _updated(change, act, "team")


def _tags_set(change: TicketChange, workflow: Workflow, act: Act) -> None:
    change.ticket.tags = list(act.details["after"])
    _updated(change, act, "tags")


def _assigned(change: TicketChange, workflow: Workflow, act: Act) -> None:
    before, after = act.details["before"] or None, act.details["after"] or None
    change.ticket.assignee_id = UUID(after) if after else None
    if after:
        teams.note_assigned(UUID(after), change.at)
    payload = {"from": before, "to": after, "how": act.details["how"]}
    change.record("ticket_assigned", payload | _why(change, act), actor=SYSTEM)


def _message_sent(change: TicketChange, workflow: Workflow, act: Act) -> None:
    reason = automatic_mail_withheld(change)
    if reason is not None:
        payload = {"template": act.details["template"], "reason": reason} | _why(change, act)
        change.record("automatic_message_withheld", payload, actor=SYSTEM)
        return
    told = {"template": act.details["template"]} | _why(change, act)
    # A channel with buttons shows the scores under the message that asks for one.
    details = {"rating_id": str(change.rating_id)} if act.kind == "rating_asked" and change.rating_id else {}
    messages.add_reply(change, act.details["text"], author=_AUTHOR, automatic=True, why=told, details=details)


def _note_added(change: TicketChange, workflow: Workflow, act: Act) -> None:
    messages.add_note(change, act.details["text"], author=_AUTHOR, why=_why(change, act))


def _notified(change: TicketChange, workflow: Workflow, act: Act) -> None:
    for user in act.details["users"]:
        change.batch.insert(
            "notices",
            {
                "id": new_id(),
                "user_id": UUID(user),
                "ticket_id": change.ticket.id,
                "rule": act.rule,
                "text": act.details["text"],
                "created_at": change.at,
            },
        )
    payload = {"users": act.details["users"], "team": act.details["team"]}
    change.record("agents_notified", payload | _why(change, act), actor=SYSTEM)


def _withheld(change: TicketChange, workflow: Workflow, act: Act) -> None:
    change.record("effect_withheld", dict(act.details) | _why(change, act), actor=SYSTEM)


def timer_name(change: TicketChange, timer: str) -> str:
    return f"ticket:{change.ticket.id}:{timer}"


def _timer_started(change: TicketChange, workflow: Workflow, act: Act) -> None:
    put_timer(change, act.details["timer"], due_at=act.details["due_at"], count=act.details["count"])


def put_timer(change: TicketChange, timer: str, *, due_at: datetime, count: int = 1) -> None:
    """Set a timer of the life cycle; its firing is an event of the ticket."""
    ticket_id = change.ticket.id
    timers.put(
        timer_name(change, timer),
        "advance_ticket",
        {"ticket_id": str(ticket_id), "event": "timer", "timer": timer, "count": count},
        due_at=due_at,
        key=ticket_key(ticket_id),
    )


def _timer_stopped(change: TicketChange, workflow: Workflow, act: Act) -> None:
    timers.stop(timer_name(change, act.details["timer"]), pending=ticket_key(change.ticket.id))


def _webhook_called(change: TicketChange, workflow: Workflow, act: Act) -> None:
    event_id = change.record("webhook_called", dict(act.details) | _why(change, act), actor=SYSTEM)
    payload = {"ticket_id": change.ticket.id, "event_id": event_id}
    change.enqueue("call_webhook", payload, key=f"webhook:{act.details['webhook']}:{change.ticket.id}")


def _charged(change: TicketChange, workflow: Workflow, act: Act) -> None:
    event_type = "fee_charged" if act.details["kind"] == "fee" else "reward_granted"
    change.record(event_type, dict(act.details) | _why(change, act), actor=SYSTEM)


def _ticket_made(change: TicketChange, workflow: Workflow, act: Act) -> None:
    event_id = change.record(
        "linked_ticket_wanted", {"wanted": dict(act.details)} | _why(change, act), actor=SYSTEM
    )
    payload = {"ticket_id": change.ticket.id, "event_id": event_id}
    change.enqueue("make_linked_ticket", payload, key=ticket_key(change.ticket.id))


def new_rating_url(change: TicketChange) -> str:
    """A link by which the requester rates the ticket; the token is kept as a hash only."""
    token = secrets.token_urlsafe(24)
    change.rating_id = new_id()
    change.batch.insert(
        "ratings",
        {
            "id": change.rating_id,
            "ticket_id": change.ticket.id,
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "asked_at": change.at,
        },
    )
    return f"{settings.current().public_url}/v1/ratings/{token}"


def _clock_changed(change: TicketChange, workflow: Workflow, act: Act) -> None:
    """Written once per target at the end of the step."""


def _sla_event(change: TicketChange, workflow: Workflow, act: Act) -> None:
    event_type = "sla_warning" if act.kind == "sla_warned" else "sla_breached"
    change.record(event_type, dict(act.details) | _why(change, act), actor=SYSTEM)


def _approval_asked(change: TicketChange, workflow: Workflow, act: Act) -> None:
    approval_id = approvals.ask(change, act)
    expires_at = act.details["expires_at"]
    if expires_at is not None:
        ticket_id, transition = change.ticket.id, act.details["transition"]
        timers.put(
            f"ticket:{ticket_id}:approval:{transition}",
            "advance_ticket",
            {"ticket_id": str(ticket_id), "event": "approval_expired", "transition": transition},
            due_at=expires_at,
            key=ticket_key(ticket_id),
        )
    change.record("approval_requested", {"approval_id": approval_id} | dict(act.details) | _why(change, act))


def _approval_voted(change: TicketChange, workflow: Workflow, act: Act) -> None:
    approvals.vote(change, act)
    change.record("approval_voted", dict(act.details) | _why(change, act))


def _approval_decided(change: TicketChange, workflow: Workflow, act: Act) -> None:
    approvals.decide(change, act)
    timers.stop(f"ticket:{change.ticket.id}:approval:{act.details['transition']}")
    change.record("approval_decided", dict(act.details) | _why(change, act))


def _refused(change: TicketChange, workflow: Workflow, act: Act) -> None:
    asked = act.details["event"] == "request"
    change.record(
        "transition_refused", dict(act.details) | _why(change, act), actor=None if asked else SYSTEM
    )


def _unmatched(change: TicketChange, workflow: Workflow, act: Act) -> None:
    change.record("event_unmatched", dict(act.details) | _why(change, act), actor=SYSTEM)


def _chain_stopped(change: TicketChange, workflow: Workflow, act: Act) -> None:
    change.record("automation_stopped", dict(act.details) | _why(change, act), actor=SYSTEM)


_CARRIERS: dict[str, Callable[[TicketChange, Workflow, Act], None]] = {
    "moved": _moved,
    "field_set": _field_set,
    "priority_set": _priority_set,
    "team_set": _team_set,
    "tags_set": _tags_set,
    "assigned": _assigned,
    "message_sent": _message_sent,
    "note_added": _note_added,
    "notified": _notified,
    "withheld": _withheld,
    "timer_started": _timer_started,
    "timer_stopped": _timer_stopped,
    "webhook_called": _webhook_called,
    "charged": _charged,
    "ticket_made": _ticket_made,
    "rating_asked": _message_sent,
    "clock_changed": _clock_changed,
    "sla_warned": _sla_event,
    "sla_breached": _sla_event,
    "approval_asked": _approval_asked,
    "approval_voted": _approval_voted,
    "approval_decided": _approval_decided,
    "refused": _refused,
    "unmatched": _unmatched,
    "chain_stopped": _chain_stopped,
}


def automatic_mail_withheld(change: TicketChange) -> str | None:
    """Why an automatic message must not go out now, or None. The caps hold even when every header lies (INGRESS 1.4)."""
    ticket = change.ticket
    account = messages.contact_account(change)
    if account is None:
        return "there is no way to reach the requester"
    if change.event == "ticket_created" and account.config.get("acknowledge") is False:
        return "the channel account acknowledges nothing (acknowledge: false)"
    address = messages.send_key(account.channel, account.name, str(ticket.contact_address))
    wait_s = rates.take(
        [
            rates.Bucket(
                f"automatic:{address}", limits.acknowledgement_every_s, limits.acknowledgements_burst
            ),
            rates.Bucket(
                f"automatic:day:{address}",
                limits.automatic_message_every_s,
                limits.automatic_messages_burst,
            ),
            rates.Bucket(
                f"automatic:ticket:{ticket.id}",
                86_400 / limits.automatic_messages_per_ticket_day,
                limits.automatic_messages_per_ticket_day,
            ),
        ]
    )
    if wait_s > 0:
        return f"too many automatic messages to this address; the next one may go in {wait_s:.0f} s"
    return None
