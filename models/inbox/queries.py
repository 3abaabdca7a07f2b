"""Read the inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from models.inbox.tables import Inbox
from models.kernel import database
from models.kernel.errors import NotFound

_SHOWN = (
    Inbox.id,
    Inbox.channel,
    Inbox.account,
    Inbox.event_key,
    Inbox.content_type,
    Inbox.status,
    Inbox.reason,
    Inbox.ticket_id,
    Inbox.message_id,
    Inbox.received_at,
    Inbox.processed_at,
)


def get(inbox_id: UUID) -> dict[str, Any]:
    """One event without its bytes. Raises NotFound."""
    for row in database.rows(Inbox.select(*_SHOWN).where(Inbox.id == inbox_id)):
        return row
    raise NotFound(f"there is no inbox event {inbox_id}")


def page(*, status: str | None, before: tuple[datetime, UUID] | None, limit: int) -> list[dict[str, Any]]:
    """Events, newest first, before the cursor position."""
    query = Inbox.select(*_SHOWN)
    if status is not None:
        query = query.where(Inbox.status == status)
    if before is not None:
        at, inbox_id = before
        query = query.where((Inbox.received_at < at) | ((Inbox.received_at == at) & (Inbox.id < inbox_id)))
    return database.rows(query.order_by(Inbox.received_at.desc(), Inbox.id.desc()).limit(limit))


def counts() -> dict[str, int]:
    """How many events wait or failed, by status."""
    rows = database.run(
        "SELECT status, count(*) AS n FROM inbox WHERE status IN ('stored', 'failed') GROUP BY status"
    )
    return {row["status"]: int(row["n"]) for row in rows}
