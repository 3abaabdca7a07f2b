"""The export of a person's data as one document, and its erasure (GDPR, articles 15, 17 and 20).

An erasure removes the person's texts and identity. The numbers, states and dates of the tickets stay. The event log is
append-only except for an erasure, which removes the texts from the payloads and records PersonalDataErased.
"""

from __future__ import annotations

from uuid import UUID

from models.attachments import commands as attachments
from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.commands import Actor
from models.events.ticket_payloads import PersonalDataErased
from models.kernel import clock, database
from models.kernel.batch import as_json, from_json
from models.kernel.errors import Conflict, NotFound
from models.kernel.open_json import JsonObject
from models.ports import channel_facts
from models.tickets.ticket_change import TicketChange

ERASED = "[erased]"
# Payload keys whose values contain texts, names or addresses of people.
_TEXTS = frozenset(
    {"previous_body", "title", "comment", "fields", "changes", "text", "values", "detail", "error", "payload"}
)


def export(requester_id: UUID) -> JsonObject:
    """Return all data that the desk has about a person. Raises NotFound."""
    row = database.one(
        "SELECT id, name, locale, time_zone, fields, created_at, updated_at, merged_into, erased_at FROM"
        " requesters WHERE id = :id",
        id=requester_id,
    )
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    names = {"id": requester_id}
    found: JsonObject = {"requester": _plain(row)}
    found["identities"] = _all(
        "SELECT channel, address, display_name, suppressed_reason, blocked_reason, verified_by, created_at FROM"
        " identities"
        " WHERE requester_id = :id ORDER BY created_at",
        names,
    )
    found["tickets"] = _all(
        "SELECT id, number, title, type, priority, state, fields, created_at, updated_at, closed_at FROM tickets"
        " WHERE requester_id = :id ORDER BY number",
        names,
    )
    found["messages"] = _all(
        "SELECT m.id, m.ticket_id, m.direction, m.kind, m.author_name, m.subject, m.body, m.body_full, m.channel,"
        " m.details,"
        " m.created_at, m.edited_at FROM messages AS m JOIN tickets AS t ON t.id = m.ticket_id"
        " WHERE (t.requester_id = :id AND m.kind = 'reply') OR (m.author_kind = 'requester' AND m.author_id = :id)"
        " ORDER BY m.created_at, m.id",
        names,
    )
    found["attachments"] = _all(
        "SELECT a.id, a.message_id, a.filename, a.content_type, a.size_bytes, a.sha256, a.created_at FROM"
        " attachments AS a"
        " JOIN messages AS m ON m.id = a.message_id WHERE m.author_kind = 'requester' AND m.author_id = :id ORDER"
        " BY a.created_at, a.id",
        names,
    )
    found["deliveries"] = _all(
        "SELECT d.id, d.message_id, d.channel, d.address, d.state, d.receipt, d.created_at FROM deliveries AS d"
        " JOIN tickets AS t ON t.id = d.ticket_id WHERE t.requester_id = :id ORDER BY d.created_at, d.id",
        names,
    )
    found["ratings"] = _all(
        "SELECT r.ticket_id, r.score, r.comment, r.rated_at FROM ratings AS r JOIN tickets AS t ON t.id = r.ticket_id"
        " WHERE t.requester_id = :id AND r.score IS NOT NULL",
        names,
    )
    return found


def _all(statement: str, names: database.Parameters) -> list[JsonObject]:
    return [_plain(row) for row in database.run(statement, names)]


def _plain(row: database.Row) -> JsonObject:
    return {
        name: from_json(value) if name in ("fields", "details") else str(value) if isinstance(value, UUID) else value
        for name, value in row.items()
    }


