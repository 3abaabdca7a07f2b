"""Inbound messages that open a ticket or join one. Commands join the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import received
from models.events.commands import Actor
from models.events.ticket_payloads import TicketRelated
from models.kernel import limits
from models.kernel.text import has_visible
from models.ports.inbound import InboundMessage
from models.requesters.tables import Requester
from models.tasks.payloads import AdvanceTicket
from models.ticket_actions import commands
from models.ticket_actions.sorting import binning, snoozing
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.tickets import ticket_fields
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange


def open_from_channel(
    parsed: InboundMessage,
    *,
    account: ChannelAccount,
    requester: Requester,
    inbox_id: UUID,
    related_id: UUID | None,
    related_reason: str,
) -> tuple[Ticket, UUID]:
    """Open a ticket with an inbound message; its workflow advances in a separate task."""
    change = commands.start_new(
        title=_title(parsed),
        type_=str(account.config.get("ticket_type", "question")),
        priority="normal",
        workflow=account.config.get("workflow"),
        # A person who writes a mail fills in no form: what is required is asked for later. A service may tell some.
        fields=ticket_fields.fields_of_event(
            str(account.config.get("ticket_type", "question")), parsed.details.get("fields")
        ),
        requester=requester,
        channel=account.channel,
        account=account.name,
        actor=Actor("requester", str(requester.id), requester.name),
        causation_id=f"inbox:{inbox_id}",
        team=account.config.get("team"),
    )
    change.ticket.author_grade = parsed.grade
    message_id = received.add_inbound(change, parsed, account=account, requester_id=requester.id, inbox_id=inbox_id)
    if related_id is not None:
        change.record(TicketRelated(ticket_id=related_id, reason=related_reason))
        link = {"from_id": change.ticket.id, "to_id": related_id, "kind": "related", "created_at": change.at}
        change.batch.insert("ticket_links", link, unless_exists=True)
    _advance(change, "ticket_created", message_id)
    return change.save(), message_id


def join_from_channel(
    ticket_id: UUID, parsed: InboundMessage, *, account: ChannelAccount, requester: Requester, inbox_id: UUID
) -> tuple[Ticket, UUID]:
    """A channel's message joins its ticket."""
    actor = Actor("requester", str(requester.id), requester.name)
    change = TicketChange.of(ticket_id, actor=actor, causation_id=f"inbox:{inbox_id}")
    if parsed.edit and parsed.external_id is not None:
        edited = received.edit(change, account, parsed)
        if edited is not None:
            return change.save(), edited
    if parsed.group_key is not None:
        joined = received.join_group(change, account, parsed)
        if joined is not None:
            return change.save(), joined
    message_id = received.add_inbound(change, parsed, account=account, requester_id=requester.id, inbox_id=inbox_id)
    if not parsed.is_by_machine:
        binning.put_back(change, by="message")
        snoozing.end(change, by="message")
    _advance(change, "requester_message", message_id)
    return change.save(), message_id


def _title(parsed: InboundMessage) -> str:
    """Return a mail's subject, or the beginning of the first line that shows something."""
    for text in (parsed.subject, parsed.body):
        line = next((line.strip() for line in (text or "").splitlines() if has_visible(line)), "")
        line = "".join(c for c in line if c.isprintable())
        if has_visible(line):
            bound = limits.ticket_title_chars_max
            return line if len(line) <= bound else line[: bound - 1] + "…"
    return "(no subject)"


def _advance(change: TicketChange, event: str, message_id: UUID) -> None:
    """Enqueue the reaction of the workflow to an inbound message (the `advance_ticket` actor)."""
    change.enqueue(
        AdvanceTicket(ticket_id=change.ticket.id, event=event, message_id=message_id),
        key=ticket_key(change.ticket.id),
    )
