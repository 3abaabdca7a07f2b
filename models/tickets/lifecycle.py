"""Carry out what the life cycle decides: state, timers, effects, and the record of why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from models.conversations import messages
from models.events.commands import SYSTEM
from models.kernel import database, limits, settings
from models.kernel.batch import from_json
from models.requesters import queries as requesters
from models.tasks import rates, timers
from models.tickets.change import TicketChange
from models.workflow import engine, published
from models.workflow.definition import Effect, Workflow, render

_NO_MESSAGE: dict[str, Any] = {
    "automatic": "",
    "author_kind": "",
    "channel": "",
    "attachments": 0,
    "length": 0,
}
AUTOMATION = "automation"


def view_of(change: TicketChange, *, role: str, message: dict[str, Any] | None = None) -> engine.View:
    """What the conditions of the ticket's life cycle see."""
    ticket = change.ticket
    return engine.View(
        ticket={
            "state": ticket.state,
            "category": ticket.category,
            "type": ticket.type,
            "priority": ticket.priority,
            "channel": ticket.channel,
            "contact_channel": ticket.contact_channel or "",
            "assigned": ticket.assignee_id is not None,
            "fields": ticket.fields,
            "message_count": ticket.message_count,
        },
        message=message or _NO_MESSAGE,
        actor={"kind": change.actor.kind, "role": role},
    )


def workflow_of(change: TicketChange) -> Workflow:
    return published.of_version(change.ticket.workflow, change.ticket.workflow_version).definition


def react(
    change: TicketChange,
    event: str,
    *,
    message: dict[str, Any] | None = None,
    timer: str | None = None,
    signal: str | None = None,
) -> None:
    """Let the life cycle react to something that happened."""
    workflow = workflow_of(change)
    view = view_of(change, role=AUTOMATION, message=message)
    decision = engine.react(workflow, view, event, timer=timer, signal=signal)
    if isinstance(decision, engine.Decision) and _would_bury_a_message(change, workflow, decision):
        decision = engine.Refusal(decision.rule, (_UNREAD,))
        if timer is not None:
            # Again at once: its next task stands behind the message's, and a reopening stops it.
            _put_timer(change, timer, due_at=change.at)
    if isinstance(decision, engine.Refusal):
        change.record(
            "transition_refused",
            {"rule": decision.rule, "event": event, "reasons": decision.reasons},
            actor=SYSTEM,
        )
    elif decision is not None:
        apply(change, workflow, decision, event=event)


def request(
    change: TicketChange,
    name: str,
    *,
    role: str,
    comment: str | None,
    updated: Mapping[str, Any] | None = None,
) -> engine.Refusal | None:
    """A person's transition: carried out, or refused with reasons; either way it is part of the story.

    `updated`: what the person changed of the ticket along with it (`ticket_updated`), told unless it is refused.
    """
    workflow = workflow_of(change)
    decision = engine.request(workflow, view_of(change, role=role), name, comment=comment)
    if isinstance(decision, engine.Decision) and _would_bury_a_message(change, workflow, decision):
        decision = engine.Refusal(decision.rule, (_UNREAD,))
    if isinstance(decision, engine.Refusal):
        change.record(
            "transition_refused", {"rule": decision.rule, "event": "request", "reasons": decision.reasons}
        )
        return decision
    if updated:
        change.record("ticket_updated", {"changes": updated})
    apply(change, workflow, decision, event="request", comment=comment)
    return None


_UNREAD = "the requester has just written, and the life cycle has not looked at the message yet; try again in a moment"


def _would_bury_a_message(change: TicketChange, workflow: Workflow, decision: engine.Decision) -> bool:
    """Whether the ticket would be closed over a message of its requester that the life cycle has not reacted to.

    The message has joined the ticket, and a task of the ticket will reopen it (DESIGN 4). Closed in between, nothing would reopen
    it and nobody would read the message. The ticket's row is held, so no message can join while we look; the task that runs
    now is the reaction itself. A task that was given up (`dead`) no longer counts: the history shows it.
    """
    if decision.target is None or workflow.states[decision.target].category != "closed":
        return False
    if change.ticket.category == "closed":
        return False
    rows = database.run(
        "SELECT id, payload FROM tasks WHERE key = :key AND state IN ('ready', 'leased') AND kind = 'advance_ticket'",
        key=ticket_key(change.ticket.id),
    )
    return any(
        from_json(row["payload"])["event"] == "requester_message"
        and change.causation_id != f"task:{row['id']}"
        for row in rows
    )


