"""The documents that an erasure of a person's data writes again: an index must not keep erased words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import peewee

from models.conversations.tables import Message
from models.kernel.storage import database
from models.search.index import writing
from models.search.tables import SearchDocument
from models.search.text.folding import folded

_ids_at_once = 200  # tickets or messages in one statement


def documents_with(
    ticket_ids: Sequence[UUID], message_ids: Sequence[UUID], addresses: Mapping[str, Sequence[str]]
) -> set[UUID]:
    """Return the tickets whose documents hold texts of a person: theirs, those in which they wrote, and those that have
    an address of theirs.
    """
    found = set(ticket_ids)
    for ids in _parts(message_ids):
        written = Message.select(Message.ticket_id).where(Message.id.in_(ids)).distinct()
        found |= {row["ticket_id"] for row in database.rows(written)}
    for mine in addresses.values():
        for address in mine:
            # A scan of the documents. An erasure is rare, and an address may stand inside of another identifier.
            has_it = peewee.fn.INSTR if not database.is_postgres() else peewee.fn.STRPOS
            named = SearchDocument.select(SearchDocument.ticket_id).where(
                (has_it(SearchDocument.names, folded(address)) > 0)
                | (has_it(SearchDocument.note_names, folded(address)) > 0)
            )
            found |= {row["ticket_id"] for row in database.rows(named)}
    return found


def write_again(ticket_ids: Iterable[UUID]) -> None:
    """Write the documents as the tickets' rows are after an erasure. Joins its transaction."""
    for ids in _parts(sorted(ticket_ids)):
        writing.index_tickets(ids)
    if not database.is_postgres():
        # FTS5 keeps the words of a removed document in its segments until they are merged (SQLite manual, FTS5, 6.5).
        database.run("INSERT INTO search_tokens (search_tokens) VALUES ('optimize')")


def _parts(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    for start in range(0, len(ids), _ids_at_once):
        yield ids[start : start + _ids_at_once]
