"""Pages of ticket lists by keyset."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.ticket_lists import filters
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.sorts import SORTS
from models.tickets.tables import Ticket
from models.visibility.sight import Sight


def page(wanted: TicketFilter, *, sort: str, after: tuple[Any, UUID] | None, limit: int, sight: Sight) -> list[Ticket]:
    """Return up to `limit` visible tickets after the cursor position (sort value, id), in the order of `sort` (a key of
    SORTS). A ticket without a value to sort by is left out.
    """
    column_name, descending = SORTS[sort]
    column = getattr(Ticket, column_name)
    query = Ticket.select()
    if not sight.sees_all:
        query = query.where(sight.tickets())
    for condition in filters.conditions(wanted):
        query = query.where(condition)
    if column.null:
        query = query.where(column.is_null(False))
    if after is not None:
        value, ticket_id = after
        if descending:
            query = query.where((column < value) | ((column == value) & (Ticket.id < ticket_id)))
        else:
            query = query.where((column > value) | ((column == value) & (Ticket.id > ticket_id)))
    order = (column.desc(), Ticket.id.desc()) if descending else (column.asc(), Ticket.id.asc())
    return list(query.order_by(*order).limit(limit))
