"""/v1/inbox: inbound events of providers with their status, and their reprocessing."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from functions.gateway.sights import sight_of
from functions.http.operations import Answer, AnyCall, Call, Cost, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Reason
from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.identity.rules import Permission
from models.inbox import commands, queries
from models.inbox.tables import InboxEvent
from models.kernel.errors import NotFound
from models.visibility import sight

operations = Operations()


class InboxQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of inbound events. `reason`: the exact reason of ignored or failed events."""

    status: Literal["stored", "processed", "ignored", "failed"] | None = None
    reason: Reason | None = None


@operations.add(
    "GET",
    "/v1/inbox",
    summary="List inbound events",
    needs=Permission.inbox_read,
    query=InboxQuery,
    answers={200: show.InboxPage},
)
def list_inbox(call: Call[None, InboxQuery]) -> Answer:
    """Newest first."""
    before = pages.decode(call.query.cursor, "inbox", pages.instant, UUID)
    position = (before[0], before[1]) if before else None
    mine = sight_of(call)
    only = mine.about(InboxEvent.ticket_id)
    for channel, account in sight.hidden_accounts(mine):
        theirs = (InboxEvent.channel == channel) & (InboxEvent.account == account)
        only &= InboxEvent.ticket_id.is_null(False) | ~theirs
    rows = queries.page(
        status=call.query.status, reason=call.query.reason, before=position, limit=call.query.limit + 1, only=only
    )
    page, cursor = pages.cut(rows, call.query.limit, "inbox", lambda row: (row["received_at"], row["id"]))
    return Answer(show.InboxPage([show.copied(show.InboxEvent, row) for row in page], cursor))


def _event_id(call: AnyCall) -> UUID:
    """The id of the path. Raises NotFound, also for an event of a ticket, or without a ticket of a team's account, that
    the caller may not see.
    """
    event_id = pages.id_of(call.params["event"], "inbox event")
    row, mine = queries.get(event_id), sight_of(call)
    sight.require(mine, row["ticket_id"], "inbox event", event_id)
    if row["ticket_id"] is None and (row["channel"], row["account"]) in sight.hidden_accounts(mine):
        raise NotFound(f"there is no inbox event {event_id}")
    return event_id


@operations.add(
    "GET",
    "/v1/inbox/{event}",
    summary="Get an inbound event",
    needs=Permission.inbox_read,
    answers={200: show.InboxEvent},
    problems=(404,),
)
def read_inbox_event(call: Call) -> Answer:
    """With its status (stored, processed, ignored or failed) and the reason."""
    return Answer(show.copied(show.InboxEvent, queries.get(_event_id(call))))


@operations.add(
    "GET",
    "/v1/inbox/{event}/raw",
    cost=Cost.heavy,
    summary="Download the raw inbound event",
    needs=Permission.inbox_read,
    answers={200: bytes},
    problems=(404,),
    media_type="application/octet-stream",
)
def download_inbox_event(call: Call) -> Answer:
    """The bytes exactly as the provider sent them, as an attachment."""
    event = commands.load(_event_id(call))
    audit.record_apart(AuditAction.raw_event_downloaded, "inbox_event", event.id)
    headers = {
        "Content-Disposition": f'attachment; filename="{event.channel}-{event.id}.bin"',
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(raw=event.raw, content_type="application/octet-stream", headers=headers)


@operations.add(
    "POST",
    "/v1/inbox/{event}/replay",
    summary="Reprocess an inbound event",
    needs=Permission.inbox_replay,
    answers={202: show.InboxEvent},
    problems=(404, 409),
)
def replay_inbox_event(call: Call) -> Answer:
    """Processes a failed or ignored event again. An event that already created its message answers 409."""
    event_id = _event_id(call)
    commands.replay(event_id, by=call.caller.name)
    return Answer(show.copied(show.InboxEvent, queries.get(event_id)), status=202)


@operations.add(
    "POST",
    "/v1/inbox/{event}/discard",
    summary="Discard a failed inbound event",
    needs=Permission.inbox_replay,
    answers={200: show.InboxEvent},
    problems=(404, 409),
)
def discard_inbox_event(call: Call) -> Answer:
    """Marks the event as needing no attention. Its bytes are kept and it can still be reprocessed."""
    event_id = _event_id(call)
    commands.discard(event_id, by=call.caller.name)
    return Answer(show.copied(show.InboxEvent, queries.get(event_id)))