def erase(requester_id: UUID, *, actor: Actor) -> int:
    """Erase a person's identity and texts; return the number of their tickets. An erasure cannot be undone.

    Joins the caller's transaction. Raises NotFound, and Conflict when the person is erased already.
    """
    row = database.one("SELECT erased_at FROM requesters WHERE id = :id FOR_UPDATE", id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    if row["erased_at"] is not None:
        raise Conflict("the requester's data was erased already")
    names = {"id": requester_id, "erased": ERASED, "now": clock.now()}
    own = [
        UUID(str(t["id"])) for t in database.run("SELECT id FROM tickets WHERE requester_id = :id ORDER BY id", names)
    ]
    for ticket_id in own:
        _erase_ticket(ticket_id, actor)
    # Messages that the person wrote into other people's tickets.
    theirs = database.run(
        "SELECT id, inbox_id FROM messages WHERE author_kind = 'requester' AND author_id = :id AND body <> :erased",
        names,
    )
    _erase_messages(theirs)
    _erase_versions({str(row["id"]) for row in theirs})
    database.execute(
        "DELETE FROM ticket_participants WHERE (channel, address) IN (SELECT channel, address FROM identities"
        " WHERE requester_id = :id)",
        names,
    )
    _erase_events_without_message(requester_id)
    _erase_traces(requester_id)
    database.execute("DELETE FROM requester_links WHERE requester_id = :id", names)
    database.execute("DELETE FROM requester_codes WHERE requester_id = :id", names)
    database.execute("DELETE FROM identities WHERE requester_id = :id", names)
    database.execute(
        "UPDATE requesters SET name = :erased, locale = NULL, time_zone = NULL, fields = '{}', erased_at = :now,"
        " updated_at = :now,"
        " version = version + 1 WHERE id = :id",
        names,
    )
    audit.record(AuditAction.requester_erased, "requester", requester_id, after={"tickets": len(own)})
    return len(own)


def _erase_versions(message_ids: set[str]) -> None:
    """Erase the earlier versions of edited messages that the person wrote into other people's tickets."""
    for message_id in message_ids:
        for event in database.run(
            "SELECT e.event_id, e.payload FROM events AS e JOIN messages AS m ON m.ticket_id = e.aggregate_id"
            " WHERE m.id = :id AND e.aggregate = 'ticket' AND e.event_type = 'message_edited'",
            id=message_id,
        ):
            payload = from_json(event["payload"])
            if payload.get("message_id") == message_id:
                database.execute(
                    "UPDATE events SET payload = :payload WHERE event_id = :id",
                    payload=as_json({**payload, "previous_body": ERASED}),
                    id=event["event_id"],
                )


def _erase_traces(requester_id: UUID) -> None:
    """Erase the requesters merged into the person, the notices to their chats and the records of unreachable chats."""
    names = {"id": requester_id, "erased": ERASED, "now": clock.now()}
    database.execute(
        "UPDATE requesters SET name = :erased, locale = NULL, time_zone = NULL, fields = '{}', erased_at = :now"
        " WHERE merged_into = :id",
        names,
    )
    database.execute("UPDATE requester_merges SET reason = :erased WHERE source_id = :id OR target_id = :id", names)
    for identity in database.run("SELECT channel, address FROM identities WHERE requester_id = :id", names):
        told = {"channel": identity["channel"], "address": identity["address"]}
        database.execute("DELETE FROM unreachable_chats WHERE channel = :channel AND address = :address", told)
        for task in database.run("SELECT id, payload FROM tasks WHERE kind = 'send_notice'"):
            payload = from_json(task["payload"])
            if (payload.get("channel"), payload.get("address")) == (identity["channel"], identity["address"]):
                database.execute(
                    "UPDATE tasks SET payload = :payload, state = CASE WHEN state = 'ready' THEN 'discarded' ELSE"
                    " state END WHERE id = :id",
                    payload=as_json({**payload, "address": ERASED, "text": ERASED}),
                    id=task["id"],
                )


def _erase_events_without_message(requester_id: UUID) -> None:
    """Erase raw events without a message (quarantined, blocked, ignored) that contain an address of the person."""
    for identity in database.run("SELECT channel, address FROM identities WHERE requester_id = :id", id=requester_id):
        marks = channel_facts.of(identity["channel"]).address_marks(identity["address"].replace(" ", ""))
        # The column holds bytes, so LIKE cannot search it.
        holds = (
            "position(convert_to(lower(:mark{0}), 'UTF8') in convert_to(lower(replace(encode(raw, 'escape'), ' ',"
            " '')), 'UTF8')) > 0"
            if database.is_postgres()
            else "instr(lower(CAST(replace(CAST(raw AS TEXT), ' ', '') AS TEXT)), lower(:mark{0})) > 0"
        )
        conditions = " OR ".join(holds.format(index) for index in range(len(marks)))
        database.execute(
            "UPDATE inbox SET raw = :nothing, fetched = NULL, envelope = '{}', reason = :erased WHERE channel ="
            " :channel"
            f" AND message_id IS NULL AND ({conditions})",
            {f"mark{index}": mark for index, mark in enumerate(marks)},
            channel=identity["channel"],
            nothing=b"",
            erased=ERASED,
        )


def _erase_ticket(ticket_id: UUID, actor: Actor) -> None:
    change = TicketChange.of(ticket_id, actor=actor)
    names = {"ticket": ticket_id, "erased": ERASED}
    _erase_messages(database.run("SELECT id, inbox_id FROM messages WHERE ticket_id = :ticket", names))
    # Edits, further parts of albums, commands: events that changed the ticket and created no message.
    database.execute(
        "UPDATE inbox SET raw = :nothing, fetched = NULL, envelope = '{}', reason = :erased WHERE ticket_id = :ticket",
        names,
        nothing=b"",
    )
    database.execute(
        "UPDATE deliveries SET address = :erased, receipt_detail = NULL, last_error = NULL WHERE ticket_id = :ticket"
        " AND state NOT IN ('pending', 'sending', 'scheduled')",
        names,
    )
    database.execute(
        "UPDATE deliveries SET state = 'discarded', address = :erased WHERE ticket_id = :ticket AND state IN"
        " ('pending', 'scheduled')",
        names,
    )
    database.execute("DELETE FROM ticket_participants WHERE ticket_id = :ticket", names)
    database.execute("DELETE FROM conversations WHERE ticket_id = :ticket", names)
    database.execute("UPDATE ratings SET comment = NULL WHERE ticket_id = :ticket", names)
    database.execute("UPDATE decisions SET looks = '[]' WHERE ticket_id = :ticket", names)
    for event in database.run(
        "SELECT event_id, payload FROM events WHERE aggregate = 'ticket' AND aggregate_id = :ticket", names
    ):
        payload = from_json(event["payload"])
        if _TEXTS & payload.keys():
            kept = {key: ERASED if key in _TEXTS else value for key, value in payload.items()}
            database.execute(
                "UPDATE events SET payload = :payload WHERE event_id = :id",
                payload=as_json(kept),
                id=event["event_id"],
            )
    change.ticket.title, change.ticket.fields = ERASED, {}
    change.ticket.contact_channel = change.ticket.contact_account = change.ticket.contact_address = None
    change.record(PersonalDataErased())
    change.save()


def _erase_messages(rows: list[database.Row]) -> None:
    ids = [UUID(str(row["id"])) for row in rows]
    if not ids:
        return
    attachments.erase(ids)
    places, values = database.in_list("m", ids)
    database.execute(
        "UPDATE messages SET body = :erased, body_full = NULL, body_html = NULL, body_html_remote = NULL, subject"
        " = NULL,"
        " author_name = :erased, details = '{}',"
        f" copies = '[]', reactions = '{{}}' WHERE id IN {places}",
        values,
        erased=ERASED,
    )
    database.execute(f"DELETE FROM message_references WHERE message_id IN {places}", values)
    raw = [row["inbox_id"] for row in rows if row["inbox_id"] is not None]
    places, values = database.in_list("e", raw)
    database.execute(
        f"UPDATE inbox SET raw = :nothing, fetched = NULL, envelope = '{{}}', reason = :erased WHERE id IN {places}",
        values,
        nothing=b"",
        erased=ERASED,
    )
