"""Snooze: a ticket leaves the default lists and wakes at its instant or by the requester's message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.definitions import desk as desks
from models.definitions import store
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.errors import Invalid
from models.publishing import desk_defaults
from models.regrouping import merging
from models.ticket_actions import commands
from models.ticket_actions.sorting import snoozing
from models.ticket_actions.sorting.snoozing import Snooze
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import page
from models.tickets.tables import Ticket
from models.undo import restorers
from models.visibility.sight import DESK
from tests.desk import Desk


def snoozed(desk: Desk, ticket: Ticket, **wish: Any) -> Ticket:
    found: Ticket = desk.command(snoozing.snooze, ticket.id, Snooze(**wish), actor=desk.person())
    return found


def listed(desk: Desk, **wanted: Any) -> list[int]:
    def read() -> list[int]:
        found = page(TicketFilter(**wanted), sort="number", after=None, limit=100, sight=DESK)
        return [ticket.number for ticket in found]

    found: list[int] = desk.command(read)
    return found


def in_(desk: Desk, **distance: float) -> Any:
    return desk.command(clock.now) + timedelta(**distance)


def test_a_snoozed_ticket_leaves_the_list_and_returns_at_its_instant(desk: Desk) -> None:
    ticket, other = desk.create_ticket(), desk.create_ticket()

    snoozed(desk, ticket, until=in_(desk, hours=4), note="parts arrive at noon")

    assert listed(desk) == [other.number]
    assert listed(desk, snoozed="only") == [ticket.number]
    assert listed(desk, snoozed="any") == [ticket.number, other.number]
    desk.advance(hours=5)
    desk.run_due()
    awake = desk.reload(ticket)
    assert (awake.snoozed_at, awake.snoozed_until, awake.snooze_note) == (None, None, None)
    assert awake.woken_at is not None
    assert listed(desk) == [ticket.number, other.number]
    assert [event["payload"] for event in desk.events(ticket, "ticket_woken")] == [{"by": "instant"}]


def test_the_undo_of_a_merge_wakes_a_ticket_whose_instant_came_while_it_was_merged(desk: Desk) -> None:
    ticket, target = desk.create_ticket(), desk.create_ticket()
    snoozed(desk, ticket, until=in_(desk, minutes=10), note="parts arrive")
    undo_id = desk.command(merging.merge, ticket.id, target.id, actor=desk.person(), sight=DESK)
    desk.advance(minutes=20)
    desk.run_due()
    assert desk.reload(ticket).snoozed_at is None

    desk.command(restorers.restore, undo_id, actor=desk.person(), permissions=frozenset(Permission))
    desk.run_due()

    awake = desk.reload(ticket)
    assert awake.snoozed_at is None
    assert awake.woken_at is not None
    assert desk.events(ticket, "ticket_woken")[-1]["payload"] == {"by": "instant"}


def test_a_message_of_the_requester_always_wakes(desk: Desk) -> None:
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    ticket = desk.ticket()
    snoozed(desk, ticket, until=in_(desk, days=30))

    desk.receive_telegram("It is urgent now!", chat=42)
    desk.run_due()

    assert desk.reload(ticket).snoozed_at is None
    assert [event["payload"]["by"] for event in desk.events(ticket, "ticket_woken")] == ["message"]
    assert [timer for timer in desk.timers() if timer["name"].startswith("snooze:")] == []


def test_a_second_snooze_replaces_the_instant_of_the_first(desk: Desk) -> None:
    ticket = desk.create_ticket()
    snoozed(desk, ticket, until=in_(desk, hours=1))
    snoozed(desk, ticket, until=in_(desk, hours=9))

    desk.advance(hours=2)
    desk.run_due()
    assert desk.reload(ticket).snoozed_at is not None

    desk.advance(hours=8)
    desk.run_due()
    assert desk.reload(ticket).snoozed_at is None


def test_a_snooze_survives_a_move_and_promises_run_on(desk: Desk) -> None:
    ticket = desk.create_ticket()
    due = desk.reload(ticket).next_due_at
    snoozed(desk, ticket, until=in_(desk, hours=4))

    desk.transition(ticket, "start")

    now = desk.reload(ticket)
    assert now.snoozed_at is not None
    assert now.next_due_at == due
    desk.advance(hours=5)
    desk.run_due()
    assert desk.reload(ticket).snoozed_at is None


def test_the_mark_of_a_woken_ticket_ends_with_the_next_change_by_a_person(desk: Desk) -> None:
    ticket = desk.create_ticket()
    snoozed(desk, ticket, until=in_(desk, hours=4))
    desk.advance(hours=5)
    desk.run_due()
    assert desk.reload(ticket).woken_at is not None

    desk.transition(ticket, "start")

    assert desk.reload(ticket).woken_at is None


def test_the_assignee_gets_a_notice_when_the_ticket_wakes(desk: Desk) -> None:
    ticket, agent = desk.create_ticket(), desk.person()
    desk.command(commands.assign, ticket.id, UUID(agent.id or ""), actor=desk.person("admin"))
    snoozed(desk, ticket, until=in_(desk, hours=4))

    desk.advance(hours=5)
    desk.run_due()

    rows = desk.rows("SELECT kind FROM notices WHERE ticket_id = :ticket AND kind = 'woken'", ticket=ticket.id)
    assert len(rows) == 1


def test_a_person_ends_a_snooze_and_a_repetition_changes_nothing(desk: Desk) -> None:
    ticket = desk.create_ticket()
    snoozed(desk, ticket)  # until the requester writes

    desk.command(snoozing.wake, ticket.id, actor=desk.person())
    desk.command(snoozing.wake, ticket.id, actor=desk.person())

    assert [event["payload"]["by"] for event in desk.events(ticket, "ticket_woken")] == ["person"]
    assert desk.reload(ticket).woken_at is None


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"distance": "PT0M"}, "in the future"),
        ({"distance": "P60W"}, "at most"),
        ({"distance": "soon"}, "expected a duration"),
    ],
)
def test_an_end_that_is_past_or_too_far_is_refused(desk: Desk, wish: Any, problem: str) -> None:
    ticket = desk.create_ticket()

    refused = desk.refused(snoozing.snooze, ticket.id, Snooze(**wish), actor=desk.person())

    assert isinstance(refused, Invalid)
    assert problem in refused.problems[0].message


def test_working_hours_are_counted_by_the_calendar_of_the_promises(desk: Desk) -> None:
    ticket = desk.create_ticket(workflow="incident")
    distance = "200 working hours"  # more than a week in any calendar

    until = snoozed(desk, ticket, distance=distance).snoozed_until

    assert until is not None
    assert until > in_(desk, hours=200)


def test_a_life_cycle_without_a_calendar_counts_the_working_hours_of_the_desk(desk: Desk) -> None:
    ticket = desk.create_ticket()  # of the shipped life cycle `support`, which has no calendar

    until = snoozed(desk, ticket, distance="40 working hours").snoozed_until  # a week of the shipped desk's calendar

    assert until is not None
    assert timedelta(days=4) < until - in_(desk, hours=0) < timedelta(days=9)


@pytest.mark.parametrize(
    ("calendar", "zone"), [({"hours": {}}, None), ({"hours": {"mon": ["09:00-17:00"]}}, "Europe/Berlin")]
)
def test_the_calendar_of_the_desk_is_checked_and_has_the_zone_of_the_desk(calendar: Any, zone: str | None) -> None:
    body: dict[str, Any] = {"desk": "Ours", "zone": "Europe/Berlin", "calendar": dict(calendar)}
    desk_defaults.fill(body, desks.read(body))

    problems = [one.path for one in desks.problems(desks.read(body))]

    assert problems == ([] if zone else [".calendar.hours"])
    assert body["calendar"]["zone"] == "Europe/Berlin"


def test_without_any_calendar_no_working_hours_are_counted(desk: Desk) -> None:
    desk.command(store.publish, "desk", "desk", {"desk": "Ours"}, source="", by="tests")
    store.forget()
    ticket = desk.create_ticket()

    refused = desk.refused(snoozing.snooze, ticket.id, Snooze(distance="2 working hours"), actor=desk.person())

    assert "neither the life cycle support nor the desk has a calendar" in str(refused)
