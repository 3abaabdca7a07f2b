"""GET /v1/tickets: the list of tickets, filtered, sorted and paged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages, ticket_rows
from functions.views.ticket_rows import Column
from models.identity.rules import Permission
from models.kernel import limits
from models.search import finding, searching
from models.search.syntax.parsing import query_chars_max
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import count, listed, total_max
from models.ticket_lists.resolving import resolve
from models.ticket_lists.sorts import SORTS, SortWord
from models.ticket_lists.words import FilterWords

operations = Operations()


class Paging(Protocol):
    """The parameters of every list of tickets besides its filters. `fields`: the columns; none means all."""

    limit: int
    cursor: str | None
    fields: list[Column]
    total: bool


class TicketQuery(FilterWords, kw_only=True):
    """The filters, the order and the paging of the list of tickets."""

    q: Annotated[str, msgspec.Meta(max_length=query_chars_max)] | None = None
    sort: SortWord = "-updated_at"
    fields: list[Column] = msgspec.field(default_factory=list)
    total: bool = False
    limit: pages.Limit = limits.page_size_default
    cursor: pages.Cursor | None = None


_KINDS: dict[str, Callable[[str], Any]] = {"instant": pages.instant, "number": pages.number, "text": pages.text}


@operations.add(
    "GET",
    "/v1/tickets",
    summary="List tickets",
    needs=Permission.tickets_read,
    query=TicketQuery,
    answers={200: ticket_rows.TicketPage},
    unlocked=True,  # a search has transactions of its own, with a time limit of its own
)
def list_tickets(call: Call[None, TicketQuery]) -> Answer:
    """A ticket of the list meets all filters. Several values of one filter, separated by commas, mean any of them;
    `tag` wants all of its tags. `not_...` leaves tickets out. `field.<name>` and `not_field.<name>` compare a custom
    field. An unknown value answers 422 with the known ones. `q` is a query as in `GET /v1/search`, which also
    returns snippets.

    `next_due_at` is the earliest due instant of a ticket's running promises. In every order, tickets without the value
    come last.

    Snoozed tickets and tickets in the bin are left out, unless `snoozed` or `bin` asks for them.
    """
    query = call.query
    wanted = resolve(query, sight_of(call))
    search = searching.read(query.q, wanted=wanted, sight=sight_of(call)).search if query.q else None
    return answer(call, wanted, query, sort=query.sort, of="tickets", search=search)


def answer(
    call: AnyCall,
    wanted: TicketFilter,
    query: Paging,
    *,
    sort: str,
    of: str,
    search: finding.Search | None = None,
) -> Answer:
    """A page of the tickets of a filter, or of a search within it. `of`: the name of the list, which its cursors
    carry.
    """
    sight, name = sight_of(call), f"{of}:{sort}"
    after = pages.decode(query.cursor, name, pages.optional(_KINDS[SORTS[sort].kind]), UUID)
    read = partial(listed, wanted, sight=sight) if search is None else partial(finding.page, search)
    rows = read(sort=sort, after=(after[0], after[1]) if after else None, limit=query.limit + 1)
    page, cursor = pages.cut(
        rows, query.limit, name, lambda row: (pages.optional_text(row.position[0]), row.position[1])
    )
    items = ticket_rows.listed(
        [row.ticket for row in page], query.fields, role=call.caller.role, reader=call.caller.owner_id
    )
    shown = ticket_rows.TicketPage(items, cursor)
    if query.total:
        found = count(wanted, sight=sight) if search is None else finding.count(search, most=total_max)
        shown.total = ticket_rows.count(found, total_max)
    return Answer(shown)
