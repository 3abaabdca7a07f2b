"""A receiver that rests: its waiting deliveries rest with it, one probe asks whether it is back,
and then all return.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.events import subscription_limits
from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.subscriptions import commands
from models.subscriptions.queries import Subscription
from queues import runner
from tests.desk import Desk
from tests.queues.subscriber import reload, states, subscribe
from tests.servers import HttpReceiver, Say, receiving

many = 2_000


@pytest.fixture
def backlog(desk: Desk, receiver: HttpReceiver) -> Subscription:
    """Two thousand deliveries wait for a receiver that has begun to fail and rests."""
    receiver.otherwise = Say(500)
    subscription = subscribe(desk, receiver)
    first = desk.command(commands.test, subscription.id, actor=desk.person("admin"))
    with database.transaction():
        commands.enqueue(subscription.id, copies(subscription.id, first, many - 1))
    assert (
        run_some(desk, subscription_limits.failures_before_rest)
        == ["retried"] * subscription_limits.failures_before_rest
    )
    return subscription


def copies(subscription_id: UUID, event_id: UUID, count: int) -> list[UUID]:
    """As many events like one, each with its delivery: quicker than making them one by one."""
    [columns] = database.run("SELECT * FROM events WHERE event_id = :id", id=event_id)
    ids = [new_id() for _ in range(count)]
    replaced = {"event_id": "v.column1::uuid", "sequence": "e.sequence + v.column2"}
    selected = ", ".join(replaced.get(name, f"e.{name}") for name in columns)
    for start in range(0, count, 500):
        places = ", ".join(f"('{one}', {number})" for number, one in enumerate(ids[start : start + 500], start + 1))
        source = f"(VALUES {places}) AS v"
        database.execute(
            f"INSERT INTO events ({', '.join(columns)}) SELECT {selected} FROM events AS e, {source} WHERE"
            " e.event_id = :id",
            id=event_id,
        )
        database.execute(
            "INSERT INTO webhook_deliveries (subscription_id, event_id, state, created_at)"
            " SELECT d.subscription_id, v.column1::uuid, 'pending', d.created_at FROM webhook_deliveries AS d,"
            f" {source}"
            " WHERE d.subscription_id = :subscription AND d.event_id = :id",
            id=event_id,
            subscription=subscription_id,
        )
    return ids


def run_some(desk: Desk, most: int) -> list[str]:
    """Run the first due task, look again, and so on: at most so many."""
    outcomes: list[str] = []
    while len(outcomes) < most and (due := desk.due_tasks()):
        outcomes.append(runner.run_task(due[0]))
    return outcomes


def due_times(desk: Desk) -> list[Any]:
    rows = desk.rows("SELECT due_at FROM tasks WHERE kind = 'deliver_webhook' AND state = 'ready' ORDER BY due_at")
    return [database.instant(row["due_at"]) for row in rows]


def past_the_rest(desk: Desk, subscription: Subscription) -> None:
    """Move the clock to the probe: the rest is over, the others still wait."""
    until = reload(desk, subscription).blocked_until
    assert until is not None
    desk.advance(seconds=(until - clock.now()).total_seconds() + 1)


def test_a_backlog_of_thousands_costs_a_task_run_or_two_for_each_rest(
    backlog: Subscription, desk: Desk, receiver: HttpReceiver
) -> None:
    runs: list[str] = []
    for _ in range(4 * 12):
        desk.advance(minutes=5)
        runs += run_some(desk, many)

    rests = 4 * 3600 / subscription_limits.rest_s_max + 10  # the first ones are shorter
    assert len(runs) <= 2 * rests
    assert set(runs) == {"retried"}
    assert len(receiver.got) == len(runs) + subscription_limits.failures_before_rest
    assert states(desk, backlog).count("pending") == many
    due = due_times(desk)
    assert due[-1] - due[2] > timedelta(seconds=many * subscription_limits.return_gap_s * 0.9)  # not all at one instant


def test_after_a_rest_one_probe_goes_alone(backlog: Subscription, desk: Desk, receiver: HttpReceiver) -> None:
    for _ in range(8):
        called = len(receiver.got)
        past_the_rest(desk, backlog)

        assert len(desk.due_tasks()) == 1
        assert run_some(desk, 1) == ["retried"]
        assert len(receiver.got) == called + 1


def test_a_receiver_that_is_back_gets_all_that_waited_at_once(
    backlog: Subscription, desk: Desk, receiver: HttpReceiver
) -> None:
    for _ in range(9):  # to the longest rest
        past_the_rest(desk, backlog)
        run_some(desk, 1)
    receiver.otherwise = Say(204)
    past_the_rest(desk, backlog)

    assert run_some(desk, 1) == ["done"]

    assert reload(desk, backlog).blocked_until is None
    due = due_times(desk)
    assert len(due) == many - 1
    assert due[-1] <= clock.now() + timedelta(seconds=many * subscription_limits.return_gap_s)
    assert run_some(desk, 5) == ["done"] * 5
    assert states(desk, backlog).count("delivered") == 6


def test_an_event_during_a_rest_is_due_after_it_and_after_the_probe(
    backlog: Subscription, desk: Desk, receiver: HttpReceiver
) -> None:
    actor = desk.person("admin")
    desk.command(
        commands.update,
        backlog.id,
        {"event_types": ["ticket_created"]},
        expected_version=None,
        private=True,
        actor=actor,
    )
    until = reload(desk, backlog).blocked_until
    assert until is not None
    before = {row["id"] for row in desk.rows("SELECT id FROM tasks WHERE kind = 'deliver_webhook'")}

    desk.create_ticket("during the rest")
    replayed = desk.command(commands.test, backlog.id, actor=actor)
    new = [
        row
        for row in desk.rows(
            "SELECT id, due_at, next_hint_at FROM tasks WHERE kind = 'deliver_webhook' AND state = 'ready'"
        )
        if row["id"] not in before
    ]
    assert (len(new), replayed is not None) == (2, True)
    for row in new:
        for name in ("due_at", "next_hint_at"):
            at = database.instant(row[name])
            assert at is not None
            assert abs((at - until).total_seconds() - subscription_limits.probe_s) < 1


def test_another_receiver_is_not_touched(backlog: Subscription, desk: Desk, receiver: HttpReceiver) -> None:
    past_the_rest(desk, backlog)
    [probe] = desk.due_tasks()
    with receiving() as healthy:
        other = subscribe(desk, healthy)
        desk.command(commands.test, other.id, actor=desk.person("admin"))

        assert runner.run_task(probe) == "retried"
        assert run_some(desk, 1) == ["done"]

        assert len(healthy.got) == 1
    assert states(desk, other) == ["delivered"]


def test_a_new_address_brings_the_waiting_deliveries_back_at_once(
    backlog: Subscription, desk: Desk, receiver: HttpReceiver
) -> None:
    with receiving() as healthy:
        desk.command(
            commands.update,
            backlog.id,
            {"url": healthy.url},
            expected_version=None,
            private=True,
            actor=desk.person("admin"),
        )

        assert run_some(desk, 3) == ["done"] * 3
        assert len(healthy.got) == 3
    assert due_times(desk)[-1] <= clock.now() + timedelta(seconds=many * subscription_limits.return_gap_s)


@pytest.mark.parametrize("end", ["pause", "remove"])
def test_a_paused_or_removed_receiver_leaves_no_task_that_finds_nothing_to_do(
    backlog: Subscription, desk: Desk, end: str
) -> None:
    actor = desk.person("admin")
    if end == "pause":
        desk.command(commands.update, backlog.id, {"active": False}, expected_version=None, private=True, actor=actor)
    else:
        desk.command(commands.delete, backlog.id, expected_version=None, actor=actor)

    assert desk.tasks("ready", "leased", kind="deliver_webhook") == []
    assert states(desk, backlog) == ["discarded"] * many
