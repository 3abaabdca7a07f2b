"""Payloads of the events of tickets that people merge, split, link, or give to another requester."""

from __future__ import annotations

from uuid import UUID

from msgspec import field

from models.events.payload import EventPayload, Items, Unpublished


class TicketMerged(EventPayload, frozen=True, kw_only=True):
    """A ticket was merged into another ticket, which has its messages now."""

    ticket_id: UUID
    number: int
    message_ids: Unpublished[Items]


class TicketMergeReceived(EventPayload, frozen=True, kw_only=True):
    """Another ticket was merged into this one, with its messages."""

    ticket_id: UUID
    number: int
    message_ids: Unpublished[Items]
    # The names of the promises that came with it.
    promises: Unpublished[Items]


class TicketMergeUndone(EventPayload, frozen=True, kw_only=True):
    """The merge with another ticket was undone; each of the two has its own messages again."""

    ticket_id: UUID
    number: int
    message_ids: Unpublished[Items]
    # The one of the two tickets that has the messages now.
    messages_in: Unpublished[UUID]


class TicketSplit(EventPayload, frozen=True, kw_only=True):
    """Messages of a ticket moved to a new ticket."""

    ticket_id: UUID
    number: int
    message_ids: Unpublished[Items]


class TicketSplitFrom(EventPayload, frozen=True, kw_only=True):
    """A ticket was opened with messages of another ticket."""

    ticket_id: UUID
    number: int
    message_ids: Unpublished[Items]


class TicketSplitUndone(EventPayload, frozen=True, kw_only=True):
    """A split was undone; the ticket that keeps its messages has all of them again."""

    ticket_id: UUID
    number: int
    message_ids: Unpublished[Items]
    # The one of the two tickets that has the messages now.
    messages_in: Unpublished[UUID]


class TicketLinked(EventPayload, frozen=True, kw_only=True):
    """A ticket was linked with another ticket. `kind` is the relation as seen from this ticket."""

    ticket_id: UUID
    number: int
    kind: str


class TicketUnlinked(EventPayload, frozen=True, kw_only=True):
    """A link with another ticket was removed."""

    ticket_id: UUID
    number: int
    kind: str


class RequesterChanged(EventPayload, frozen=True, kw_only=True):
    """A ticket was given to another requester."""

    from_: UUID | None = field(name="from")
    to: UUID | None


class ContactChanged(EventPayload, frozen=True, kw_only=True):
    """Answers to a ticket go to another address."""

    channel: str | None
    account: Unpublished[str | None]


class TicketEscalated(EventPayload, frozen=True, kw_only=True):
    """A person escalated the ticket to the chat group of a team."""

    team: str
    reason: Unpublished[str]
