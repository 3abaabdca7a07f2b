"""Acts of requesters at the portal: a new request, a message, a transition, a rating.

They are the requester's own, as those from other channels are: the life cycle reacts to the same events, and an answer
goes to the contact of the ticket. A new ticket's contact is the mail address that the visitor proved. Commands join the
caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from models.attachments import commands as attachments
from models.conversations import messages
from models.events.ticket_payloads import MessageReceived
from models.kernel.errors import Conflict, NotFound, TooManyRequests
from models.kernel.ids import new_id
from models.portal import limits, requests
from models.portal.requests import ROLE
from models.portal.sign_in import Visitor
from models.ports import channel_facts
from models.publishing import workflows
from models.requesters import commands as requesters
from models.requesters.tables import Requester
from models.tasks import rates
from models.tasks.payloads import AdvanceTicket
from models.ticket_actions import commands, field_lookups
from models.ticket_actions.answering import TicketClosed
from models.ticket_actions.sorting import snoozing
from models.ticket_workflow import ratings, steps
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.tickets import ticket_fields
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.instance import seen_message

CHANNEL = "portal"


class TransitionRefused(Conflict):
    """The request cannot take this step now; reload the page to see what is possible."""

    code = "transition_refused"


def open_request(
    visitor: Visitor,
    type_: str,
    *,
    title: str,
    description: str,
    fields: Mapping[str, Any],
    uploads: Sequence[UUID] = (),
    name: str = "",
    locale: str | None = None,
) -> Ticket:
    """Open a ticket of a type that requesters may open. A new address becomes a requester of this name and language.

    Raises NotFound for another type, Invalid for wrong and missing fields, TooManyRequests.
    """
    entity = requests.type_of(type_)
    _take(visitor, "new_request", limits.new_request_every_s, limits.new_requests_burst)
    requester = _requester_of(visitor, name, locale)
    visitor = Visitor(visitor.session_id, visitor.address, visitor.expires_at, requester)
    actor = requests.actor_of(visitor)
    priority = _priority(entity.workflow)
    change = commands.start_new(
        title=title,
        type_=type_,
        priority=priority,
        workflow=None,
        fields=ticket_fields.new_fields(type_, fields, role=ROLE, priority=priority, lookups=field_lookups.of(actor)),
        requester=requester,
        channel=CHANNEL,
        account=None,
        actor=actor,
    )
    change.ticket.contact_channel, change.ticket.contact_address = channel_facts.with_emails(), visitor.address
    message_id = _add_message(change, requester, description)
    steps.react(
        change,
        "ticket_created",
        message=seen_message("requester", CHANNEL, description, attachments=len(uploads)),
    )
    ticket = change.save()
    if uploads:
        attachments.use(uploads, ticket_id=ticket.id, message_id=message_id, by=visitor.key)
    return ticket


def _requester_of(visitor: Visitor, name: str, locale: str | None) -> Requester:
    if visitor.requester is not None:
        return visitor.requester
    return requesters.find_or_create(channel_facts.with_emails(), visitor.address, name=name, locale=locale)


def _priority(workflow: str) -> str:
    """Return the priority of a new request: normal, or the life cycle's first one without it."""
    known = workflows.newest(workflow).definition.priorities
    return "normal" if "normal" in known or not known else next(iter(known))


def answer(visitor: Visitor, ticket_id: UUID, body: str, *, uploads: Sequence[UUID] = ()) -> UUID:
    """Add the requester's message to their ticket; the life cycle reacts in a task, as to a message of a channel.

    Raises NotFound, TicketClosed, TooManyRequests.
    """
    _take(visitor, "message", limits.message_every_s, limits.messages_burst)
    change = _held(visitor, ticket_id)
    ticket, requester = change.ticket, visitor.requester
    assert requester is not None, "a visitor with a ticket is a requester"
    if ticket.category == "closed":
        raise TicketClosed()
    if ticket.contact_address is None:
        ticket.contact_channel, ticket.contact_address = channel_facts.with_emails(), visitor.address
    message_id = _add_message(change, requester, body)
    snoozing.end(change, by="message")
    change.enqueue(
        AdvanceTicket(ticket_id=ticket.id, event="requester_message", message_id=message_id),
        key=ticket_key(ticket.id),
    )
    change.save()
    if uploads:
        attachments.use(uploads, ticket_id=ticket.id, message_id=message_id, by=visitor.key)
    return message_id


def transition(visitor: Visitor, ticket_id: UUID, name: str, *, comment: str | None) -> Ticket:
    """Take a transition that the life cycle leaves to the requester. Raises NotFound, TransitionRefused."""
    _take(visitor, "message", limits.message_every_s, limits.messages_burst)
    held = _held(visitor, ticket_id)
    if name not in {one.name for one in requests.choices(visitor, held.ticket)}:
        raise TransitionRefused()
    ticket, reasons = commands.transition(
        held.ticket.id,
        name,
        fields=None,
        comment=comment,
        role=ROLE,
        actor=requests.actor_of(visitor),
        confirmed=True,
    )
    if reasons:
        raise TransitionRefused()
    return ticket


def rate(visitor: Visitor, ticket_id: UUID, score: int, comment: str | None) -> None:
    """Rate the handling of the visitor's ticket, if its life cycle asked for it. Raises NotFound, RatingIsFinal."""
    _take(visitor, "message", limits.message_every_s, limits.messages_burst)
    held = _held(visitor, ticket_id)
    ratings.rate_of_ticket(held.ticket.id, score, comment)


def take_upload(visitor: Visitor) -> None:
    """Count an upload of the visitor. Raises TooManyRequests."""
    _take(visitor, "upload", limits.upload_every_s, limits.uploads_burst)


def _held(visitor: Visitor, ticket_id: UUID) -> TicketChange:
    """Hold the ticket, and check under its lock that it is the visitor's: it may have been merged or given away."""
    if visitor.requester is None:
        raise NotFound("there is no such request")
    change = TicketChange.of(ticket_id, actor=requests.actor_of(visitor))
    if not requests.is_own(visitor, change.ticket):
        raise NotFound("there is no such request")
    return change


def _add_message(change: TicketChange, requester: Requester, body: str) -> UUID:
    message_id = new_id()
    messages.insert(
        change,
        message_id=message_id,
        direction="inbound",
        kind="reply",
        author=("requester", requester.id, requester.name),
        body=body,
        channel=CHANNEL,
        account=None,
    )
    received = MessageReceived(message_id=message_id, channel=CHANNEL, account=None, automatic=None, by_machine=False)
    change.record(received)
    return message_id


def _take(visitor: Visitor, what: str, every_s: float, burst: int) -> None:
    """Take a slot of the visitor's address. Raises TooManyRequests."""
    wait_s = rates.take([rates.Bucket(f"portal:{what}:{visitor.address_name}", every_s=every_s, burst=burst)])
    if wait_s > 0:
        raise TooManyRequests(retry_after_s=wait_s)
