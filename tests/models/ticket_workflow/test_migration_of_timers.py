"""A migration carries each timer by its name: nothing that went off goes off again, nothing that runs is lost."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.definitions import store
from models.kernel import clock
from models.kernel.storage import database
from models.publishing import publishing, workflows
from models.publishing.catalogue import Found
from models.tasks import timers
from models.ticket_workflow import migration, migration_preview, signals, why
from models.ticket_workflow.migration_preview import Preview
from models.tickets.tables import Ticket
from scripts.defs import moving
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

Body = dict[str, Any]
Change = Callable[[Body], Any]
WAITING = "waiting_on_requester"


def publish(change: Change) -> int:
    """Publish the support life cycle with a change; returns the version."""
    with database.connection():
        found = store.latest("workflow", "support")
    assert found is not None
    body = copy.deepcopy(found.body)
    change(body)
    workflows.forget()
    [new] = publishing.apply([Found("workflow", "support", body, "source", Path("x.yaml"))], by="test")
    return new.version


def with_nudge(**timer: Any) -> Change:
    """A timer `nudge` that mails the requester."""

    def change(body: Body) -> None:
        body["timers"]["nudge"] = {"in": [WAITING], "after": "2d"} | timer
        body["reactions"].insert(0, {"on": "timer:nudge", "name": "nudge", "do": [{"send": "nudge"}]})
        body["reactions"].insert(
            0, {"on": "signal:later", "name": "later", "do": [{"start_timer": "nudge"}], "continue": True}
        )
        body["templates"]["nudge"] = {"en": "Do you still need help?", "ru": "Вам ещё нужна помощь?"}

    return change


def described(body: Body) -> None:
    body["description"] = "Another sentence."


def changed(**changes: Any) -> Change:
    return lambda body: body["timers"]["nudge"].update(changes)


def without_nudge(body: Body) -> None:
    del body["timers"]["nudge"]
    body["reactions"] = [one for one in body["reactions"] if one["name"] not in ("nudge", "later")]


def waiting_ticket(desk: Desk) -> Ticket:
    ticket = desk.create_ticket(email="ada@example.com")
    desk.transition(ticket, "wait")
    desk.run_due()
    return ticket


def migrate(version: int, **state_map: str) -> migration.Migration:
    with database.transaction():
        started = migration.start("support", to_version=version, state_map=state_map, by="test")
    return migration.run(started.id)


def reverse(done: migration.Migration) -> migration.Migration:
    with database.transaction():
        back = migration.reverse(done.id, by="test")
    return migration.run(back.id)


def dry_run(version: int, **state_map: str) -> Preview:
    with database.connection():
        return migration_preview.preview("support", "support", version, state_map)


def nudges(desk: Desk) -> int:
    desk.run_due()
    return desk.sent_bodies().count("Do you still need help?")


def due_in(ticket: Ticket, name: str = "nudge") -> timedelta | None:
    """The time until a timer is due, to the nearest minute; None without the timer."""
    with database.connection():
        found = dict(why.timers(ticket.id))
    return timedelta(minutes=round((found[name] - clock.now()).total_seconds() / 60)) if name in found else None


def start_by_signal(desk: Desk, ticket: Ticket) -> None:
    with database.transaction():
        signals.receive(ticket.id, "later", {}, actor=desk.person())
    desk.run_due()


def test_a_reminder_that_was_sent_is_not_sent_again_by_a_migration_or_its_way_back(desk: Desk) -> None:
    publish(with_nudge())
    waiting_ticket(desk)
    desk.advance(days=2)
    assert nudges(desk) == 1

    version = publish(described)
    assert dry_run(version).timers_due == {}
    assert dry_run(version).timers_silent == {"nudge": 1}
    done = migrate(version)
    assert nudges(desk) == 1
    reverse(done)

    desk.advance(days=9)
    assert nudges(desk) == 1


def test_a_reminder_that_was_sent_is_not_sent_again_after_a_version_without_it(desk: Desk) -> None:
    publish(with_nudge())
    waiting_ticket(desk)
    desk.advance(days=2)
    assert nudges(desk) == 1

    first = migrate(publish(without_nudge))
    reverse(first)
    migrate(publish(described))
    migrate(publish(with_nudge()))

    desk.advance(days=9)
    assert nudges(desk) == 1


def test_the_next_visit_of_the_state_reminds_again(desk: Desk) -> None:
    publish(with_nudge())
    ticket = waiting_ticket(desk)
    desk.advance(days=2)
    assert nudges(desk) == 1
    migrate(publish(without_nudge))
    desk.transition(ticket, "reopen")
    desk.transition(ticket, "wait")

    migrate(publish(with_nudge()))

    desk.advance(days=2)
    assert nudges(desk) == 2


def test_a_running_timer_keeps_its_instant_and_moves_with_a_new_duration(desk: Desk) -> None:
    publish(with_nudge())
    ticket = waiting_ticket(desk)
    desk.advance(days=1)

    migrate(publish(described))
    assert due_in(ticket) == timedelta(days=1)
    version = publish(changed(after="3d"))
    assert dry_run(version).timers_moved == {"nudge": 1}
    done = migrate(version)
    assert due_in(ticket) == timedelta(days=2)
    reverse(done)
    assert due_in(ticket) == timedelta(days=1)

    desk.advance(days=1)
    assert nudges(desk) == 1


def test_the_dry_run_names_timers_that_go_off_at_once(desk: Desk) -> None:
    ticket = waiting_ticket(desk)
    desk.advance(days=3)

    version = publish(with_nudge())
    assert dry_run(version).timers_due == {"nudge": 1}
    assert due_in(ticket) is None  # a dry run writes nothing
    migrate(version)

    assert nudges(desk) == 1


def test_the_dry_run_says_in_words_what_goes_off_and_what_is_dropped(desk: Desk) -> None:
    publish(with_nudge(manual=True, **{"in": []}))
    start_by_signal(desk, waiting_ticket(desk))
    desk.advance(days=1)

    def with_another(body: Body) -> None:
        with_nudge(after="1h")(body)
        body["timers"] = {"reminder": body["timers"]["nudge"]}
        body["reactions"][1]["on"] = "timer:reminder"
        del body["reactions"][0]

    assert moving.in_words(dry_run(publish(with_another))) == [
        "1 tickets would move: waiting_on_requester 1",
        "  timers that go off at once: reminder 1",
        "  timers that are dropped: nudge 1",
    ]


def test_a_repeat_that_is_used_up_does_not_start_anew(desk: Desk) -> None:
    publish(with_nudge(repeat={"every": "1d", "times": 1}))
    ticket = waiting_ticket(desk)
    for _ in range(4):
        desk.advance(days=1)
        desk.run_due()
    assert nudges(desk) == 2

    migrate(publish(described))

    assert due_in(ticket) is None
    desk.advance(days=9)
    assert nudges(desk) == 2


def test_a_repeat_goes_on_with_its_count_and_its_rhythm(desk: Desk) -> None:
    publish(with_nudge(repeat={"every": "4h", "times": 2}))
    ticket = waiting_ticket(desk)
    desk.advance(days=2, hours=1)
    assert nudges(desk) == 1
    desk.advance(hours=1)

    migrate(publish(changed(repeat={"every": "6h", "times": 2})))
    assert due_in(ticket) == timedelta(hours=5)

    for expected in (2, 3, 3):
        desk.advance(hours=6)
        assert nudges(desk) == expected


def test_a_shorter_repeat_drops_a_firing_beyond_its_end_and_the_way_back_restores_it(desk: Desk) -> None:
    publish(with_nudge(repeat={"every": "4h", "times": 3}))
    ticket = waiting_ticket(desk)
    desk.advance(days=2)
    desk.run_due()
    desk.advance(hours=4)
    assert nudges(desk) == 2

    version = publish(changed(repeat={"every": "4h", "times": 1}))
    assert dry_run(version).timers_dropped == {"nudge": 1}
    done = migrate(version)
    assert due_in(ticket) is None
    reverse(done)

    assert due_in(ticket) == timedelta(hours=4)
    desk.advance(hours=4)
    assert nudges(desk) == 3


def test_a_started_manual_timer_is_carried_and_one_that_was_not_started_stays_off(desk: Desk) -> None:
    publish(with_nudge(manual=True, **{"in": []}))
    started, other = waiting_ticket(desk), waiting_ticket(desk)
    start_by_signal(desk, started)
    desk.advance(days=1)

    done = migrate(publish(described))
    assert (due_in(started), due_in(other)) == (timedelta(days=1), None)
    reverse(done)
    migrate(publish(changed(after="4d")))

    assert (due_in(started), due_in(other)) == (timedelta(days=3), None)


def test_a_manual_timer_that_went_off_in_the_new_version_does_not_come_back(desk: Desk) -> None:
    publish(with_nudge(manual=True, **{"in": []}))
    ticket = waiting_ticket(desk)
    start_by_signal(desk, ticket)

    done = migrate(publish(described))
    desk.advance(days=2)
    assert nudges(desk) == 1
    reverse(done)

    desk.advance(days=9)
    assert nudges(desk) == 1


def test_a_timer_that_the_new_version_lacks_is_stopped_named_by_the_dry_run_and_restored_by_the_way_back(
    desk: Desk,
) -> None:
    publish(with_nudge(manual=True, **{"in": []}))
    ticket = waiting_ticket(desk)
    start_by_signal(desk, ticket)
    version = publish(without_nudge)

    assert dry_run(version).timers_dropped == {"nudge": 1}
    done = migrate(version)
    assert due_in(ticket) is None
    desk.advance(days=1)
    reverse(done)

    assert due_in(ticket) == timedelta(days=1)
    desk.advance(days=1)
    assert nudges(desk) == 1


def test_a_firing_that_waits_for_a_worker_runs_once_or_is_dropped_with_its_timer(desk: Desk) -> None:
    publish(with_nudge())
    waiting_ticket(desk)
    desk.advance(days=2)
    timers.fire_due()

    done = migrate(publish(without_nudge))
    assert nudges(desk) == 0
    reverse(done)

    assert nudges(desk) == 1
    desk.advance(days=9)
    assert nudges(desk) == 1


def test_a_mapped_state_continues_the_visit(desk: Desk) -> None:
    def renamed(body: Body) -> None:
        text = repr(body).replace(repr(WAITING), "'pending'")
        body.clear()
        body.update(eval(text))  # noqa: S307 -- our own repr

    publish(with_nudge())
    waiting_ticket(desk)
    desk.advance(days=2)
    assert nudges(desk) == 1
    done = migrate(publish(renamed), **{WAITING: "pending"})
    reverse(done)

    desk.advance(days=9)
    assert nudges(desk) == 1
