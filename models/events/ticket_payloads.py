"""Payloads of the events of tickets."""

from __future__ import annotations

from uuid import UUID

from msgspec import field

from models.events.payload import Changes, EventPayload, Items, Json


class TicketCreated(EventPayload, frozen=True, kw_only=True):
    """A ticket was opened."""

    title: str
    type: str
    priority: str
    fields: Json


class TicketUpdated(EventPayload, frozen=True, kw_only=True):
    """Fields, priority, team or tags of a ticket changed."""

    changes: Changes


class TicketStateChanged(EventPayload, frozen=True, kw_only=True):
    """A ticket moved to another state."""


class TicketAssigned(EventPayload, frozen=True, kw_only=True):
    """A ticket was given to an agent, or to nobody."""

    from_: UUID | None = field(name="from")
    to: UUID | None


class TicketRelated(EventPayload, frozen=True, kw_only=True):
    """A ticket was opened beside another."""

    ticket_id: UUID
    reason: str


class TicketRated(EventPayload, frozen=True, kw_only=True):
    """A requester rated a ticket."""

    payload: Json


class TicketMigrated(EventPayload, frozen=True, kw_only=True):
    """A ticket moved to another version of its life cycle."""

    migration_id: UUID


class MigrationSkipped(EventPayload, frozen=True, kw_only=True):
    """A ticket could not move to another version."""

    migration_id: UUID
    reason: str


class MessageReceived(EventPayload, frozen=True, kw_only=True):
    """A requester wrote."""

    message_id: UUID
    channel: str
    automatic: str | None


class MessageAdded(EventPayload, frozen=True, kw_only=True):
    """The desk wrote to the requester."""

    message_id: UUID


class MessageEdited(EventPayload, frozen=True, kw_only=True):
    """A message was changed where it was written."""

    message_id: UUID


class MessagePartAdded(EventPayload, frozen=True, kw_only=True):
    """A further part of a message arrived (a picture of an album)."""

    message_id: UUID


class MessageEditSent(EventPayload, frozen=True, kw_only=True):
    """The desk corrected a message of its own."""


class MessageDeleted(EventPayload, frozen=True, kw_only=True):
    """A message was taken back."""

    message_id: UUID


class ReactionChanged(EventPayload, frozen=True, kw_only=True):
    """Somebody reacted to a message."""

    message_id: UUID


class AttachmentStored(EventPayload, frozen=True, kw_only=True):
    """A file of a message was fetched."""

    attachment_id: UUID
    message_id: UUID


class AttachmentFailed(EventPayload, frozen=True, kw_only=True):
    """A file of a message could not be fetched."""

    attachment_id: UUID
    message_id: UUID


class RequesterReachable(EventPayload, frozen=True, kw_only=True):
    """A requester can be written to again."""


class RequesterUnreachable(EventPayload, frozen=True, kw_only=True):
    """A requester cannot be written to."""


class PersonalDataErased(EventPayload, frozen=True, kw_only=True):
    """A person's data was erased."""


class NoteAdded(EventPayload, frozen=True, kw_only=True):
    """A note was added, which never leaves the desk."""

    message_id: UUID


class DeliveryFailed(EventPayload, frozen=True, kw_only=True):
    """A message did not reach its reader."""

    delivery_id: UUID
    message_id: UUID
    state: str


class DeliveryDelivered(EventPayload, frozen=True, kw_only=True):
    """The provider says that a message arrived."""

    delivery_id: UUID


class DeliveryOpened(EventPayload, frozen=True, kw_only=True):
    """The provider says that a message was opened."""

    delivery_id: UUID


class DeliveryComplained(EventPayload, frozen=True, kw_only=True):
    """A message's reader called it abuse."""

    delivery_id: UUID


class DeliveryUnsubscribed(EventPayload, frozen=True, kw_only=True):
    """A message's reader wants no more."""

    delivery_id: UUID


class CopyNotDelivered(EventPayload, frozen=True, kw_only=True):
    """A reader of a copy did not get it; the requester did."""

    delivery_id: UUID


class AutomaticMessageWithheld(EventPayload, frozen=True, kw_only=True):
    """An automatic message was not sent."""

    template: str
    reason: str


class AgentsNotified(EventPayload, frozen=True, kw_only=True):
    """A life cycle told agents something."""

    users: Items


class EffectWithheld(EventPayload, frozen=True, kw_only=True):
    """An effect of a life cycle could not be carried out."""


class WebhookCalled(EventPayload, frozen=True, kw_only=True):
    """A life cycle called a webhook of its own."""

    webhook: str


class FeeCharged(EventPayload, frozen=True, kw_only=True):
    """A fee was charged."""


class RewardGranted(EventPayload, frozen=True, kw_only=True):
    """A reward was granted."""


class LinkedTicketWanted(EventPayload, frozen=True, kw_only=True):
    """A life cycle asked for another ticket."""

    wanted: Json


class LinkedTicketMade(EventPayload, frozen=True, kw_only=True):
    """A life cycle opened another ticket."""

    ticket_id: UUID
    number: int
    link: str


class ApprovalRequested(EventPayload, frozen=True, kw_only=True):
    """An approval was asked for."""

    approval_id: UUID


class ApprovalVoted(EventPayload, frozen=True, kw_only=True):
    """Somebody voted on an approval."""


class ApprovalDecided(EventPayload, frozen=True, kw_only=True):
    """An approval was decided."""


class TransitionRefused(EventPayload, frozen=True, kw_only=True):
    """A move was asked for and refused."""


class EventUnmatched(EventPayload, frozen=True, kw_only=True):
    """A life cycle had no rule for something."""


class AutomationStopped(EventPayload, frozen=True, kw_only=True):
    """A chain of rules was ended."""


class AutomationFailed(EventPayload, frozen=True, kw_only=True):
    """An automation was given up."""

    event: str
    reason: str


class SlaWarning(EventPayload, frozen=True, kw_only=True):
    """A promised time is near."""

    target: str


class SlaBreached(EventPayload, frozen=True, kw_only=True):
    """A promised time has passed."""

    target: str


class SignalReceived(EventPayload, frozen=True, kw_only=True):
    """An automation pushed a ticket along."""

    signal: str
    payload: Json
