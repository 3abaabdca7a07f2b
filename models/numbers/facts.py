"""The facts of a ticket, computed from its history. Pure: the same history gives the same facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypedDict
from zoneinfo import ZoneInfo

from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.sla import working_time
from models.sla.clocks import Clock
from models.sla.working_time import Calendar
from models.tickets.tables import Ticket

# The types of events that the facts depend on.
EVENT_TYPES: Final = (
    "ticket_created",
    "ticket_state_changed",
    "ticket_migrated",
    "ticket_reclassified",
    "ticket_assigned",
    "message_received",
    "message_added",
    "delivery_failed",
)
DONE: Final = ("done", "closed")


class PastEvent(TypedDict):
    """An event of the ticket's history."""

    event_type: str
    occurred_at: datetime
    actor_kind: str
    actor_id: str | None
    payload: JsonObject


class Rated(TypedDict):
    """A rating that the requester gave."""

    score: int
    rated_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """The whole input of the computation. `category`: of a life cycle's version and state. `calendar`: of a target."""

    ticket: Ticket
    events: Sequence[PastEvent]
    clocks: Mapping[str, Clock]
    ratings: Sequence[Rated]
    category: Callable[[str, int, str], str]
    calendar: Callable[[str], Calendar | None]
    zone: ZoneInfo


@dataclass(slots=True)
class Facts:
    """The rows of one ticket. `sums` counts by day, metric and agent."""

    row: database.Row
    states: dict[str, int] = field(default_factory=dict)
    promises: dict[str, tuple[str, str]] = field(default_factory=dict)
    sums: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def counts(ticket: Ticket) -> bool:
    """Return True if a ticket counts: one that was merged into another, or is in the bin, does not."""
    return ticket.merged_into is None and ticket.binned_at is None


class _Course:
    """The course of a ticket through its states, event by event."""

    def __init__(self, history: History) -> None:
        self._history = history
        ticket = history.ticket
        self.workflow, self.version, self.state = ticket.workflow, ticket.workflow_version, ""
        self.since = ticket.created_at
        self.category, self.assignee, self.responder = "todo", "", ""
        self.resolved_at: datetime | None = None
        self.resolver, self.reopened = "", 0
        self.states: dict[str, int] = {}
        self.sums: Counter[tuple[str, str, str]] = Counter()

    def count(self, at: datetime, metric: str, agent: str = "", amount: int = 1) -> None:
        self.sums[(day_of(at, self._history.zone), metric, agent)] += amount

    def take(self, event: PastEvent) -> None:
        payload, at = event["payload"], event["occurred_at"]
        match event["event_type"]:
            case "ticket_created":
                self.workflow = str(payload.get("workflow") or self.workflow)
                self.version = int(payload.get("workflow_version") or self.version)
                self._enter(str(payload.get("state") or ""), at)
            case "ticket_state_changed":
                self._enter(str(payload.get("to") or ""), at)
            case "ticket_migrated" | "ticket_reclassified":
                place = payload.get("to") or {}
                self.workflow = str(place.get("workflow") or self.workflow)
                self.version = int(place.get("version") or self.version)
                self._enter(str(place.get("state") or ""), at)
            case "ticket_assigned":
                self.assignee = str(payload.get("to") or "")
            case "message_received":
                if not payload.get("automatic"):
                    self.count(at, "received")
            case "message_added":
                self._sent(event, at)
            case "delivery_failed":
                self.count(at, "failed_sends")

    def _sent(self, event: PastEvent, at: datetime) -> None:
        self.count(at, "sent")
        if event["payload"].get("automatic") or event["actor_kind"] != "user":
            return
        agent = event["actor_id"] or ""
        self.responder = self.responder or agent
        self.count(at, "replies", agent)

    def _enter(self, state: str, at: datetime) -> None:
        if self.state and state != self.state:
            self.states[self.state] = self.states.get(self.state, 0) + seconds(self.since, at)
        if state != self.state:
            self.state, self.since = state, at
        category = self._history.category(self.workflow, self.version, state)
        was_done, is_done = self.category in DONE, category in DONE
        self.category = category
        if is_done and not was_done:
            self.resolved_at, self.resolver = at, self.assignee
            self.count(at, "resolved", self.assignee)
        elif was_done and not is_done:
            self.resolved_at, self.resolver = None, ""
            self.reopened += 1
            self.count(at, "reopened", self.assignee)


def of(history: History) -> Facts:
    """Compute the facts of a ticket."""
    ticket, zone, course = history.ticket, history.zone, _Course(history)
    course.count(ticket.created_at, "created")
    for event in history.events:
        course.take(event)
    for rating in history.ratings:
        course.count(rating["rated_at"], "ratings", course.resolver)
        course.count(rating["rated_at"], "scores", course.resolver, rating["score"])
    response_at = ticket.first_response_at
    row: database.Row = {
        "ticket_id": ticket.id,
        "type": ticket.type,
        "channel": ticket.channel,
        "team": ticket.team or "",
        "category": ticket.category,
        "assignee": str(ticket.assignee_id or ""),
        "created_at": ticket.created_at,
        "created_day": day_of(ticket.created_at, zone),
        "response_day": None if response_at is None else day_of(response_at, zone),
        "responder": course.responder if response_at is not None else "",
        "response_s": _span(ticket.created_at, response_at),
        "response_working_s": _working(history.calendar("first_response"), ticket.created_at, response_at),
        "resolved_day": None if course.resolved_at is None else day_of(course.resolved_at, zone),
        "resolver": course.resolver,
        "resolution_s": _span(ticket.created_at, course.resolved_at),
        "resolution_working_s": _working(history.calendar("resolution"), ticket.created_at, course.resolved_at),
        "reopened": course.reopened,
    }
    return Facts(row, course.states, _promises(history), course.sums)


def _promises(history: History) -> dict[str, tuple[str, str]]:
    """The promises that ended: a broken one ends with its breach, a kept one when it was met in time."""
    found = {}
    for target, clock in history.clocks.items():
        if clock.breached_at is not None:
            found[target] = ("broken", day_of(clock.breached_at, history.zone))
        elif clock.met_at is not None:
            found[target] = ("kept", day_of(clock.met_at, history.zone))
    return found


def day_of(at: datetime, zone: ZoneInfo) -> str:
    """Return the day of an instant in the zone, as YYYY-MM-DD."""
    return at.astimezone(zone).date().isoformat()


def seconds(start: datetime, end: datetime) -> int:
    """Return the whole seconds from `start` to `end`, at least 0."""
    return max(0, round((end - start).total_seconds()))


def _span(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else seconds(start, end)


def _working(calendar: Calendar | None, start: datetime, end: datetime | None) -> int | None:
    return None if end is None or calendar is None else round(working_time.between(calendar, start, end))
