"""The tickets of a bulk change: a list of ids, or a filter, both limited to the tickets that the caller sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.bulk import limits
from models.bulk.tables import BulkItem
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.search import finding
from models.search.finding import Search
from models.ticket_lists import conditions
from models.ticket_lists.filters import TicketFilter
from models.tickets.tables import Ticket
from models.visibility.sight import Sight

_written_at_once = 200  # rows of one INSERT; four values each stay below the bounds of both engines


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen tickets: by ids, or by a filter. `search`: a search within the filter. `source`: the filter as the
    caller wrote it, kept for people.
    """

    ids: Sequence[UUID] = ()
    filter: TicketFilter | None = None
    search: Search | None = None
    source: JsonObject | None = None


def ticket_ids(wanted: Selection, sight: Sight) -> list[UUID]:
    """Return the ids of the tickets in the order of their ids. Raises Invalid for too many.

    An id that the caller does not see stays in a list: its outcome says that there is no such ticket.
    """
    if wanted.filter is None:
        return sorted(set(wanted.ids))
    found_by = [] if wanted.search is None else finding.conditions(wanted.search)
    query = Ticket.select(Ticket.id).where(*conditions.of(wanted.filter), *found_by, sight.tickets())
    found = [row["id"] for row in database.rows(query.order_by(Ticket.id).limit(limits.tickets_max + 1))]
    if len(found) > limits.tickets_max:
        raise Invalid([FieldProblem("/filter", f"expected at most {limits.tickets_max} tickets, found more")])
    return found


def write(bulk_id: UUID, ids: Sequence[UUID]) -> None:
    """Store the tickets as items that wait. The order of ids is the order in which their rows are locked."""
    for start in range(0, len(ids), _written_at_once):
        part = ids[start : start + _written_at_once]
        BulkItem.insert_many(
            [
                {"bulk_id": bulk_id, "position": start + index, "ticket_id": ticket_id}
                for index, ticket_id in enumerate(part)
            ]
        ).execute()
