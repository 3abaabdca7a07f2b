"""Read what belongs to one ticket from every table that knows of it, as entries of one kind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from models.conversations import queries as conversations
from models.deliveries import queries as deliveries
from models.deliveries.row_types import AttemptRow, DeliveryRow
from models.events import queries as events
from models.kernel import clock
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import from_json
from models.kernel.storage.database import Row
from models.notices import story as story_of_notices
from models.ticket_workflow import why
from models.tickets.tables import Ticket
from scripts.explain import limits, words

# What a reader expects first when instants are equal: the cause before its effects; messages stand where their event
# does.
_RANKS = {
    "inbound": 0,
    "rules": 2,
    "event": 1,
    "message": 1,
    "delivery": 2,
    "task": 3,
    "attempt": 4,
    "timer": 5,
    "notice": 6,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened (or will: a timer): when, what kind of thing, a line for people and the facts for
    programs.
    """

    at: datetime
    source: str
    line: str
    details: tuple[str, ...] = ()
    facts: JsonObject = field(default_factory=dict)
    order: int = 0
    told_elsewhere: bool = False


def story(ticket: Ticket) -> list[Entry]:
    """Every entry of the ticket in time order; joins the caller's connection."""
    happened = list(_events(ticket, _people()))
    entries = [
        *_inbound(ticket),
        *happened,
        *_messages(ticket, {e.facts["payload"].get("message_id"): e.order for e in happened if e.told_elsewhere}),
        *_deliveries(ticket),
        *_tasks(ticket),
        *_timers(ticket),
        *_notices(ticket),
        *_silent_rules(ticket),
    ]
    return sorted(entries, key=lambda entry: (entry.at, _RANKS[entry.source], entry.order))


def cut_sources(entries: list[Entry]) -> list[str]:
    """Return the sources of which only the first limits.rows_max rows are shown."""
    return [name for name in _RANKS if sum(e.source == name for e in entries) >= limits.rows_max]


def _people() -> dict[str, str]:
    return {str(row["id"]): row["name"] for row in database.run("SELECT id, name FROM users")}


def _at(value: Any) -> datetime:
    at = database.instant(value)
    assert at is not None, "the schema demands this instant"
    return at


def _inbound(ticket: Ticket) -> Iterator[Entry]:
    rows = database.run(
        "SELECT id, channel, account, event_key, content_type, status, reason, message_id, request_id,"
        " received_at, processed_at"
        " FROM inbox WHERE ticket_id = :id ORDER BY received_at, id LIMIT :most",
        id=ticket.id,
        most=limits.rows_max,
    )
    for row in rows:
        received_at, processed_at = _at(row["received_at"]), database.instant(row["processed_at"])
        took = f" after {words.seconds(processed_at - received_at)}" if processed_at else ""
        reason = (f"reason: {words.short(row['reason'])}",) if row["reason"] else ()
        line = f"{row['channel']}/{row['account']} {words.short(row['event_key'])}: {row['status']}{took}"
        yield Entry(received_at, "inbound", line, (f"event {row['id']}", *reason), row)


def _events(ticket: Ticket, people: dict[str, str]) -> Iterator[Entry]:
    for row in events.of_aggregate("ticket", ticket.id, limit=limits.rows_max):
        line, details = words.event(row["event_type"], row["payload"], people)
        who = people.get(str(row["actor_id"]), row["actor_kind"])
        cause = f", caused by {row['causation_id']}" if row["causation_id"] else ""
        yield Entry(
            row["occurred_at"],
            "event",
            f"#{row['sequence']} {line}",
            (*details, f"by {who}{cause}"),
            dict(row),
            order=row["sequence"],
            told_elsewhere=row["event_type"] in words.TOLD_BY_THEIR_MESSAGE,
        )


