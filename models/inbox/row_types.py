"""The rows that queries of the inbox return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID


class InboxRow(TypedDict):
    """A stored event of a provider, without its bytes."""

    id: UUID
    channel: str
    account: str
    event_key: str
    content_type: str
    status: str
    reason: str | None
    ticket_id: UUID | None
    message_id: UUID | None
    received_at: datetime
    processed_at: datetime | None
