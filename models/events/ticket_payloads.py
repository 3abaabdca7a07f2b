"""Payloads of the events of tickets, their messages and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from msgspec import field

from models.events.payload import UNSET, Changes, EventPayload, Items, Json, Unpublished, Unset


class WorkflowPlace(TypedDict):
    """A ticket's place in a version of a life cycle."""

    workflow: str
    version: int
    state: str


class TicketCreated(EventPayload, frozen=True, kw_only=True):
    """A ticket was opened."""

    title: str
    type: str
    priority: str
    fields: Json
    team: Unpublished[str | None]
    tags: Unpublished[Items]
    state: Unpublished[str]
    channel: Unpublished[str]
    account: Unpublished[str | None]
    requester_id: Unpublished[UUID | None]
    workflow: Unpublished[str]
    workflow_version: Unpublished[int]


class TicketUpdated(EventPayload, frozen=True, kw_only=True):
    """Fields, priority, team or tags of a ticket changed."""

    changes: Changes


class TicketStateChanged(EventPayload, frozen=True, kw_only=True):
    """A ticket moved to another state."""

    from_: Unpublished[str] = field(name="from")
    to: Unpublished[str]
    transition: Unpublished[str]
    event: Unpublished[str]
    comment: Unpublished[str | None]
    # Also in the cause, which leaves it out where a rule has none.
    condition: Unpublished[str | None]


class TicketAssigned(EventPayload, frozen=True, kw_only=True):
    """A ticket was given to an agent, or to nobody."""

    from_: UUID | None = field(name="from")
    to: UUID | None
    # The way in which a rule chose; a person's choice has none.
    how: str | Unset = UNSET
    # The strategy, its team, the ids of the candidates, and the reason of each user who was left out.
    choice: Json | Unset = UNSET


class TicketSnoozed(EventPayload, frozen=True, kw_only=True):
    """A ticket leaves the default lists until an instant, or until the requester writes (`until` is null)."""

    until: Unpublished[datetime | None]
    note: Unpublished[str | None]


class TicketWoken(EventPayload, frozen=True, kw_only=True):
    """The snooze of a ticket ended: at its instant, by a message of the requester, or by a person."""

    by: str


class TicketDeleted(EventPayload, frozen=True, kw_only=True):
    """A ticket went into the bin, as deleted or as spam."""

    kind: str
    note: Unpublished[str | None]


class TicketRestored(EventPayload, frozen=True, kw_only=True):
    """A ticket came back from the bin, by a person or by a message of the requester."""

    by: str


class TicketPurged(EventPayload, frozen=True, kw_only=True):
    """The content of a ticket in the bin was removed for good."""


class TimeEntryAdded(EventPayload, frozen=True, kw_only=True):
    """A person recorded the minutes that they spent on a ticket."""

    entry_id: UUID
    user_id: UUID
    minutes: int


class TimeEntryChanged(EventPayload, frozen=True, kw_only=True):
    """A person corrected the minutes, or the note, of a time entry."""

    entry_id: UUID
    minutes_before: int
    minutes: int


class TimeEntryRemoved(EventPayload, frozen=True, kw_only=True):
    """A person removed a time entry."""

    entry_id: UUID
    minutes: int


class FollowerAdded(EventPayload, frozen=True, kw_only=True):
    """A user follows a ticket, or a note mentions the user."""

    user_id: UUID
    reason: str


class FollowerRemoved(EventPayload, frozen=True, kw_only=True):
    """A user no longer follows a ticket."""

    user_id: UUID


class TicketRelated(EventPayload, frozen=True, kw_only=True):
    """A ticket was opened that refers to another ticket."""

    ticket_id: UUID
    reason: str


class TicketRated(EventPayload, frozen=True, kw_only=True):
    """A requester rated a ticket."""

    payload: Json
    comment: Unpublished[str | None]


class TicketMigrated(EventPayload, frozen=True, kw_only=True):
    """A ticket moved to another version of its life cycle."""

    migration_id: UUID
    from_: Unpublished[WorkflowPlace] = field(name="from")
    to: Unpublished[WorkflowPlace]
    # Timer -> its due instant and count before the move, or None if it had gone off. A later migration reads them.
    timers: Json | Unset = UNSET


class TicketReclassified(EventPayload, frozen=True, kw_only=True):
    """A ticket moved to the life cycle of its new type."""

    type: str
    from_: Unpublished[WorkflowPlace] = field(name="from")
    to: Unpublished[WorkflowPlace]
    reason: str


class MigrationSkipped(EventPayload, frozen=True, kw_only=True):
    """A ticket could not move to another version."""

    migration_id: UUID
    reason: str


