"""Read tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from models.kernel.errors import NotFound
from models.kernel.ids import parse_id
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.tickets.tables import Ticket

_SELECT = f"SELECT {Ticket.selected()} FROM tickets"
_LOCK = Prepared(f"{_SELECT} WHERE id = :id FOR_UPDATE")


def find(reference: str, *, conditions: str = "1 = 1", values: Mapping[str, Any] | None = None) -> Ticket:
    """A ticket by id or number, as a person or a URL writes it.

    `conditions`: a further condition with its values (models/visibility/sight.py). Raises NotFound.
    """
    row = None
    if reference.isascii() and reference.isdigit() and len(reference) < 19:
        row = database.one(f"{_SELECT} WHERE number = :number AND {conditions}", values, number=int(reference))
    elif (ticket_id := parse_id(reference)) is not None:
        row = database.one(f"{_SELECT} WHERE id = :id AND {conditions}", values, id=ticket_id)
    if row is None:
        raise NotFound(f"there is no ticket {reference[:40]!r}")
    return Ticket.from_row(row)


def lock(ticket_id: UUID) -> Ticket:
    """The ticket, its row held until the transaction ends. Raises NotFound."""
    assert database.in_transaction(), "a row is held by a transaction"
    row = database.one(_LOCK, id=ticket_id)
    if row is None:
        raise NotFound(f"there is no ticket {ticket_id}")
    return Ticket.from_row(row)


def lock_all(ticket_ids: Sequence[UUID]) -> None:
    """Hold the rows of several tickets, locked in the order of their ids, as every act that locks several does."""
    assert database.in_transaction(), "a row is held by a transaction"
    places, values = database.in_list("id", ticket_ids)
    database.execute(f"SELECT id FROM tickets WHERE id IN {places} ORDER BY id FOR_UPDATE", values)


def count_by_tag(conditions: str, values: Mapping[str, Any], *, after: str, limit: int) -> list[database.Row]:
    """Count the tickets of each tag behind `after`, by name, in one pass over the tickets outside of the bin.

    `conditions`: the tickets that count, with its values.
    """
    if database.is_postgres():
        # By code points, as Python sorts names and SQLite compares them.
        statement = (
            'SELECT tag.name COLLATE "C" AS name, count(*) AS tickets FROM tickets'
            " CROSS JOIN jsonb_array_elements_text(tickets.tags) AS tag (name)"
            f" WHERE tickets.binned_at IS NULL AND {conditions}"
            ' AND tag.name COLLATE "C" > :after GROUP BY 1 ORDER BY 1 LIMIT :limit'
        )
    else:
        statement = (
            "SELECT tag.value AS name, count(*) AS tickets FROM tickets CROSS JOIN json_each(tickets.tags) AS tag"
            f" WHERE tickets.binned_at IS NULL AND {conditions}"
            " AND tag.value > :after GROUP BY 1 ORDER BY 1 LIMIT :limit"
        )
    return database.run(statement, values, after=after, limit=limit)


def count_open_of(user_id: UUID) -> int:
    """Return the number of open tickets that are assigned to a user."""
    return int(Ticket.select().where(Ticket.assignee_id == user_id, Ticket.category.not_in(["done", "closed"])).count())


def open_ids_of(user_id: UUID, *, limit: int) -> list[UUID]:
    """Return the ids of the open tickets that are assigned to a user, oldest first."""
    query = Ticket.select(Ticket.id).where(Ticket.assignee_id == user_id, Ticket.category.not_in(["done", "closed"]))
    return [row["id"] for row in database.rows(query.order_by(Ticket.id).limit(limit))]


_NEXT_NUMBER = Prepared("SELECT nextval('ticket_numbers') AS number")


def next_number() -> int:
    """The number of the next ticket.

    PostgreSQL's sequence may leave gaps where a transaction failed; numbers never repeat.
    """
    if database.is_postgres():
        return int(database.run(_NEXT_NUMBER)[0]["number"])
    return int(
        database.run("UPDATE counters SET value = value + 1 WHERE name = 'ticket_numbers' RETURNING value")[0]["value"]
    )


def pass_number(number: int) -> bool:
    """Let later tickets get numbers above `number`. Joins the caller's transaction.

    Returns False for a number that is too far ahead to pass. The sequence of PostgreSQL only steps, because setting it
    could set it back behind a number that another transaction takes in this moment.
    """
    if not database.is_postgres():
        database.execute(
            "UPDATE counters SET value = :number WHERE name = 'ticket_numbers' AND value < :number", number=number
        )
        return True
    row = database.run("SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS last FROM ticket_numbers")
    ahead = number - int(row[0]["last"])
    if ahead > numbers_passed_max:
        return False
    if ahead > 0:
        database.run("SELECT max(nextval('ticket_numbers')) AS last FROM generate_series(1, :ahead)", ahead=ahead)
    return True


numbers_passed_max = 1_000_000  # in one step: half a second of PostgreSQL; older numbers of a desk are not so sparse
