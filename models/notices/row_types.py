"""The rows that queries of notices return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.notice_settings.rules import Kind


class NoticeRow(TypedDict):
    """A notice of a user."""

    id: UUID
    ticket_id: UUID | None
    rule: str
    kind: Kind
    text: str
    created_at: datetime
    read_at: datetime | None
    ticket_number: int | None
