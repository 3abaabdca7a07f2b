"""The erasure of a person's data (GDPR, article 17).

It removes the person's texts and identity as the register says; numbers, states and dates of the tickets stay. The
event log is append-only except for an erasure, which empties the texts of the payloads and records PersonalDataErased.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from models.attachments import commands as attachments
from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.conversations.tables import Conversation, Message, MessageMove, TicketParticipant, UnreachableChat
from models.deliveries.tables import Delivery
from models.desk_mail.tables import DeskMail
from models.events.commands import Actor
from models.events.people_payloads import RequesterErased
from models.events.tables import EventRow
from models.events.ticket_payloads import PersonalDataErased
from models.idempotency.tables import IdempotencyKey
from models.inbox import commands as inbox
from models.inbox import erased_addresses
from models.kernel import clock
from models.kernel.errors import Conflict
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.table import JsonField, Table, first, for_update
from models.kernel.text import ERASED
from models.portal.sign_in import MAIL_KIND as PORTAL_LINK
from models.portal.tables import PortalLink, PortalSession
from models.privacy import desk_texts, free_pages
from models.privacy.register import payload_keys
from models.privacy.register.columns import TABLES
from models.privacy.rows import DELETED, EMPTIED, Person, parts
from models.requesters import people_events
from models.requesters.tables import Requester, RequesterCode, RequesterLink
from models.search.index import erased_documents
from models.staff_chat.tables import StaffTopic
from models.tasks.tables import RateBucket, Task
from models.tickets.ticket_change import TicketChange


def erase(requester_id: UUID, *, actor: Actor) -> int:
    """Erase a person's identity and texts; return the number of their tickets. An erasure cannot be undone.

    Joins the caller's transaction. Raises NotFound, and Conflict when the person is erased already.
    """
    free_pages.overwrite()
    # A new ticket of the person takes a lock of this row (its foreign key), and so comes before the erasure or after.
    row = first(for_update(Requester.select(Requester.erased_at).where(Requester.id == requester_id)))
    if row is not None and row["erased_at"] is not None:
        raise Conflict("the requester's data was erased already")
    person = Person.of(requester_id)
    for channel, addresses in person.addresses.items():
        for address in addresses:
            erased_addresses.remember(channel, address)
    # Events before tickets, which is the order of the ingest actor; else each could wait for the other.
    empty_events(person)
    changes = [TicketChange.of_exactly(ticket_id, actor=actor) for ticket_id in person.ticket_ids]
    # Read again under the locks: an event may have been settled before the tickets were locked.
    person = Person.of(requester_id)
    with emptied(person):
        for change in changes:
            _empty_ticket(change)
        _erase_requesters(person)
    people_events.record("requester", requester_id, RequesterErased())
    audit.record(AuditAction.requester_erased, "requester", requester_id, after={"tickets": len(changes)})
    return len(changes)


@contextmanager
def emptied(person: Person) -> Iterator[None]:
    """Empty and delete the rows of a person. The block empties the tickets themselves, under their locks.

    Joins the caller's transaction.
    """
    indexed = erased_documents.documents_with(person.ticket_ids, person.message_ids, person.addresses)
    empty_events(person)
    _empty_history(person)
    _empty_tasks(person)
    _empty_answers(person)
    _remove_reactions(person)
    _remove_copies(person)
    _delete_chats(person)
    desk_texts.remove_addresses(person)
    for ids in parts(person.message_ids):
        attachments.erase(ids)
    _discard(person.delivery_ids)
    TicketParticipant.delete().where(person.participants).execute()
    for rows in EMPTIED:
        for ids in parts(rows.ids(person)):
            rows.table.update(_blanks(rows.table)).where(rows.column.in_(ids)).execute()
    yield
    for rows in DELETED:
        for ids in parts(rows.ids(person)):
            rows.table.delete().where(rows.column.in_(ids)).execute()
    erased_documents.write_again(indexed)


def empty_events(person: Person) -> None:
    """Empty the stored inbound events of a person."""
    for ids in parts(person.inbox_ids):
        inbox.empty(ids)


def _blanks(table: type[Table]) -> dict[Any, Any]:
    """Return the empty value of each column that the register erases."""
    found: dict[Any, Any] = {}
    for name, entry in TABLES[str(table._meta.table_name)].items():
        field = table._meta.columns[name]
        if entry.is_erased and not entry.partly:
            found[field] = None if field.null else entry.blank if isinstance(field, JsonField) else ERASED
    return found


def _erase_requesters(person: Person) -> None:
    changes = {
        **_blanks(Requester),
        Requester.organisation_id: None,
        Requester.erased_at: clock.now(),
        Requester.updated_at: clock.now(),
        Requester.version: Requester.version + 1,
    }
    Requester.update(changes).where(Requester.id.in_(person.requester_ids)).execute()


def _empty_ticket(change: TicketChange) -> None:
    change.ticket.title, change.ticket.fields = ERASED, {}
    change.ticket.contact_channel = change.ticket.contact_account = change.ticket.contact_address = None
    change.ticket.snooze_note = None
    change.record(PersonalDataErased())
    change.save()


def _discard(delivery_ids: Sequence[UUID]) -> None:
    """End the deliveries that were not sent. One that is being sent ends as well; its outcome is not stored."""
    open_states = ("scheduled", "pending", "sending")
    for ids in parts(delivery_ids):
        Delivery.update({Delivery.state: "discarded", Delivery.finished_at: clock.now()}).where(
            Delivery.id.in_(ids), Delivery.state.in_(open_states)
        ).execute()


def _empty_history(person: Person) -> None:
    """Empty the payloads of the person's tickets, and what tickets of others say of the person's messages.

    Earlier versions of other people's messages stay theirs.
    """
    others = {str(message_id) for message_id in person.others_message_ids}
    for ids in parts(person.event_ids):
        for event in database.rows(_payloads().where(EventRow.event_id.in_(ids))):
            if event["payload"].get("message_id") not in others:
                _empty_event(event)
    mine = {str(one) for one in (*person.message_ids, *person.delivery_ids)}
    elsewhere = {
        row["ticket_id"]
        for table, key, wanted in (
            (Message, Message.id, person.message_ids),
            (MessageMove, MessageMove.message_id, person.message_ids),
            (Delivery, Delivery.id, person.delivery_ids),
        )
        for ids in parts(wanted)
        for row in database.rows(table.select(table.ticket_id).where(key.in_(ids)).distinct())
    } - set(person.ticket_ids)
    for ids in parts(sorted(elsewhere)):
        for event in database.rows(_payloads().where(EventRow.aggregate == "ticket", EventRow.aggregate_id.in_(ids))):
            payload = event["payload"]
            if payload.get("message_id") in mine or payload.get("delivery_id") in mine:
                _empty_event(event)
    for event in database.rows(_payloads().where(EventRow.event_type == "copy_not_delivered")):
        if any(person.owns(channel, str(event["payload"].get("recipient"))) for channel in person.addresses):
            _empty_event(event)


def _payloads() -> Any:
    return EventRow.select(EventRow.event_id, EventRow.payload)


def _empty_event(event: JsonObject) -> None:
    emptied = payload_keys.emptied(event["payload"])
    if emptied != event["payload"]:
        EventRow.update({EventRow.payload: emptied}).where(EventRow.event_id == event["event_id"]).execute()


def _empty_tasks(person: Person) -> None:
    """Empty notices to the person and to the topics of their tickets, and the errors of tasks about the person.

    The ordering key of an event's task can name a chat.
    """
    for channel, addresses in person.addresses.items():
        for address in addresses:
            of_events = Task.key.startswith(f"in:{channel}:") & Task.key.endswith(f":{address}")
            # One key for all of them, so that they stay in their order.
            Task.update({Task.key: f"in:erased:{new_id()}"}).where(of_events).execute()
    topics = {
        (row["channel"], row["address"])
        for ids in parts(person.ticket_ids)
        for row in database.rows(StaffTopic.select().where(StaffTopic.ticket_id.in_(ids)))
    }
    mine = {str(one) for ids in (person.ticket_ids, person.inbox_ids, person.delivery_ids) for one in ids}
    columns = (Task.id, Task.kind, Task.payload, Task.state)
    with_text = (Task.kind == "send_notice") | Task.last_error.is_null(False)
    for task in database.rows(Task.select(*columns).where(with_text)):
        payload = task["payload"]
        where = (str(payload.get("channel")), str(payload.get("address")))
        if task["kind"] == "send_notice" and (where in topics or person.owns(*where)):
            state = "discarded" if task["state"] == "ready" else task["state"]
            changes = {Task.payload: payload_keys.emptied(payload), Task.state: state, Task.last_error: None}
        elif mine & {str(value) for value in payload.values()}:
            changes = {Task.last_error: None}
        else:
            continue
        Task.update(changes).where(Task.id == task["id"]).execute()


_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _empty_answers(person: Person) -> None:
    """Replace stored answers about the person, their tickets and messages by 410 (Gone), for a repeat of the request.

    The answers name the rows by their ids, which are unique over all tables, or by an address, as that of a new view.
    """
    mine = {str(one) for ids in (person.requester_ids, person.ticket_ids, person.message_ids) for one in ids}
    addresses = [address for addresses in person.addresses.values() for address in addresses]
    gone = {
        "type": "urn:nestor:problem:erased",
        "title": "Gone",
        "status": 410,
        "detail": "the answer was erased together with a person's data",
        "code": "erased",
    }
    changes = {
        IdempotencyKey.status: 410,
        IdempotencyKey.headers: {"Content-Type": "application/problem+json"},
        IdempotencyKey.body: json.dumps(gone),
    }
    for row in database.rows(IdempotencyKey.select(IdempotencyKey.principal, IdempotencyKey.key, IdempotencyKey.body)):
        named = any(desk_texts.without(row["body"], address) != row["body"] for address in addresses)
        if named or mine & set(_UUID.findall(row["body"])):
            IdempotencyKey.update(changes).where(
                IdempotencyKey.principal == row["principal"], IdempotencyKey.key == row["key"]
            ).execute()


def _remove_reactions(person: Person) -> None:
    """Remove the person's reactions from all messages; those of others stay."""
    reacted = Message.select(Message.id, Message.channel, Message.reactions).where(
        Message.channel.in_(sorted(person.addresses)), Message.reactions.cast("text") != "{}"
    )
    for row in database.rows(reacted):
        kept = {who: what for who, what in row["reactions"].items() if not person.owns(row["channel"], who)}
        if kept != row["reactions"]:
            Message.update({Message.reactions: kept}).where(Message.id == row["id"]).execute()


