"""The trace: events of the phone's ticket, tasks of the workers and attempts to send, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from functions.console.frame.texts import gettext as _
from models.deliveries import queries as deliveries
from models.events import queries as events
from models.tasks import queries as tasks
from models.tickets.tables import Ticket

# -- limits ------------------------------------------------------------------------------------------------------------
_ENTRIES_MAX: Final = 30  # what a person reads
_TASKS_MAX: Final = 60
_EVENTS_MAX: Final = 200


_HOUSEKEEPING: Final = frozenset({"follow_log"})  # runs after every event, and tells nothing about the ticket


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `icon`: its kind; `took_ms`: its duration, if it has one."""

    at: datetime
    icon: str
    title: str
    took_ms: int | None = None
    detail: str = ""
    bad: bool = False


def of(ticket: Ticket | None) -> list[Entry]:
    """Return the newest entries."""
    found = _tasks()
    if ticket is not None:
        found += [*_events(ticket), *_attempts(ticket)]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:_ENTRIES_MAX]


def _tasks() -> list[Entry]:
    entries = []
    for row in tasks.page(state=None, before_id=None, limit=_TASKS_MAX):
        if row["kind"] in _HOUSEKEEPING:
            continue
        begun, finished = row["first_run_at"], row["finished_at"]
        took = None if begun is None or finished is None else _ms(begun, finished)
        if begun is None:
            detail = _("queue %(queue)s, waits", queue=row["queue"])
        else:
            waited = _ms(max(row["created_at"], row["due_at"]), begun)
            detail = _("queue %(queue)s, waited %(ms)s ms", queue=row["queue"], ms=waited)
        if row["last_error"]:
            detail = f"{detail}: {row['last_error'][:120]}"
        at = begun or row["created_at"]
        entries.append(Entry(at, "bolt", f"worker · {row['kind']}", took, detail, bad=row["state"] == "dead"))
    return entries


def _events(ticket: Ticket) -> list[Entry]:
    return [
        Entry(row["occurred_at"], "inbox", row["event_type"], None, _("event %(number)s", number=row["sequence"]))
        for row in events.of_aggregate("ticket", ticket.id, limit=_EVENTS_MAX)
    ]


def _attempts(ticket: Ticket) -> list[Entry]:
    entries = []
    for delivery in deliveries.of_ticket(ticket.id):
        for attempt in delivery["attempt_log"]:
            outcome = attempt["outcome"] or _("still runs")
            title = f"{delivery['channel']} · {outcome}"
            detail = _("attempt %(number)s", number=attempt["number"])
            if attempt["detail"]:
                detail = f"{detail}: {attempt['detail'][:120]}"
            bad = attempt["outcome"] not in (None, "accepted")
            entries.append(Entry(attempt["started_at"], "plane", title, attempt["duration_ms"], detail, bad))
    return entries


def _ms(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))
