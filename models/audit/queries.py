"""Read the audit trail."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from models.audit.actions import AuditAction, Outcome
from models.audit.tables import AuditEntry
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.kernel.storage.table import RowView


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the audit trail."""

    serial: int
    at: datetime
    action: AuditAction
    outcome: Outcome
    reason: str | None
    actor_kind: str
    actor_id: str | None
    object_kind: str
    object_id: str | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    before: JsonObject | None
    after: JsonObject | None


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on entries; None accepts everything. `since` is included, `until` is not."""

    action: AuditAction | None = None
    outcome: Outcome | None = None
    actor_id: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_ENTRY = RowView(Entry, AuditEntry)
_EQUAL = ("action", "outcome", "actor_id", "object_kind", "object_id", "address")


def page(filters: Filters, *, before: int | None, limit: int) -> list[Entry]:
    """Return entries with a serial below `before`, newest first."""
    query = AuditEntry.select(*_ENTRY.fields)
    for name in _EQUAL:
        wanted = getattr(filters, name)
        if wanted is not None:
            query = query.where(getattr(AuditEntry, name) == wanted)
    if filters.since is not None:
        query = query.where(AuditEntry.at >= filters.since)
    if filters.until is not None:
        query = query.where(AuditEntry.at < filters.until)
    if before is not None:
        query = query.where(AuditEntry.serial < before)
    return _ENTRY.all(query.order_by(AuditEntry.serial.desc()).limit(limit))


def everything(filters: Filters, *, batch: int = 1_000) -> Iterator[Entry]:
    """Yield all entries that match, newest first, in batches; each batch is a statement of its own."""
    before: int | None = None
    while True:
        with database.connection():
            rows = page(filters, before=before, limit=batch)
        yield from rows
        if len(rows) < batch:
            return
        before = rows[-1].serial


def as_csv(entries: Iterable[Entry], *, header: bool = True) -> str:
    """Return entries as CSV (RFC 4180).

    A cell that a spreadsheet would run as a formula gets an apostrophe in front: the User-Agent header is a stranger's.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    names = [field.name for field in fields(Entry)]
    if header:
        writer.writerow(names)
    for entry in entries:
        writer.writerow([_cell(getattr(entry, name)) for name in names])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    text = as_json(value) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
