"""Read the texts of tickets from their rows, a few statements for many tickets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import peewee

from models.attachments.tables import Attachment
from models.conversations.tables import Message, MessageReference, TicketParticipant
from models.kernel import names
from models.kernel.storage import database
from models.kernel.text import ERASED
from models.requesters.tables import Identity, Requester
from models.search.index.documents import Source, Texts, text_chars_max
from models.tickets.tables import Ticket

messages_max = 500  # of one ticket: the first and the newest; no life cycle of a desk has more, a runaway loop does
message_chars_max = 32_768  # the beginning of a message; a longer one is a pasted log
rows_max = 1_000  # of each other kind, for instance files or participants
field_values_max = 200  # of one ticket; a list in a field has its own, smaller bound


def sources(ticket_ids: Sequence[UUID]) -> dict[UUID, Source]:
    """Return the texts of the tickets that exist."""
    tickets = {row.id: row for row in Ticket.select().where(Ticket.id.in_(ticket_ids))}
    requesters = {row.requester_id for row in tickets.values() if row.requester_id is not None}
    found = _Rows(list(tickets), sorted(requesters))
    return {ticket_id: _source(ticket, found) for ticket_id, ticket in tickets.items()}


class _Rows:
    """The rows of many tickets, by ticket or requester."""

    def __init__(self, tickets: Sequence[UUID], requesters: Sequence[UUID]) -> None:
        self.messages = _by("ticket_id", messages_of(tickets, newest=messages_max, chars=message_chars_max))
        self.files = _by("ticket_id", _files(tickets))
        self.references = _by("ticket_id", _of(MessageReference, tickets, "external_id", "message_id"))
        self.participants = _by("ticket_id", _of(TicketParticipant, tickets, "name", "address"))
        names = Requester.select(Requester.id, Requester.name).where(Requester.id.in_(requesters))
        self.requesters = {row["id"]: row["name"] for row in database.rows(names)}
        owned = Identity.select(Identity.requester_id, Identity.address, Identity.display_name)
        self.identities = _by(
            "requester_id",
            database.rows(owned.where(Identity.requester_id.in_(requesters)).order_by(Identity.created_at)),
        )


def _by(column: str, rows: Iterable[database.Row]) -> dict[Any, list[database.Row]]:
    found: dict[Any, list[database.Row]] = defaultdict(list)
    for row in rows:
        if len(found[row[column]]) < rows_max:
            found[row[column]].append(row)
    return found


def _of(table: Any, tickets: Sequence[UUID], *columns: str) -> list[database.Row]:
    wanted = (table.ticket_id, *(getattr(table, name) for name in columns))
    return database.rows(table.select(*wanted).where(table.ticket_id.in_(tickets)))


def messages_of(tickets: Sequence[UUID], *, newest: int, chars: int) -> list[database.Row]:
    """Return the first message and the newest ones of each ticket, in order, with the beginnings of their texts."""
    rank = peewee.fn.ROW_NUMBER().over(partition_by=[Message.ticket_id], order_by=[Message.sequence.desc()])
    columns = (
        Message.id,
        Message.ticket_id,
        Message.sequence,
        Message.kind,
        Message.author_name,
        Message.subject,
        Message.external_id,
        Message.copies,
        peewee.fn.SUBSTR(Message.body, 1, chars).alias("body"),
        rank.alias("rank"),
    )
    present = Message.select(*columns).where(Message.ticket_id.in_(tickets), Message.deleted_at.is_null())
    ranked = present.alias("ranked")
    shown = (
        peewee.Select(from_list=[ranked], columns=[peewee.SQL("ranked.*")])
        .where((ranked.c.rank <= newest) | (ranked.c.sequence == 1))
        .order_by(ranked.c.ticket_id, ranked.c.sequence)
        .bind(database.proxy)
    )
    return [Message.converted(row) for row in database.rows(shown)]


def _files(tickets: Sequence[UUID]) -> list[database.Row]:
    columns = (Attachment.ticket_id, Attachment.message_id, Attachment.filename)
    shown = (Attachment.message_id.is_null(False), Attachment.replaced_at.is_null(), ~Attachment.hidden)
    return database.rows(Attachment.select(*columns).where(Attachment.ticket_id.in_(tickets), *shown))


def _source(ticket: Ticket, found: _Rows) -> Source:
    messages = {row["id"]: row for row in found.messages[ticket.id]}
    notes = {key for key, row in messages.items() if row["kind"] == "note"}
    public: list[str] = []
    private: list[str] = []
    if ticket.requester_id is not None:
        public.append(found.requesters.get(ticket.requester_id, ""))
        public += [row["display_name"] or "" for row in found.identities[ticket.requester_id]]
    public += [row["name"] for row in found.participants[ticket.id]]
    public += ticket.tags
    for row in _within_bound(list(messages.values())):
        into = private if row["id"] in notes else public
        into += [row["author_name"], row["subject"] or "", row["body"]]
        into += [str(one.get("name", "")) for one in row["copies"]]
    files: dict[bool, list[str]] = {False: [], True: []}
    for row in found.files[ticket.id]:
        if row["message_id"] in messages:
            files[row["message_id"] in notes].append(row["filename"])
    return Source(
        number=ticket.number,
        title=_shown(ticket.title),
        types=[ticket.type, *ticket.former_types],
        public=Texts(_distinct(public), _distinct([*_addresses(ticket, found, messages), *files[False]])),
        notes=Texts(_distinct(private), _distinct(files[True])),
        fields=_fields(ticket),
    )


def _within_bound(messages: list[database.Row]) -> list[database.Row]:
    """Return the first message and the newest ones whose texts fit into the bound, in order."""
    if not messages:
        return []
    first, *later = messages
    left = text_chars_max - len(first["body"])
    kept: list[database.Row] = []
    for row in reversed(later):
        left -= len(row["body"])
        if left < 0:
            break
        kept.append(row)
    return [first, *reversed(kept)]


def _addresses(ticket: Ticket, found: _Rows, messages: dict[UUID, database.Row]) -> Iterator[str]:
    yield ticket.contact_address or ""
    if ticket.requester_id is not None:
        for row in found.identities[ticket.requester_id]:
            yield row["address"]
    for row in found.participants[ticket.id]:
        yield row["address"]
    for row in messages.values():
        yield row["external_id"] or ""
        for one in row["copies"]:
            yield str(one.get("address", ""))
    for row in found.references[ticket.id]:
        if row["message_id"] in messages:
            yield row["external_id"]


def _fields(ticket: Ticket) -> dict[str, list[str]]:
    """The texts of the fields. A field whose name is none of a model's names is of a type without a model."""
    found = {name: _distinct(_leaves(value)) for name, value in ticket.fields.items() if names.is_name(name)}
    return {name: texts for name, texts in found.items() if texts}


def _leaves(value: Any) -> list[str]:
    """The texts and numbers of a field's value."""
    found: list[str] = []
    waiting = [value]
    while waiting and len(found) < field_values_max:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += reversed(list(one.values()))
        elif isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, str | int | float) and not isinstance(one, bool):
            found.append(str(one))
    return found


def _shown(text: str) -> str:
    return "" if text == ERASED else text


def _distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if _shown(text)]
