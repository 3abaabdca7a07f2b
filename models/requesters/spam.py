"""Addresses whose messages are quarantined, because a person marked a ticket of theirs as spam.

Commands join the caller's transaction.
"""

from __future__ import annotations

from uuid import UUID

from models.requesters.tables import Identity


def mark(requester_id: UUID, channel: str, ticket_id: UUID) -> None:
    """Quarantine later messages of a requester's addresses on a channel. An address that is marked keeps its ticket."""
    Identity.update(spam_ticket_id=ticket_id).where(
        Identity.requester_id == requester_id, Identity.channel == channel, Identity.spam_ticket_id.is_null()
    ).execute()


def unmark(ticket_id: UUID) -> None:
    """Accept messages again of the addresses that were marked with a ticket."""
    Identity.update(spam_ticket_id=None).where(Identity.spam_ticket_id == ticket_id).execute()