def _remove_copies(person: Person) -> None:
    """Remove the person from the readers of the desk's messages. What other requesters wrote keeps its readers."""
    with_copies = Message.select(Message.id, Message.channel, Message.copies).where(
        Message.channel.in_(sorted(person.addresses)),
        Message.author_kind != "requester",
        Message.copies.cast("text") != "[]",
    )
    for row in database.rows(with_copies):
        kept = [one for one in row["copies"] if not person.owns(row["channel"], one["address"])]
        if kept != row["copies"]:
            Message.update({Message.copies: kept}).where(Message.id == row["id"]).execute()


def _delete_chats(person: Person) -> None:
    """Delete the rows of the person's chats, the codes, links and portal sessions of their addresses, and rate limits
    named by them.
    """
    for row in person.chats(Conversation):
        Conversation.delete().where(Conversation.id == row["id"]).execute()
    for row in person.chats(UnreachableChat):
        UnreachableChat.delete().where(
            UnreachableChat.channel == row["channel"],
            UnreachableChat.account == row["account"],
            UnreachableChat.address == row["address"],
        ).execute()
    for ids in parts(person.ticket_ids):
        Conversation.delete().where(Conversation.ticket_id.in_(ids)).execute()
    RequesterCode.delete().where(person.at(RequesterCode.channel, RequesterCode.address)).execute()
    addresses = sorted({address for mine in person.addresses.values() for address in mine})
    # Two channels can have the same address of two people. A link of an earlier version has no channel.
    opened_by = person.at(RequesterLink.asked_channel, RequesterLink.asked_address) | (
        RequesterLink.asked_channel.is_null() & RequesterLink.asked_address.in_(addresses)
    )
    RequesterLink.update({RequesterLink.asked_address: None}).where(opened_by).execute()
    for address in addresses:
        PortalLink.delete().where(PortalLink.address == address).execute()
        PortalSession.delete().where(PortalSession.address == address).execute()
        DeskMail.delete().where(DeskMail.kind == PORTAL_LINK, DeskMail.address == address).execute()
        ends = RateBucket.bucket.endswith(f":{address}") | RateBucket.bucket.endswith(f":{address} (line)")
        RateBucket.delete().where(ends).execute()
