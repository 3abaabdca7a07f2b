"""The rows that queries of attachments return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID


class AttachmentRow(TypedDict):
    """An attachment. `sniffed_type` and `object_key` are None while it has no bytes. `replaced_at`: an edit put another
    file in its place.
    """

    id: UUID
    ticket_id: UUID | None
    message_id: UUID | None
    position: int
    filename: str
    content_type: str
    size_bytes: int
    sha256: str | None
    inline: bool
    hidden: bool
    content_id: str | None
    provider_id: str | None
    state: str
    reason: str | None
    created_at: datetime
    uploaded_by: str | None
    replaced_at: datetime | None
    sniffed_type: str | None
    object_key: str | None
    scan: str | None
    scan_detail: str | None
