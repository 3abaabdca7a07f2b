"""Write documents, and keep the list of tickets whose document must be written again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import for_update, now
from models.search.index import documents, reading
from models.search.tables import SearchDocument, SearchPending
from models.tickets.tables import Ticket

documents_at_once = 50  # in one transaction, which then takes some 0.2 s; the index has one writer at a time

_COLUMNS = SearchDocument.columns()
_UPDATED = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "ticket_id")


def _statement(tokens: str) -> str:
    values = {"tokens": tokens, "indexed_at": "NOW()"}
    VALUES = ", ".join(values.get(name, f":{name}") for name in _COLUMNS)  # noqa: N806 -- a part of SQL
    return (
        f"INSERT INTO search_documents ({SearchDocument.selected()}) VALUES ({VALUES})"
        f" ON CONFLICT (ticket_id) DO UPDATE SET {_UPDATED}"
    )


_WRITE_ON_POSTGRES = _statement("array_to_tsvector(CAST(:tokens AS text[]))")
_WRITE_ON_SQLITE = _statement(":tokens")


def index_tickets(ticket_ids: Sequence[UUID]) -> None:
    """Write the documents of tickets as their rows are now; a ticket that is gone has none. Joins the transaction.

    One writer at a time, so that nobody who read the rows earlier writes later.
    """
    advisory_lock("search_index")
    found = reading.sources(ticket_ids)
    gone = [one for one in ticket_ids if one not in found]
    if gone:
        SearchDocument.delete().where(SearchDocument.ticket_id.in_(gone)).execute()
    for ticket_id, source in found.items():
        _write(ticket_id, source.number, documents.document(source))


def mark_all() -> None:
    """Note that every document must be written again. Joins the transaction."""
    everything = Ticket.select(Ticket.id, now()).where(Ticket.id.not_in(SearchPending.select(SearchPending.ticket_id)))
    columns = [SearchPending.ticket_id, SearchPending.since]
    SearchPending.insert_from(everything, columns).on_conflict_ignore().execute()


@dataclass(frozen=True, slots=True)
class State:
    """The numbers of documents, of tickets whose document must be written, and of documents of an earlier form."""

    documents: int
    pending: int
    old: int


def state() -> State:
    """Return the state of the index."""
    [row] = database.run(
        "SELECT (SELECT count(*) FROM search_documents) AS documents, (SELECT count(*) FROM search_pending) AS pending,"
        " (SELECT count(*) FROM search_documents WHERE form <> :form) AS old",
        form=documents.FORM,
    )
    return State(row["documents"], row["pending"], row["old"])


def analyse() -> None:
    """Let the planner count the tokens after many documents were written; it chooses by their frequencies."""
    if database.is_postgres():
        database.run("ANALYZE search_documents")


def index_ticket(ticket_id: UUID) -> None:
    """Write the document of one ticket as its rows are now."""
    index_tickets([ticket_id])


def index_pending(limit: int) -> int:
    """Write the documents of up to `limit` marked tickets; return their number. Joins the transaction.

    The marks are deleted before the rows are read, so a change that comes meanwhile leaves a mark of its own.
    """
    oldest = SearchPending.select(SearchPending.ticket_id).order_by(SearchPending.since).limit(limit)
    ticket_ids = [row["ticket_id"] for row in database.rows(for_update(oldest))]
    if ticket_ids:
        SearchPending.delete().where(SearchPending.ticket_id.in_(ticket_ids)).execute()
        index_tickets(ticket_ids)
    return len(ticket_ids)


def _write(ticket_id: UUID, number: int, document: documents.Document) -> None:
    values: database.Parameters = {
        "ticket_id": ticket_id,
        "number": number,
        "form": documents.FORM,
        "texts": document.texts,
        "notes": document.notes,
        "fields": document.fields,
        "names": document.names,
        "note_names": document.note_names,
    }
    if database.is_postgres():
        database.run(_WRITE_ON_POSTGRES, values, tokens=list(document.tokens))
    else:
        database.run(_WRITE_ON_SQLITE, values, tokens=" ".join(document.tokens))
