"""/v1/bulk_changes: one change of up to 10,000 tickets, as a job with progress, a preview and an undo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of
from functions.gateway.sorting import bulk_acts
from functions.http.operations import Answer, AnyCall, Call, Cost, Operations
from functions.views import pages
from functions.views.texts import Comment
from models.bulk import jobs, limits
from models.bulk import preview as previews
from models.bulk.selection import Selection
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.limits import search_chars_max
from models.kernel.open_json import JsonObject
from models.search import searching
from models.ticket_lists.resolving import resolve
from models.ticket_lists.words import FilterWords
from models.tickets.tables import Ticket
from models.visibility.seen import Guard

operations = Operations()


class BulkFilter(FilterWords, kw_only=True, forbid_unknown_fields=True):
    """The filters of the list of tickets, as members of a body. `q` is a query, as `GET /v1/search` reads it."""

    q: Annotated[str, msgspec.Meta(max_length=search_chars_max)] | None = None


class BulkWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The tickets (by their ids, or by a filter) and the acts, which each ticket gets in this order, all or none.

    `dry_run`: try a sample, change nothing. `note`: the reason, shown with the job.
    """

    acts: bulk_acts.Acts
    tickets: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=limits.tickets_max)] | None = None
    filter: BulkFilter | None = None
    dry_run: bool = False
    note: Comment | None = None


class BulkChange(msgspec.Struct):
    """A bulk change with its progress. `state`: running, finished, cancelled or failed.

    `kind`: change, undo or tag. `tickets`: the number of all; `changed`, `unchanged`, `refused` and `failed`:
    tickets that had their turn. `sends`: the messages that the change caused. `undoes`: the bulk change that this
    one takes back.
    """

    id: UUID
    kind: str
    acts: list[JsonObject]
    selection: JsonObject | None
    note: str | None
    state: str
    tickets: int
    changed: int
    unchanged: int
    refused: int
    failed: int
    sends: int
    undoes: UUID | None
    undone_by: UUID | None
    started_at: datetime
    finished_at: datetime | None
    error: str | None


class BulkPage(msgspec.Struct):
    """Bulk changes, newest first."""

    items: list[BulkChange]
    next_cursor: str | None


class BulkTicket(msgspec.Struct):
    """A ticket of a bulk change. `outcome`: waiting, changed, unchanged, refused, failed or cancelled.

    `undo_id`: the undo of this ticket's change, for an hour.
    """

    position: int
    ticket_id: UUID
    outcome: str
    code: str | None
    reasons: list[str]
    undo_id: UUID | None


class BulkTicketPage(msgspec.Struct):
    """Tickets of a bulk change in their order."""

    items: list[BulkTicket]
    next_cursor: str | None


class BulkTicketQuery(pages.PageQuery, kw_only=True):
    """Only tickets with this outcome."""

    outcome: Literal["waiting", "changed", "unchanged", "refused", "failed", "cancelled"] | None = None


class TriedTicket(msgspec.Struct):
    """The outcome that a ticket would have. `changes`: name -> value before and after."""

    ticket_id: UUID
    number: int
    title: str
    outcome: str
    code: str | None
    reasons: list[str]
    changes: dict[str, list[Any]]
    sends: int


class BulkPreview(msgspec.Struct):
    """The outcome of a sample: the first tickets of the selection. `tickets`: the number of all chosen tickets.

    The counts are those of the sample. `missing`: ids of the sample without a ticket that the caller sees.
    """

    tickets: int
    sampled: int
    changed: int
    unchanged: int
    refused: int
    failed: int
    sends: int
    missing: list[UUID]
    sample: list[TriedTicket]


def shown_job(job: jobs.BulkJob, status: int = 200) -> Answer:
    """The representation of a job; a job that was just started has a Location."""
    where = {"Location": f"/v1/bulk_changes/{job.id}"} if status == 202 else {}
    return Answer(msgspec.convert(job, BulkChange, from_attributes=True), status=status, headers=where)


def _bulk_id(call: AnyCall) -> UUID:
    return pages.id_of(call.params["bulk"], "bulk change")


def _selection(call: Call[BulkWanted]) -> Selection:
    body = call.body
    if (body.tickets is None) == (body.filter is None):
        raise Invalid([FieldProblem("/tickets", "expected either tickets or filter")])
    if body.filter is None:
        return Selection(ids=body.tickets or [])
    wanted, source = resolve(body.filter, sight_of(call)), msgspec.to_builtins(body.filter)
    if not body.filter.q:
        return Selection(filter=wanted, source=source)
    found = searching.read(body.filter.q, wanted=wanted, sight=sight_of(call)).search
    return Selection(filter=found.wanted, search=found, source=source)


@operations.add(
    "POST",
    "/v1/bulk_changes",
    cost=Cost.heavy,
    summary="Change many tickets",
    needs=Permission.tickets_bulk,
    body=BulkWanted,
    answers={200: BulkPreview, 202: BulkChange},
    problems=(403, 409),
)
def start_bulk_change(call: Call[BulkWanted]) -> Answer:
    """Starts a job that takes the acts on each ticket, by the rules of its life cycle and the caller's rights then.

    With `dry_run`, answers 200 with the outcome of a sample, and changes nothing. A refused ticket does not stop the
    others; see the tickets of the bulk change. Messages that it sends leave after 8 seconds, and a cancellation stops
    them. Each act needs its own permission as well.
    """
    acts, wanted = bulk_acts.stored(call.body.acts), _selection(call)
    if call.body.dry_run:
        return Answer(_previewed(call, previews.preview(wanted, acts, call.caller)))
    return shown_job(jobs.start(wanted, acts, note=call.body.note, caller=call.caller), 202)