class MessageReceived(EventPayload, frozen=True, kw_only=True):
    """A requester wrote."""

    message_id: UUID
    channel: str
    account: Unpublished[str | None]
    automatic: str | None
    inbox_id: UUID | Unset = UNSET
    # Absent in events of earlier releases: `automatic` then decides.
    by_machine: bool | Unset = UNSET


class MessageAdded(EventPayload, frozen=True, kw_only=True):
    """The desk wrote to the requester."""

    message_id: UUID
    delivery_ids: Unpublished[Sequence[UUID]]
    automatic: Unpublished[bool]
    template: str | Unset = UNSET


class MessageEdited(EventPayload, frozen=True, kw_only=True):
    """A message was changed where it was written."""

    message_id: UUID
    previous_body: Unpublished[str]
    replaced_attachments: Sequence[UUID] | Unset = UNSET


class MessagePartAdded(EventPayload, frozen=True, kw_only=True):
    """A further part of a message arrived (a picture of an album)."""

    message_id: UUID
    external_id: Unpublished[str | None]


class MessageEditSent(EventPayload, frozen=True, kw_only=True):
    """The desk corrected a message of its own."""

    message_id: Unpublished[UUID]
    delivery_ids: Unpublished[Sequence[UUID]]


class MessageRetried(EventPayload, frozen=True, kw_only=True):
    """A message that did not arrive is sent again, at a person's request."""

    message_id: UUID
    delivery_ids: Items


class MessageDeleted(EventPayload, frozen=True, kw_only=True):
    """A message was taken back."""

    message_id: UUID
    by: Unpublished[str]


class ReactionChanged(EventPayload, frozen=True, kw_only=True):
    """Somebody reacted to a message."""

    message_id: UUID
    from_: Unpublished[Sequence[str]] = field(name="from")
    to: Unpublished[Sequence[str]]


class AttachmentStored(EventPayload, frozen=True, kw_only=True):
    """A file of a message was fetched."""

    attachment_id: UUID
    message_id: UUID
    size_bytes: Unpublished[int]
    sha256: Unpublished[str]


class AttachmentFailed(EventPayload, frozen=True, kw_only=True):
    """A file of a message could not be fetched."""

    attachment_id: UUID
    message_id: UUID
    state: Unpublished[str]
    reason: Unpublished[str]
    # Only of a file that is too large: whether the requester got a message about it.
    requester_told: bool | Unset = UNSET


class RequesterReachable(EventPayload, frozen=True, kw_only=True):
    """A requester can be written to again."""

    reason: Unpublished[str]


class RequesterUnreachable(EventPayload, frozen=True, kw_only=True):
    """A requester cannot be written to."""

    reason: Unpublished[str]


class PersonalDataErased(EventPayload, frozen=True, kw_only=True):
    """A person's data was erased."""


class NoteAdded(EventPayload, frozen=True, kw_only=True):
    """A note was added, which never reaches the requester.

    A note of a side conversation names it. `is_answer` is true if the third party wrote the note; else the deliveries
    carry it to the third party.
    """

    message_id: UUID
    side_conversation_id: UUID | Unset = UNSET
    delivery_ids: Sequence[UUID] | Unset = UNSET
    is_answer: bool | Unset = UNSET


class DeliveryFailed(EventPayload, frozen=True, kw_only=True):
    """A message did not reach its reader."""

    delivery_id: UUID
    message_id: UUID
    state: str
    error: Unpublished[str]
    # The provider's words, where its receipt came after the delivery had ended.
    detail: str | Unset = UNSET


class DeliveryDelivered(EventPayload, frozen=True, kw_only=True):
    """The provider says that a message arrived."""

    delivery_id: UUID
    detail: Unpublished[str]


class DeliveryOpened(EventPayload, frozen=True, kw_only=True):
    """The provider says that a message was opened."""

    delivery_id: UUID
    detail: Unpublished[str]


class DeliveryBounced(EventPayload, frozen=True, kw_only=True):
    """The provider says that a message bounced, after its delivery had ended already."""

    delivery_id: UUID
    detail: Unpublished[str]


class DeliveryComplained(EventPayload, frozen=True, kw_only=True):
    """A message's reader called it abuse."""

    delivery_id: UUID
    detail: Unpublished[str]


class DeliveryUnsubscribed(EventPayload, frozen=True, kw_only=True):
    """A message's reader wants no more."""

    delivery_id: UUID
    detail: Unpublished[str]


class CopyNotDelivered(EventPayload, frozen=True, kw_only=True):
    """A reader of a copy did not get it; the requester did."""

    delivery_id: UUID
    recipient: Unpublished[str]
    error: Unpublished[str]


class TicketImported(EventPayload, frozen=True, kw_only=True):
    """A ticket was taken over from another system, with its past events. An import calls no webhook."""

    import_id: UUID
    source: str
    source_id: Unpublished[str]
    # The number that the ticket had there, if it has another one here.
    former_number: Unpublished[int | None]
