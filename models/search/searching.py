"""Read a caller's query: its tree, the conditions of its operators, and the texts that the caller may search."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from models.definitions import desk
from models.kernel import clock
from models.kernel.text import clean
from models.search.finding import Search
from models.search.scope import Scope
from models.search.syntax import parsing
from models.search.syntax.operators import Operators
from models.search.syntax.tree import Query
from models.ticket_lists.filters import TicketFilter
from models.tickets import ticket_fields
from models.visibility.sight import Sight


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """A query and the search that it means."""

    query: Query
    search: Search


def read(text: str, *, wanted: TicketFilter, sight: Sight) -> ReadQuery:
    """Return the search of a query within a filter. Raises Invalid for an unknown operator or value.

    Everybody who reads tickets reads their notes.
    """
    operators = Operators(sight, ZoneInfo(desk.current().zone), clock.now())
    query = parsing.parse(clean(text), operators.check)
    scope = Scope(notes=True, fields=ticket_fields.searchable(sight.role))
    return ReadQuery(query, Search(query.node, scope, operators.widened(wanted), sight, operators.condition))