def _previewed(call: AnyCall, found: previews.Preview) -> BulkPreview:
    counts = found.counts()
    return BulkPreview(
        tickets=found.tickets,
        sampled=len(found.sample),
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        refused=counts["refused"],
        failed=counts["failed"],
        sends=found.sends,
        missing=list(found.missing),
        sample=[_tried(call, one) for one in found.sample],
    )


def _tried(call: AnyCall, tried: previews.Tried) -> TriedTicket:
    guard, outcome = Guard.of(tried.ticket, call.caller.role), tried.outcome
    changes: Mapping[str, Any] = {
        name: pair
        for name, pair in outcome.differences.items()
        if not name.startswith("fields.") or name.removeprefix("fields.") not in guard.hidden
    }
    return TriedTicket(
        tried.ticket.id,
        tried.ticket.number,
        tried.ticket.title,
        outcome.outcome,
        outcome.code,
        [guard.text(reason) for reason in outcome.reasons],
        dict(changes),
        len(outcome.delivery_ids),
    )


@operations.add(
    "GET",
    "/v1/bulk_changes",
    summary="List your bulk changes",
    needs=Permission.tickets_bulk,
    query=pages.PageQuery,
    answers={200: BulkPage},
)
def list_bulk_changes(call: Call[None, pages.PageQuery]) -> Answer:
    """Those of the caller, newest first. They are kept for 30 days."""
    before = pages.decode(call.query.cursor, "bulk_changes", UUID)
    rows = jobs.page(call.caller.owner_id, before=before[0] if before else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "bulk_changes", lambda row: (row.id,))
    return Answer(BulkPage([msgspec.convert(row, BulkChange, from_attributes=True) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/bulk_changes/{bulk}",
    summary="Get a bulk change",
    needs=Permission.tickets_bulk,
    answers={200: BulkChange},
    problems=(404,),
)
def read_bulk_change(call: Call) -> Answer:
    """With its progress."""
    return shown_job(jobs.find(_bulk_id(call), call.caller.owner_id))


@operations.add(
    "GET",
    "/v1/bulk_changes/{bulk}/tickets",
    summary="List the tickets of a bulk change",
    needs=Permission.tickets_bulk,
    query=BulkTicketQuery,
    answers={200: BulkTicketPage},
    problems=(404,),
)
def list_bulk_tickets(call: Call[None, BulkTicketQuery]) -> Answer:
    """Each with its outcome; a refused one with the reasons. Tickets that the caller does not see now are left out."""
    job = jobs.find(_bulk_id(call), call.caller.owner_id)
    after = pages.decode(call.query.cursor, "bulk_tickets", pages.number)
    rows = jobs.items(
        job.id,
        outcome=call.query.outcome,
        after=after[0] if after else None,
        limit=call.query.limit + 1,
        sight=sight_of(call),
    )
    page, cursor = pages.cut(rows, call.query.limit, "bulk_tickets", lambda row: (row["position"],))
    guards = _guards(call, [row["ticket_id"] for row in page if row["reasons"]])
    items = [
        BulkTicket(
            row["position"],
            row["ticket_id"],
            row["outcome"] or "waiting",
            row["code"],
            [guards[row["ticket_id"]].text(reason) for reason in row["reasons"] or []],
            row["undo_id"],
        )
        for row in page
    ]
    return Answer(BulkTicketPage(items, cursor))


def _guards(call: AnyCall, ticket_ids: list[UUID]) -> dict[UUID, Guard]:
    """The guards of tickets: a reason can show the value of a field that the caller's role may not see now."""
    found = Ticket.select().where(Ticket.id.in_(ticket_ids)) if ticket_ids else []
    return {ticket.id: Guard.of(ticket, str(call.caller.role)) for ticket in found}


@operations.add(
    "POST",
    "/v1/bulk_changes/{bulk}/cancellation",
    summary="Cancel a bulk change",
    needs=Permission.tickets_bulk,
    answers={200: BulkChange},
    problems=(404,),
)
def cancel_bulk_change(call: Call) -> Answer:
    """Stops before the next tickets, and discards the messages that have not left. Changed tickets stay changed."""
    return shown_job(jobs.cancel(_bulk_id(call), caller=call.caller))


@operations.add(
    "POST",
    "/v1/bulk_changes/{bulk}/resumption",
    summary="Resume a bulk change",
    needs=Permission.tickets_bulk,
    answers={202: BulkChange},
    problems=(404,),
)
def resume_bulk_change(call: Call) -> Answer:
    """Lets a failed bulk change go on with the tickets that had no turn yet. Another one stays as it is."""
    return shown_job(jobs.resume(_bulk_id(call), caller=call.caller), 202)


@operations.add(
    "POST",
    "/v1/bulk_changes/{bulk}/undo",
    summary="Undo a bulk change",
    needs=Permission.tickets_bulk,
    answers={202: BulkChange},
    problems=(404, 409),
)
def undo_bulk_change(call: Call) -> Answer:
    """Starts a job that restores properties, tags, assignment and snooze of each ticket, for an hour after its change.

    Tickets that moved in their life cycle, or whose change sent something, have no undo. Values that changed again
    since then stay, and the ticket's reasons name them.
    """
    return shown_job(jobs.undo(_bulk_id(call), caller=call.caller), 202)
