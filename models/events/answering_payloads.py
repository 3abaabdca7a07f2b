"""Payloads of the events of what agents write: scheduled messages, saved replies, macros and side conversations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from models.events.payload import EventPayload, Unpublished


class MessageRescheduled(EventPayload, frozen=True, kw_only=True):
    """A scheduled message got another time, or is sent now."""

    message_id: UUID
    send_at: Unpublished[datetime | None]


class MacroApplied(EventPayload, frozen=True, kw_only=True):
    """An agent applied a macro to the ticket."""

    macro_id: UUID
    name: str


class SideConversationStarted(EventPayload, frozen=True, kw_only=True):
    """An agent wrote to a third party about the ticket. The answers become notes."""

    side_conversation_id: UUID
    message_id: UUID
    channel: str
