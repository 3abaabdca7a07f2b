"""The export of a person's data as one document (GDPR, articles 15 and 20): all columns that the register exports."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from models.attachments.tables import Attachment
from models.conversations.tables import Conversation, TicketParticipant, UnreachableChat
from models.events.tables import EventRow
from models.inbox.tables import InboxEvent
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.table import Table, first
from models.privacy.register.columns import TABLES
from models.privacy.register.treatments import Treatment
from models.privacy.rows import DELETED, EMPTIED, Person, parts
from models.requesters.tables import Organisation, Requester
from models.tickets.tables import Ticket


def export(requester_id: UUID) -> JsonObject:
    """Return all data that the desk has about a person. Raises NotFound.

    Messages of other people in the person's tickets are theirs and are left out.
    """
    person = Person.of(requester_id)
    requesters = _rows(Requester, Requester.id, person.requester_ids)
    found: JsonObject = {
        "requester": next(row for row in requesters if row["id"] == str(requester_id)),
        "organisation": _organisation(requester_id),
        "merged_requesters": [row for row in requesters if row["id"] != str(requester_id)],
        "tickets": _rows(Ticket, Ticket.id, person.ticket_ids),
    }
    for rows in (*DELETED, *EMPTIED):
        if _is_exported(rows.table):
            found.setdefault(rows.section, []).extend(_rows(rows.table, rows.column, rows.ids(person)))
    _nest(found, "deliveries", "delivery_attempts", "delivery_id", "attempts")
    _nest(found, "approvals", "approval_votes", "approval_id", "votes")
    for message in found["messages"]:
        channel = message["channel"]
        message["reactions"] = {who: what for who, what in message["reactions"].items() if person.owns(channel, who)}
    found["attachments"] = _rows(Attachment, Attachment.message_id, person.message_ids)
    found["history"] = _history(person)
    own = EventRow.select(*_columns(EventRow)).where(person.own_events)
    found["requester_history"] = [
        _plain(row) for row in database.rows(own.order_by(EventRow.aggregate_id, EventRow.sequence))
    ]
    found["events"] = [_readable(row) for row in _rows(InboxEvent, InboxEvent.id, person.inbox_ids)]
    participants = database.rows(TicketParticipant.select(*_columns(TicketParticipant)).where(person.participants))
    found["participants"] = [_plain(row) for row in participants]
    for section, table in (("chats", Conversation), ("unreachable_chats", UnreachableChat)):
        names = {field.column_name for field in _columns(table)}
        found[section] = [
            _plain({name: value for name, value in row.items() if name in names}) for row in person.chats(table)
        ]
    return found


def _organisation(requester_id: UUID) -> JsonObject | None:
    """Return the id and name of the organisation that the person belongs to. Its fields are facts about a company."""
    query = Organisation.select(Organisation.id, Organisation.name).join(
        Requester, on=(Requester.organisation_id == Organisation.id)
    )
    row = first(query.where(Requester.id == requester_id))
    return None if row is None else _plain(row)


def _is_exported(table: type[Table]) -> bool:
    return any(entry.treatment is Treatment.exported for entry in TABLES[str(table._meta.table_name)].values())


def _columns(table: type[Table]) -> list[Any]:
    """Return the columns that hold no text, and those that the register exports."""
    entries = TABLES[str(table._meta.table_name)]
    return [
        field
        for field in table._meta.sorted_fields
        if field.column_name not in entries or entries[field.column_name].is_exported
    ]


def _rows(table: type[Table], column: Any, ids: Sequence[UUID]) -> list[JsonObject]:
    order = table._meta.fields.get("created_at", column)
    found = [
        row
        for some in parts(ids)
        for row in database.rows(table.select(*_columns(table)).where(column.in_(some)).order_by(order, column))
    ]
    return [_plain(row) for row in found]


def _plain(row: JsonObject) -> JsonObject:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}


def _nest(found: JsonObject, outer: str, inner: str, key: str, name: str) -> None:
    """Put the rows of one section into the rows of another that they belong to."""
    by_id: dict[str, list[JsonObject]] = defaultdict(list)
    for row in found.pop(inner):
        by_id[row[key]].append(row)
    for row in found[outer]:
        row[name] = by_id[row["id"]]


def _history(person: Person) -> list[JsonObject]:
    """Return the history of the person's tickets without the earlier versions of other people's messages."""
    others = {str(message_id) for message_id in person.others_message_ids}
    columns = [
        EventRow.aggregate_id.alias("ticket_id"),
        *(column for column in _columns(EventRow) if column is not EventRow.aggregate_id),
    ]
    found = [
        row
        for ids in parts(person.ticket_ids)
        for row in database.rows(
            EventRow.select(*columns)
            .where(EventRow.aggregate == "ticket", EventRow.aggregate_id.in_(ids))
            .order_by(EventRow.aggregate_id, EventRow.sequence)
        )
    ]
    return [_plain(row) for row in found if row["payload"].get("message_id") not in others]


def _readable(event: JsonObject) -> JsonObject:
    """Return an event with its bytes as text, or in base64 when they are no text (UTF-8).

    An event that made a message has no bytes in the export: the message has its words, and the attachments its files.
    """
    raw, fetched = event.pop("raw_bytes"), event.pop("fetched")
    if event["message_id"] is not None:
        return event
    content = bytes(fetched if fetched is not None else raw)
    try:
        return {**event, "encoding": "text", "content": content.decode()}
    except UnicodeDecodeError:
        return {**event, "encoding": "base64", "content": base64.b64encode(content).decode()}
