"""/v1/audit: the audit trail, as pages and as CSV."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from functions.http.operations import Answer, Call, Cost, Operations
from functions.views import pages
from functions.views.texts import Instant
from models.audit import entries, queries
from models.audit.actions import AuditAction, Outcome
from models.identity.rules import Permission
from models.kernel import limits
from models.kernel.open_json import JsonObject
from models.kernel.storage import database

operations = Operations()

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class AuditEntry(msgspec.Struct):
    """An audited action: who did it, from where, to which object, and the values before and after.

    `serial` grows with each entry. `actor_kind` is user, api_key, requester, provider, operator, anonymous or system.
    """

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


class AuditPage(msgspec.Struct):
    """A page of audit entries."""

    items: list[AuditEntry]
    next_cursor: str | None


class AuditFilters(pages.PageQuery, kw_only=True):
    """Filters for the audit trail."""

    action: AuditAction | None = None
    outcome: Outcome | None = None
    actor_id: Word | None = None
    object_kind: Word | None = None
    object_id: Word | None = None
    from_address: Word | None = None
    since: Instant | None = None
    until: Instant | None = None


class AuditCsvFilters(AuditFilters, kw_only=True):
    """Filters for the audit trail as CSV, with a larger page."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.audit_csv_rows_max)] = limits.audit_csv_rows_max


def _filters(query: AuditFilters) -> queries.Filters:
    names = ("action", "outcome", "actor_id", "object_kind", "object_id", "since", "until")
    return queries.Filters(address=query.from_address, **{name: getattr(query, name) for name in names})


def _page(query: AuditFilters) -> tuple[list[queries.Entry], str | None]:
    position = pages.decode(query.cursor, "audit", pages.number)
    rows = queries.page(_filters(query), before=position[0] if position else None, limit=query.limit + 1)
    return pages.cut(rows, query.limit, "audit", lambda row: (row.serial,))


@operations.add(
    "GET",
    "/v1/audit",
    summary="List audit entries",
    needs=Permission.audit_read,
    query=AuditFilters,
    answers={200: AuditPage},
)
def list_audit_entries(call: Call[None, AuditFilters]) -> Answer:
    """Newest first. Entries hold ids and closed words, and never the text of a person."""
    page, cursor = _page(call.query)
    shown = [AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__struct_fields__}) for row in page]
    return Answer(AuditPage(shown, cursor))


@operations.add(
    "GET",
    "/v1/audit.csv",
    cost=Cost.heavy,
    summary="Download audit entries",
    needs=Permission.audit_read,
    recent=True,
    query=AuditCsvFilters,
    answers={200: str},
    media_type="text/csv",
)
def download_audit_entries(call: Call[None, AuditCsvFilters]) -> Answer:
    """CSV (RFC 4180), newest first. The Link header names the next part of a longer period. The download is itself an
    audit entry.
    """
    page, cursor = _page(call.query)
    with database.transaction():
        entries.record(AuditAction.audit_exported, "audit", None, after={"rows": len(page)})
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    if cursor is not None:
        given = {name: value for name, value in call.request.params.items() if name != "cursor"}
        headers["Link"] = f'</v1/audit.csv?{urlencode({**given, "cursor": cursor}, doseq=True)}>; rel="next"'
    text = queries.as_csv(page, header=call.query.cursor is None)
    return Answer(raw=text.encode(), content_type="text/csv; charset=utf-8", headers=headers)
