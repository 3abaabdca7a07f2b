"""The rows that queries of undos return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.kernel.open_json import JsonObject


class UndoRow(TypedDict):
    """An act that can be undone, or was."""

    id: UUID
    kind: str
    ticket_id: UUID | None
    other_ticket_id: UUID | None
    group_id: UUID | None
    act: JsonObject
    actor_kind: str
    actor_id: str | None
    created_at: datetime
    expires_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    kept: list[str]