def _messages(ticket: Ticket, order: Mapping[str, int]) -> Iterator[Entry]:
    for row in conversations.page(ticket.id, after_sequence=0, limit=limits.rows_max):
        automatic = " (automatic)" if row["automatic"] else ""
        author = f"{row['author_kind']} {words.short(row['author_name'])}".strip()
        line = (
            f"{row['sequence']} {row['direction']} {row['kind']} by {author}{automatic}:"
            f" {words.first_line(row['body'])}"
        )
        details = [f"message {row['id']} over {row['channel']}" + (f"/{row['account']}" * bool(row["account"]))]
        if row["edited_at"]:
            details.append(f"edited at {clock.rfc3339(row['edited_at'])}")
        if row["attachments"]:
            details.append(f"{len(row['attachments'])} attachments")
        facts = {name: value for name, value in row.items() if name in _MESSAGE_FACTS}
        yield Entry(_at(row["created_at"]), "message", line, tuple(details), facts, order.get(str(row["id"]), 0))


_MESSAGE_FACTS = (
    "id",
    "sequence",
    "direction",
    "kind",
    "author_kind",
    "author_name",
    "subject",
    "body",
    "channel",
    "account",
    "external_id",
    "in_reply_to",
    "automatic",
    "attachments",
    "inbox_id",
    "created_at",
    "edited_at",
)


def _deliveries(ticket: Ticket) -> Iterator[Entry]:
    for row in deliveries.of_ticket(ticket.id)[: limits.rows_max]:
        attempts = row["attempt_log"]
        count = words.counted(len(attempts), "attempt")
        error = (f"last error: {words.short(row['last_error'])}",) if row["last_error"] else ()
        receipt = f"; the provider says: {row['receipt']}" if row["receipt"] else ""
        what = "" if row["operation"] == "send" else f"{row['operation']} of what was sent, "
        to = f"{row['channel']}/{row['account']} to {words.short(row['address'])}"
        line = f"{what}{to}: {row['state']}, {count}{receipt}"
        yield Entry(
            _at(row["created_at"]),
            "delivery",
            line,
            (f"delivery {row['id']} of message {row['message_id']}", *error),
            {name: value for name, value in row.items() if name != "attempt_log"},
        )
        yield from (_attempt(attempt, row) for attempt in attempts)


def _attempt(row: AttemptRow, delivery: DeliveryRow) -> Entry:
    if row["outcome"] is None:
        outcome = "still open (if its process died, the outcome is unknown)"
    else:
        took = f" after {row['duration_ms']} ms" if row["duration_ms"] is not None else ""
        outcome = f"{row['outcome']}{took}"
    doubled = ", possibly a duplicate" if row["possibly_duplicate"] else ""
    detail = (words.short(row["detail"]),) if row["detail"] else ()
    line = f"{row['number']} over {delivery['channel']}/{delivery['account']}: {outcome}{doubled}"
    return Entry(_at(row["started_at"]), "attempt", line, (f"delivery {row['delivery_id']}", *detail), dict(row))


def _payload(name: str) -> str:
    """SQL for one property of a task's payload."""
    return f"payload ->> '{name}'" if database.is_postgres() else f"json_extract(payload, '$.{name}')"


def _tasks(ticket: Ticket) -> Iterator[Entry]:
    """Find tasks by cause, by key and by the ids in the payload; one pass over the ledger, which keeps a week
    of finished tasks.
    """
    rows = database.run(
        # Our own properties' names are put in; values are bound.
        "SELECT id, kind, queue, payload, state, attempts, due_at, lease_until,"  # noqa: S608 -- see above
        " last_error, caused_by, created_at, first_run_at, finished_at FROM tasks"
        " WHERE key = :key OR caused_by = :cause OR caused_by LIKE :timers"
        f" OR {_payload('ticket_id')} = :id"
        f" OR {_payload('delivery_id')} IN (SELECT CAST(id AS text) FROM deliveries WHERE ticket_id = :id)"
        f" OR {_payload('inbox_id')} IN (SELECT CAST(id AS text) FROM inbox WHERE ticket_id = :id)"
        " ORDER BY id LIMIT :most",
        key=f"ticket:{ticket.id}",
        cause=f"ticket:{ticket.number}",
        timers=f"timer:ticket:{ticket.id}:%",
        id=str(ticket.id),
        most=limits.rows_max,
    )
    for row in rows:
        row["payload"] = from_json(row["payload"])
        created_at, finished_at = _at(row["created_at"]), database.instant(row["finished_at"])
        yield Entry(created_at, "task", *_task_words(row, created_at, finished_at), row)


