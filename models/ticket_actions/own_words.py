"""Tickets that begin with an agent's own words."""

from __future__ import annotations

from models.conversations import messages
from models.ticket_actions import reply_contact
from models.ticket_workflow import steps
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.instance import seen_message


def open_by_agent(change: TicketChange, description: str) -> Ticket:
    """Send the words of the agent who opens a ticket to its requester, and save the ticket.

    The life cycle takes them for an answer; nothing is acknowledged. Raises ReachesNobody.
    """
    reply_contact.require(change)
    message = seen_message("agent", "api", description)
    messages.add_reply(change, description, author=messages.actor_author(change.actor))
    change.ticket.first_response_at = change.at
    steps.react(change, "ticket_created", message=message)
    steps.react(change, "agent_reply", message=message)
    return change.save()
