"""Read the histories of tickets, of which the facts are computed: four statements for a batch of tickets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from models.definitions import desk
from models.events.tables import EventRow
from models.kernel.errors import ConfigurationError
from models.kernel.storage import database
from models.numbers.facts import EVENT_TYPES, History, PastEvent, Rated
from models.publishing import workflows
from models.sla.clocks import Clock
from models.sla.working_time import Calendar
from models.ticket_workflow import sla_clocks
from models.ticket_workflow.tables import Rating, SlaClock
from models.tickets.tables import Ticket
from models.workflow.definition import Workflow


def of(ticket_ids: Sequence[UUID]) -> list[History]:
    """Return the histories of the tickets that exist, by id."""
    ids, zone = list(ticket_ids), ZoneInfo(desk.current().zone)
    tickets = [Ticket(**row) for row in database.rows(Ticket.select().where(Ticket.id.in_(ids)).order_by(Ticket.id))]
    events: dict[UUID, list[PastEvent]] = defaultdict(list)
    for row in database.rows(_events(ids)):
        events[row.pop("aggregate_id")].append(cast(PastEvent, row))
    clocks: dict[UUID, dict[str, Clock]] = defaultdict(dict)
    query = SlaClock.select(SlaClock.ticket_id, SlaClock.target, SlaClock.clock).where(SlaClock.ticket_id.in_(ids))
    for row in database.rows(query.order_by(SlaClock.ticket_id, SlaClock.target)):
        clocks[row["ticket_id"]][row["target"]] = sla_clocks.read(row["clock"])
    ratings: dict[UUID, list[Rated]] = defaultdict(list)
    for row in database.rows(_ratings(ids)):
        ratings[row.pop("ticket_id")].append(cast(Rated, row))
    return [
        History(
            ticket,
            events[ticket.id],
            clocks[ticket.id],
            ratings[ticket.id],
            category_of,
            _calendars(ticket, clocks[ticket.id]),
            zone,
        )
        for ticket in tickets
    ]


def _events(ids: list[UUID]) -> object:
    return (
        EventRow.select(
            EventRow.aggregate_id,
            EventRow.event_type,
            EventRow.occurred_at,
            EventRow.actor_kind,
            EventRow.actor_id,
            EventRow.payload,
        )
        .where(
            EventRow.aggregate == "ticket", EventRow.aggregate_id.in_(ids), EventRow.event_type.in_(list(EVENT_TYPES))
        )
        .order_by(EventRow.aggregate_id, EventRow.sequence)
    )


def _ratings(ids: list[UUID]) -> object:
    return (
        Rating.select(Rating.ticket_id, Rating.score, Rating.rated_at)
        .where(Rating.ticket_id.in_(ids), Rating.score.is_null(False), Rating.rated_at.is_null(False))
        .order_by(Rating.ticket_id, Rating.id)
    )


def category_of(workflow: str, version: int, state: str) -> str:
    """Return the category of a state. A version or state that is gone counts as work to do."""
    found = _definition(workflow, version)
    if found is None or state not in found.states:
        return "todo"
    return str(found.states[state].category)


def _definition(workflow: str, version: int) -> Workflow | None:
    try:
        return workflows.of_version(workflow, version).definition
    except ConfigurationError:
        return None


def _calendars(ticket: Ticket, clocks: dict[str, Clock]) -> Callable[[str], Calendar | None]:
    """The calendar of a target: its promise's, else the first one of the life cycle, else none."""

    def of_target(target: str) -> Calendar | None:
        found = _definition(ticket.workflow, ticket.workflow_version)
        if found is None or not found.calendars:
            return None
        name = clocks[target].calendar if target in clocks else None
        return found.calendars.get(name or "") or next(iter(found.calendars.values()))

    return of_target