def apply(
    change: TicketChange,
    workflow: Workflow,
    decision: engine.Decision,
    *,
    event: str,
    comment: str | None = None,
) -> None:
    """Move the ticket and run the effects."""
    if decision.target is not None:
        enter(change, workflow, decision.target, decision=decision, event=event, comment=comment)
    for effect in decision.effects:
        _run(change, workflow, effect, rule=decision.rule)


def enter(
    change: TicketChange,
    workflow: Workflow,
    state: str,
    *,
    decision: engine.Decision | None,
    event: str,
    comment: str | None = None,
) -> None:
    """Put the ticket into a state: stop the timers of the old one, start those of the new one, keep the dates."""
    ticket, before = change.ticket, change.ticket.state
    ticket.state, ticket.category = state, workflow.states[state].category
    ticket.solved_at = (ticket.solved_at or change.at) if ticket.category in ("done", "closed") else None
    ticket.closed_at = (ticket.closed_at or change.at) if ticket.category == "closed" else None
    if decision is not None:
        change.record(
            "ticket_state_changed",
            {
                "from": before,
                "to": state,
                "transition": decision.transition,
                "rule": decision.rule,
                "event": event,
                "condition": decision.condition,
                "comment": comment,
                "workflow": ticket.workflow,
                "workflow_version": ticket.workflow_version,
            },
        )
    for name, timer in workflow.timers.items():
        timer_name = f"ticket:{ticket.id}:{name}"
        was, runs = before in timer.in_ and decision is not None, state in timer.in_
        if was and not runs:
            timers.stop(timer_name)
        elif runs and not was:
            _put_timer(change, name, due_at=change.at + timedelta(seconds=timer.after_s))


def _put_timer(change: TicketChange, name: str, *, due_at: datetime) -> None:
    ticket_id = change.ticket.id
    timers.put(
        f"ticket:{ticket_id}:{name}",
        "advance_ticket",
        {"ticket_id": str(ticket_id), "event": "timer", "timer": name},
        due_at=due_at,
        key=ticket_key(ticket_id),
    )


def ticket_key(ticket_id: object) -> str:
    """Tasks of one ticket's life cycle run one after another."""
    return f"ticket:{ticket_id}"


def _run(change: TicketChange, workflow: Workflow, effect: Effect, *, rule: str) -> None:
    name = effect.send or effect.note
    assert name is not None
    template = workflow.templates[name]
    ticket = change.ticket
    name_of_requester, locale = _requester(change)
    values = {
        "ticket.number": str(ticket.number),
        "ticket.title": ticket.title,
        "requester.name": name_of_requester,
        "desk.url": settings.current().public_url,
    }
    body = render(template, locale, values)
    author: messages.Author = ("system", None, SYSTEM.name)
    if effect.note is not None:
        messages.add_note(change, body, author=author)
        return
    reason = _automatic_mail_withheld(change)
    if reason is not None:
        change.record(
            "automatic_message_withheld", {"template": name, "rule": rule, "reason": reason}, actor=SYSTEM
        )
        return
    messages.add_reply(change, body, author=author, automatic=True)


def _requester(change: TicketChange) -> tuple[str, str | None]:
    """Name and locale of who asks; not read again when the change found or made them."""
    if change.requester is not None:
        return change.requester.name, change.requester.locale
    requester_id = change.ticket.requester_id
    return requesters.name_and_locale(requester_id) if requester_id is not None else ("", None)


def _automatic_mail_withheld(change: TicketChange) -> str | None:
    """Why an automatic message must not go out now, or None. The caps hold even when every header lies (INGRESS 1.4)."""
    ticket = change.ticket
    account = messages.contact_account(change)
    if account is None:
        return "there is no way to reach the requester"
    address = messages.send_key(account.channel, account.name, str(ticket.contact_address))
    wait_s = rates.take(
        [
            rates.Bucket(
                f"automatic:{address}", limits.acknowledgement_every_s, limits.acknowledgements_burst
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
