"""Running promises follow a migration: what has passed counts by the old hours, what is left by the new ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.definitions import store
from models.kernel import clock
from models.kernel.storage import database
from models.publishing import plan, publishing, workflows
from models.publishing.catalogue import Found
from models.sla.clocks import Clock
from models.sla.working_time import DAYS
from models.ticket_workflow import migration, migration_preview, why
from models.tickets.tables import Ticket
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

Body = dict[str, Any]
Change = Callable[[Body], Any]
TARGET_S = 96 * 3600


def publish(change: Change) -> int:
    with database.connection():
        found = store.latest("workflow", "support")
    assert found is not None
    body = copy.deepcopy(found.body)
    change(body)
    workflows.forget()
    [new] = publishing.apply([Found("workflow", "support", body, "source", Path("x.yaml"))], by="test")
    return new.version


def with_promise(body: Body) -> None:
    """Promise a resolution within 96 hours of a calendar that counts every hour."""
    body["calendars"] = {"hours": {"zone": "UTC", "hours": {day: ["00:00-24:00"] for day in DAYS}}}
    body["sla"] = [{"name": "all", "targets": {"resolution": "96h"}, "calendar": "hours", "warn_before": "1h"}]


def policy(**changes: Any) -> Change:
    return lambda body: body["sla"][0].update(changes)


def calendar(**changes: Any) -> Change:
    return lambda body: body["calendars"]["hours"].update(changes)


def promised(desk: Desk) -> Ticket:
    publish(with_promise)
    return desk.create_ticket()


def migrate(version: int) -> migration.Migration:
    with database.transaction():
        started = migration.start("support", to_version=version, by="test")
    return migration.run(started.id)


def dry_run(version: int) -> dict[str, int]:
    with database.connection():
        return dict(migration_preview.preview("support", "support", version, {}).promises)


def promise_of(ticket: Ticket) -> Clock:
    with database.connection():
        [found] = why.promises(ticket.id)
    return found


def due_at(ticket: Ticket) -> datetime:
    found = promise_of(ticket).due_at
    assert found is not None
    return found


def near(found: timedelta, expected: timedelta) -> bool:
    return abs(found - expected) < timedelta(seconds=30)


def test_an_added_holiday_moves_the_due_instant_of_a_running_promise(desk: Desk) -> None:
    ticket = promised(desk)
    before = due_at(ticket)
    holiday = (clock.now() + timedelta(days=2)).date().isoformat()

    version = publish(calendar(holidays=[holiday]))
    assert dry_run(version) == {"all/resolution is due later": 1}
    done = migrate(version)
    assert near(due_at(ticket) - before, timedelta(days=1))
    with database.transaction():
        back = migration.reverse(done.id, by="test")
    migration.run(back.id)

    assert near(due_at(ticket) - before, timedelta(0))


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (calendar(holidays=["2030-01-01"]), {"all/resolution": 1}),
        (calendar(zone="Europe/Berlin"), {"all/resolution": 1}),
        (policy(warn_before="2h"), {"all/resolution": 1}),
        (policy(targets={"resolution": "90h"}), {"all/resolution": 1}),
        (lambda body: body.update(description="Another sentence."), {}),
    ],
)
def test_a_plan_counts_the_promises_that_would_move(desk: Desk, change: Change, moved: dict[str, int]) -> None:
    promised(desk)
    with database.connection():
        found = store.latest("workflow", "support")
        assert found is not None
        body = copy.deepcopy(found.body)
        change(body)
        [entry] = plan.plan([Found("workflow", "support", body, "", Path("x.yaml"))])

    assert entry.clocks_moved == moved


def test_other_hours_count_from_the_migration_on(desk: Desk) -> None:
    ticket = promised(desk)
    desk.advance(hours=48)

    migrate(publish(calendar(hours={day: ["00:00-12:00"] for day in DAYS})))

    left = due_at(ticket) - clock.now()
    assert timedelta(hours=84) <= left <= timedelta(hours=96)
    assert round(promise_of(ticket).elapsed_s / 3600) == 48


def test_another_zone_moves_a_promise_of_office_hours(desk: Desk) -> None:
    publish(with_promise)
    publish(calendar(hours={day: ["08:00-09:00"] for day in DAYS}))
    publish(policy(targets={"resolution": "2h"}))
    ticket = desk.create_ticket()
    before = due_at(ticket)

    migrate(publish(calendar(zone="Asia/Kolkata")))

    # The hour of the calendar in UTC; a ticket that is created within it is due within it.
    assert "02:30:00" <= due_at(ticket).strftime("%H:%M:%S") <= "03:30:00"
    assert "08:00:00" <= before.strftime("%H:%M:%S") <= "09:00:00"


def test_another_warning_time_moves_the_warning_and_not_the_due_instant(desk: Desk) -> None:
    ticket = promised(desk)
    before = promise_of(ticket)

    version = publish(policy(warn_before="10h"))
    assert dry_run(version) == {"all/resolution keeps its due time": 1}
    migrate(version)

    after = promise_of(ticket)
    assert before.warn_at is not None
    assert after.warn_at is not None
    assert near(before.warn_at - after.warn_at, timedelta(hours=9))
    assert before.due_at is not None
    assert near(due_at(ticket) - before.due_at, timedelta(0))
    desk.advance(hours=87)
    desk.run_due()
    assert [event["payload"]["target"] for event in desk.events(ticket, "sla_warning")] == ["resolution"]


def test_a_state_that_pauses_now_pauses_a_running_promise_and_the_way_back_resumes_it(desk: Desk) -> None:
    ticket = promised(desk)
    version = publish(policy(pause_in=["new"]))

    assert dry_run(version) == {"all/resolution pauses": 1}
    done = migrate(version)
    assert promise_of(ticket).state == "paused"
    desk.advance(days=30)
    desk.run_due()
    with database.transaction():
        back = migration.reverse(done.id, by="test")
    migration.run(back.id)

    assert promise_of(ticket).state == "running"
    assert near(due_at(ticket) - clock.now(), timedelta(seconds=TARGET_S))
    assert desk.events(ticket, "sla_breached") == []


def test_a_promise_that_was_broken_stays_broken(desk: Desk) -> None:
    ticket = promised(desk)
    desk.advance(hours=97)
    desk.run_due()

    migrate(publish(calendar(holidays=["2030-01-01"])))
    desk.run_due()

    assert promise_of(ticket).breached_at is not None
    assert len(desk.events(ticket, "sla_breached")) == 1


def test_a_migration_that_changes_no_promise_leaves_the_clock_as_it_is(desk: Desk) -> None:
    ticket = promised(desk)
    before = promise_of(ticket)
    desk.advance(hours=5)

    version = publish(lambda body: body.update(description="Another sentence."))
    assert dry_run(version) == {}
    migrate(version)

    assert promise_of(ticket) == before
