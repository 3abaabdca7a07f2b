"""Queries over the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import peewee

from models.channels.accounts import ChannelAccount
from models.inbox.commands import ERASED_REASON
from models.inbox.row_types import InboxRow
from models.inbox.tables import InboxEvent
from models.kernel.errors import NotFound
from models.kernel.storage import database

_SHOWN = (
    InboxEvent.id,
    InboxEvent.channel,
    InboxEvent.account,
    InboxEvent.event_key,
    InboxEvent.content_type,
    InboxEvent.status,
    InboxEvent.reason,
    InboxEvent.ticket_id,
    InboxEvent.message_id,
    InboxEvent.received_at,
    InboxEvent.processed_at,
)


def latest_events(account: ChannelAccount, *, since: datetime | None, limit: int) -> list[tuple[bytes, dict[str, str]]]:
    """Return raw bytes and envelope of an account's latest events, newest first."""
    query = (
        InboxEvent.select(InboxEvent.raw_bytes, InboxEvent.fetched, InboxEvent.envelope)
        .where(InboxEvent.channel == account.channel, InboxEvent.account == account.name)
        .order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc())
        .limit(limit)
    )
    if since is not None:
        query = query.where(InboxEvent.received_at >= since)
    return [(bytes(row["fetched"] or row["raw_bytes"]), row["envelope"]) for row in database.rows(query)]


def get(inbox_id: UUID) -> InboxRow:
    """Return one event without its bytes. Raises NotFound."""
    for row in database.rows_as(InboxRow, InboxEvent.select(*_SHOWN).where(InboxEvent.id == inbox_id)):
        return row
    raise NotFound(f"there is no inbox event {inbox_id}")


def page(
    *,
    status: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    reason: str | None = None,
    only: Any = None,
) -> list[InboxRow]:
    """Return a page of events, newest first, before the cursor position. `only`: a further condition."""
    query = InboxEvent.select(*_SHOWN)
    if only is not None:
        query = query.where(only)
    if status is not None:
        query = query.where(InboxEvent.status == status)
    if reason is not None:
        query = query.where(InboxEvent.reason == reason)
    if before is not None:
        at, inbox_id = before
        query = query.where(
            (InboxEvent.received_at < at) | ((InboxEvent.received_at == at) & (InboxEvent.id < inbox_id))
        )
    return database.rows_as(InboxRow, query.order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc()).limit(limit))


def counts() -> dict[str, int]:
    """Count the events that wait or failed, by status."""
    rows = database.run("SELECT status, count(*) AS n FROM inbox WHERE status IN ('stored', 'failed') GROUP BY status")
    return {row["status"]: int(row["n"]) for row in rows}


def ignored_reasons(*, since: datetime, limit: int) -> list[database.Row]:
    """Count the events since an instant that were ignored, by reason, the most frequent first."""
    count = peewee.fn.COUNT(InboxEvent.id)
    query = (
        InboxEvent.select(InboxEvent.reason, count.alias("n"))
        .where(InboxEvent.received_at >= since, InboxEvent.status == "ignored")
        .group_by(InboxEvent.reason)
        .order_by(count.desc(), InboxEvent.reason)
        .limit(limit)
    )
    return database.rows(query)


def unindexed(
    *, limit: int, after: UUID | None = None, only: Sequence[str] | None = None, newest: bool = False
) -> list[UUID]:
    """Return events of which nobody has read whose they are, in the order of their ids.

    `after`: only later ones. `only`: of these states. `newest`: the newest first. Emptied events are left out.
    """
    query = InboxEvent.select(InboxEvent.id).where(
        InboxEvent.author_address.is_null(),
        InboxEvent.reason.is_null() | (InboxEvent.reason != ERASED_REASON),
    )
    if after is not None:
        query = query.where(InboxEvent.id > after)
    if only is not None:
        query = query.where(InboxEvent.status.in_(only))
    order = InboxEvent.id.desc() if newest else InboxEvent.id
    return [row["id"] for row in database.rows(query.order_by(order).limit(limit))]
