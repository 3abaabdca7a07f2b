"""The rows that queries of messages return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.kernel.open_json import JsonObject


class MessageRow(TypedDict):
    """A message."""

    id: UUID
    ticket_id: UUID
    sequence: int
    direction: str
    kind: str
    author_kind: str
    author_id: UUID | None
    author_name: str
    subject: str | None
    body: str
    body_full: str | None
    body_format: str
    body_html: str | None
    channel: str
    account: str | None
    external_id: str | None
    in_reply_to: str | None
    automatic: str | None
    by_machine: bool
    attachments: list[JsonObject]
    inbox_id: UUID | None
    created_at: datetime
    edited_at: datetime | None
    details: JsonObject
    copies: list[dict[str, str]]
    reactions: dict[str, list[str]]
    verdict: str | None
    body_html_remote: str | None
    group_key: str | None
    deleted_at: datetime | None
    edited_by: dict[str, str] | None
    moved_from: UUID | None


class WholeHtmlRow(TypedDict):
    """The HTML of a mail without any cut."""

    message_id: UUID
    html: str
    html_remote: str | None
    blocked_remote: int
