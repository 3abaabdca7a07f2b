"""The open tickets of a person who leaves or gets other work: they are freed, or handed over to a colleague.

A person can have thousands, and each has a life cycle that reacts. So a task moves them in batches, and each ticket has
its own event.
"""

from __future__ import annotations

from models.events.commands import Actor
from models.identity import queries as identity
from models.tasks.payloads import ReassignTickets
from models.teams import availability
from models.ticket_actions import commands as tickets
from models.tickets import queries

# -- limits ----------------------------------------------------------------------------------------------------
reassigned_at_once = 20  # in one transaction: each holds a row and lets its life cycle react, some 10 ms each


def reassign(payload: ReassignTickets) -> None:
    """Reassign one batch of a user's open tickets. Joins the caller's transaction.

    A repetition finds fewer tickets. A receiver who cannot take tickets any more, or is away since, gets none; they are
    freed.
    """
    to = payload.to_id
    if to is not None and (not identity.can_take_tickets(to) or availability.of_user(to).away_until is not None):
        to = None
    actor = Actor(payload.actor_kind, payload.actor_id, payload.actor_name)
    for ticket_id in queries.open_ids_of(payload.from_id, limit=reassigned_at_once):
        tickets.assign(ticket_id, to, actor=actor, how="freed" if to is None else "handed_over")


def is_left(payload: ReassignTickets) -> bool:
    """Return True if the user has more open tickets than one batch."""
    return queries.count_open_of(payload.from_id) > reassigned_at_once
