"""Pages of ticket lists by keyset, and bounded counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import peewee

from models.ticket_lists import conditions, priorities, sorts
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.sorts import SORTS, Order
from models.tickets.tables import Ticket
from models.visibility.sight import Sight

# -- limits ------------------------------------------------------------------------------------------------------------
total_max = 10_000  # a total is exact up to here; counting more costs tens of milliseconds that nobody reads

# The position after a ticket: the value that the list is sorted by (None: the ticket has none), and the ticket's id.
Position = tuple[Any, UUID]


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket of a page, and its position in the list's order."""

    ticket: Ticket
    position: Position


def page(wanted: TicketFilter, *, sort: str, after: Position | None, limit: int, sight: Sight) -> list[Ticket]:
    """Return up to `limit` visible tickets after a position, in the order of `sort` (a key of SORTS)."""
    return [one.ticket for one in listed(wanted, sort=sort, after=after, limit=limit, sight=sight)]


def listed(
    wanted: TicketFilter,
    *,
    sort: str,
    after: Position | None,
    limit: int,
    sight: Sight,
    also: Sequence[Any] = (),
) -> list[Listed]:
    """Return up to `limit` visible tickets after a position, with their positions, in the order of `sort`.

    `also`: further conditions over Ticket, such as those of a search.

    An order by a value that a ticket may lack needs a second statement when the tickets with a value end in the page.
    An order by rank needs one for each rank that the page touches.
    """
    order = SORTS[sort]
    columns = [Ticket, order.value.alias("sort_value")] if order.joined is not None else [Ticket]
    found: list[Listed] = []
    for part in _parts(order, after):
        query = _visible(sorts.joined(Ticket.select(*columns), order), wanted, sight, also)
        if part.conditions:
            query = query.where(*part.conditions)
        ids = Ticket.id.desc() if order.descending else Ticket.id.asc()
        for row in query.order_by(*part.order, ids).limit(limit - len(found)).objects():
            value = row.sort_value if order.joined is not None else getattr(row, order.value.name)
            found.append(Listed(row, (value, row.id)))
        if len(found) == limit:
            break
    return found


def count(wanted: TicketFilter, *, sight: Sight, most: int = total_max) -> int:
    """Return the number of visible tickets, at most `most` + 1, which means that there are more."""
    return int(bounded(wanted, sight=sight, most=most).count())


def bounded(wanted: TicketFilter, *, sight: Sight, most: int, also: Sequence[Any] = ()) -> Any:
    """Return a query of one row for each visible ticket, at most `most` + 1 rows."""
    return _visible(Ticket.select(peewee.SQL("1 AS one")), wanted, sight, also).limit(most + 1)


def _visible(query: Any, wanted: TicketFilter, sight: Sight, also: Sequence[Any] = ()) -> Any:
    if not sight.sees_all:
        query = query.where(sight.tickets())
    for condition in (*conditions.of(wanted), *also):
        query = query.where(condition)
    return query


@dataclass(frozen=True, slots=True)
class _Part:
    """Consecutive tickets of an order that one statement reads."""

    conditions: Sequence[Any]
    order: Sequence[Any] = ()


def _parts(order: Order, after: Position | None) -> Iterator[_Part]:
    return _by_rank(order, after) if order.is_ranked else _by_value(order, after)


def _by_value(order: Order, after: Position | None) -> Iterator[_Part]:
    """The tickets with a value, then those without one."""
    column = order.value
    if after is None or after[0] is not None:
        here = [column.is_null(False)] if order.null else []
        if after is not None:
            here.append(_beyond(order, column, after))
        yield _Part(here, [column.desc() if order.descending else column.asc()])
    if order.null:
        is_inside = after is not None and after[0] is None
        yield _Part([column.is_null(), *([_id_beyond(order, after[1])] if after is not None and is_inside else [])])


def _by_rank(order: Order, after: Position | None) -> Iterator[_Part]:
    """The tickets of each rank, then those with a word that has no rank any more, by the word."""
    column, ranked = order.value, priorities.ranked()
    ranks = list(reversed(ranked)) if order.descending else list(ranked)
    if after is not None and after[0] in ranks:
        ranks = ranks[ranks.index(after[0]) :]
        yield _Part([column == ranks.pop(0), _id_beyond(order, after[1])])
    if after is None or after[0] in ranked:
        for rank in ranks:
            yield _Part([column == rank])
        after = None
    here = [column.not_in(ranked), *([_beyond(order, column, after)] if after is not None else [])]
    yield _Part(here, [column.desc() if order.descending else column.asc()])


def _beyond(order: Order, column: Any, after: Position) -> Any:
    """The condition of the tickets after a position. The outer comparison lets an index begin at the position."""
    value, ticket_id = after
    if order.descending:
        return (column <= value) & ((column < value) | (Ticket.id < ticket_id))
    return (column >= value) & ((column > value) | (Ticket.id > ticket_id))


def _id_beyond(order: Order, ticket_id: UUID) -> Any:
    return Ticket.id < ticket_id if order.descending else Ticket.id > ticket_id
