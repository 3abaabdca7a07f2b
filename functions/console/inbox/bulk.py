"""/inbox/bulk: one act on the chosen tickets, with a preview before and an undo after it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import falcon
import msgspec

from functions.console.frame import cookies, rendering
from functions.console.frame.pages import Pages, own_address, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import ngettext, reading
from functions.console.inbox import acts, pane
from functions.http.operations import Answer, AnyCall, Call, Cost
from functions.views import pages as paging
from functions.views import ticket_rows
from models.bulk import jobs, limits
from models.bulk import preview as previews
from models.bulk.selection import Selection
from models.identity.rules import Permission
from models.kernel import settings
from models.kernel.errors import FieldProblem, Invalid
from models.tickets.tables import Ticket
from models.visibility.seen import Guard
from models.visibility.sight import Sight

pages = Pages()
operations = pages.operations
_AT_ONCE_MAX = 50  # tickets that change before the list is read again; a larger job has a page with its progress

Act = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Address = Annotated[str, msgspec.Meta(max_length=2_000)]


class BulkForm(msgspec.Struct):
    """The chosen tickets and the act. `whole`: every ticket of the list at `next` instead of the chosen ones.

    `tag`: the tag to add, when the act is `tag`.
    """

    act: Act
    ticket: Annotated[list[UUID], msgspec.Meta(max_length=limits.tickets_max)] = []
    whole: bool = False
    tag: Annotated[str, msgspec.Meta(max_length=100)] = ""
    next: Address = "/inbox"

    @property
    def word(self) -> str:
        """The act as one word."""
        return f"tag:add {self.tag}" if self.act == "tag" else self.act


class JobForm(msgspec.Struct):
    """The page to show next."""

    next: Address = "/inbox"


def _selection(call: AnyCall, form: BulkForm) -> Selection:
    if not form.whole:
        if not form.ticket:
            raise Invalid([FieldProblem("ticket", "expected at least one ticket")])
        return Selection(ids=form.ticket)
    return pane.selection(_as_list(call, form.next))


def _as_list(call: AnyCall, address: str) -> tuple[AnyCall, str]:
    """Return a request for the list of an address, and the key of its view. Raises Invalid."""
    parts = urlsplit(own_address(address))
    if not parts.path.startswith("/inbox/"):
        raise Invalid([FieldProblem("next", "expected the address of a list")])
    environ = {**call.request.env, "PATH_INFO": parts.path, "QUERY_STRING": parts.query, "REQUEST_METHOD": "GET"}
    request = falcon.Request(environ, options=call.request.options)
    assert len(parse_qsl(parts.query)) < 1_000, "an address of 2,000 characters has no more parameters"
    return Call(request, {}, call.incoming, call.principal, None, None), parts.path.removeprefix("/inbox/")


@pages.post(
    "/inbox/bulk/preview",
    "Preview a bulk change",
    form=BulkForm,
    needs=Permission.tickets_bulk,
    cost=Cost.heavy,
)
def preview_bulk(call: Call[BulkForm]) -> Answer:
    """Tries the act on a sample, and takes everything back."""
    form = call.body
    with reading(rendering.speaking(call)):
        wanted = _selection(call, form)
        found = previews.preview(wanted, acts.stored(form.word, call, confirmed=True), call.caller)
        rows = [tried.ticket for tried in found.sample]
        shown = ticket_rows.listed(
            rows, ("workflow", "workflow_version", "state"), role=call.caller.role, reader=call.caller.owner_id
        )
        known = acts.choices(call, shown)
        tried = [
            {
                "ticket": one.ticket,
                "outcome": one.outcome.outcome,
                "reasons": [_guard(call, one.ticket).text(reason) for reason in one.outcome.reasons],
            }
            for one in found.sample
        ]
        title = acts.title(form.word, known)
        confirm = next((one.confirm for one in known.transitions if one.act == form.word), "")
    return rendering.page(
        call,
        "inbox/bulk_preview.html",
        title=title,
        form=form,
        found=found,
        counts=found.counts(),
        tried=sorted(tried, key=lambda one: one["outcome"] == "changed"),
        confirm=confirm,
        back=own_address(form.next, "/inbox"),
    )


def _guard(call: AnyCall, ticket: Ticket) -> Guard:
    return Guard.of(ticket, str(call.caller.role))


@pages.post("/inbox/bulk", "Start a bulk change", form=BulkForm, needs=Permission.tickets_bulk, cost=Cost.heavy)
def start_bulk(call: Call[BulkForm]) -> Answer:
    """Leads back to the list, or to the progress of a large change."""
    form, back = call.body, own_address(call.body.next, "/inbox")
    with reading(rendering.speaking(call)):
        stored = acts.stored(form.word, call, confirmed=True)
        job = jobs.start(_selection(call, form), stored, note=None, caller=call.caller)
        text = ngettext("%(num)s ticket is being changed", "%(num)s tickets are being changed", job.tickets)
    if job.tickets > _AT_ONCE_MAX:
        return see(f"/inbox/bulk/{job.id}")
    undo = f"/inbox/bulk/{job.id}/undo"
    return see(back, cookies.toast(cookies.Toast(text, undo=undo), settings.current()))


@pages.get("/inbox/bulk/{bulk}", "The progress of a bulk change", needs=Permission.tickets_bulk)
def show_bulk(call: Call) -> Answer:
    """With the tickets that were refused, and why."""
    job = jobs.find(_bulk_id(call), call.caller.owner_id)
    sight = Sight.of(call.caller)
    refused = [
        row
        for outcome in ("refused", "failed")
        for row in jobs.items(job.id, outcome=outcome, after=None, limit=limits.preview_max, sight=sight)
    ]
    ids = [row["ticket_id"] for row in refused]
    tickets = {ticket.id: ticket for ticket in (Ticket.select().where(Ticket.id.in_(ids)) if ids else [])}
    shown = [
        (tickets[row["ticket_id"]], [_guard(call, tickets[row["ticket_id"]]).text(one) for one in row["reasons"] or []])
        for row in refused
        if row["ticket_id"] in tickets
    ]
    with reading(rendering.speaking(call)):
        title = _("Bulk change")
    tag = f"{job.id}-{job.state}-{job.changed + job.unchanged + job.refused + job.failed}"
    return rendering.page(call, "inbox/bulk_job.html", title=title, job=job, refused=shown, tag=tag)


def _bulk_id(call: AnyCall) -> UUID:
    return paging.id_of(call.params["bulk"], "bulk change")


@pages.post("/inbox/bulk/{bulk}/cancellation", "Cancel a bulk change", form=JobForm, needs=Permission.tickets_bulk)
def cancel_bulk(call: Call[JobForm]) -> Answer:
    """Stops before the next tickets, and discards the messages that have not left."""
    job = jobs.cancel(_bulk_id(call), caller=call.caller)
    return see(f"/inbox/bulk/{job.id}")


@pages.post("/inbox/bulk/{bulk}/undo", "Undo a bulk change", form=JobForm, needs=Permission.tickets_bulk)
def undo_bulk(call: Call[JobForm]) -> Answer:
    """Restores the tickets of the change; one that still runs is stopped first. Leads back to the page it came from."""
    job = jobs.find(_bulk_id(call), call.caller.owner_id)
    if job.state == jobs.RUNNING:
        jobs.cancel(job.id, caller=call.caller)
    made = jobs.undo(job.id, caller=call.caller)
    with reading(rendering.speaking(call)):
        text = ngettext("%(num)s ticket is being restored", "%(num)s tickets are being restored", made.tickets)
    came_from = urlsplit(call.request.get_header("Referer") or "")
    back = own_address(came_from._replace(scheme="", netloc="", fragment="").geturl() or call.body.next, "/inbox")
    return see(back, cookies.toast(cookies.Toast(text), settings.current()))