def _task_words(row: Row, created_at: datetime, finished_at: datetime | None) -> tuple[str, tuple[str, ...]]:
    state = "DEAD" if row["state"] == "dead" else row["state"]
    line = f"{row['id']} {row['kind']} on {row['queue']}: {state}, {words.counted(row['attempts'], 'attempt')}"
    if finished_at is not None:
        line += f", {words.seconds(finished_at - created_at)} after it was made"
    elif row["state"] == "ready":
        line += f", due {clock.rfc3339(_at(row['due_at']))}"
    elif row["lease_until"] is not None:
        line += f", leased until {clock.rfc3339(_at(row['lease_until']))}"
    details = [f"caused by {row['caused_by']}"] if row["caused_by"] else []
    if row["last_error"]:
        details.append(f"last error: {words.short(row['last_error'])}")
    return line, tuple(details)


def _timers(ticket: Ticket) -> Iterator[Entry]:
    prefix = f"ticket:{ticket.id}:"
    rows = database.run(
        "SELECT name, kind, due_at, every_s, enabled FROM timers WHERE name >= :prefix AND name < :beyond ORDER BY"
        " due_at LIMIT :most",
        prefix=prefix,
        beyond=prefix + "\U0010ffff",
        most=limits.rows_max,
    )
    now = clock.now()
    for row in rows:
        due_at = _at(row["due_at"])
        when = f"in {words.seconds(due_at - now)}" if due_at > now else f"overdue for {words.seconds(now - due_at)}"
        switched_off = "" if row["enabled"] else ", switched off"
        yield Entry(due_at, "timer", f"{row['name'].removeprefix(prefix)} fires {when}{switched_off}", (), row)


def _notices(ticket: Ticket) -> Iterator[Entry]:
    """Yield the notices of users about the ticket, each with its ways."""
    for notice in story_of_notices.of_ticket(ticket.id, limit=limits.rows_max):
        ways = tuple(_way(one) for one in notice["ways"]) or ("in the list only",)
        line = f"{notice['kind']} to {words.short(notice['user_name'])}: {words.short(notice['text'])}"
        read = (f"read at {clock.rfc3339(notice['read_at'])}",) if notice["read_at"] else ()
        yield Entry(notice["created_at"], "notice", line, (*ways, *read), dict(notice))


def _way(row: Mapping[str, Any]) -> str:
    when = f", due {clock.rfc3339(row['due_at'])}" if row["state"] == "waiting" else ""
    error = f": {words.short(row['error'])}" if row["error"] else ""
    return f"by {row['way']}: {row['state']}{when}{error}"


def _reasons(look: Mapping[str, Any]) -> list[str]:
    """Return the conditions that failed, then the reasons of a refusal."""
    return [*look.get("failed", []), *look.get("reasons", [])]


def _silent_rules(ticket: Ticket) -> Iterator[Entry]:
    """Yield the rules that did not act on an event, with the part of their condition that failed.

    A rule that acted appears with its event.
    """
    for row in why.decisions(ticket.id, after=None, limit=limits.rows_max):
        quiet = [look for look in row["looks"] if look["outcome"] in ("silent", "refused")]
        details = tuple(f"{look['rule']} {look['outcome']}: {words.short('; '.join(_reasons(look)))}" for look in quiet)
        if quiet:
            line = f"on {row['event']}: {words.counted(len(quiet), 'rule')} did not act"
            yield Entry(row["at"], "rules", line, details, dict(row), order=row["last_sequence"])


def as_json(entry: Entry) -> JsonObject:
    """An entry for programs."""
    return {
        "at": clock.rfc3339(entry.at),
        "source": entry.source,
        "line": entry.line,
        "facts": entry.facts,
    }


def plain(value: object) -> str:
    """Convert values that JSON cannot hold: instants as the API writes them, ids as text."""
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"not JSON: {type(value).__name__}")
