"""Every event reaches every subscription that wants it, once, however transactions interleave."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import UUID

import pytest

from models.events import fan_out
from models.kernel import clock
from models.kernel.storage import database
from models.subscriptions import commands
from models.subscriptions.queries import Subscription
from models.ticket_actions import commands as tickets
from tests.desk import Desk

URL = "https://hooks.example.com/desk"


def subscribe(desk: Desk, *event_types: str, **more: Any) -> Subscription:
    told: dict[str, Any] = {"description": "", "include_bodies": False, "private": False} | more
    found = desk.command(
        commands.create, url=URL, event_types=list(event_types or ["*"]), actor=desk.person("admin"), **told
    )
    assert isinstance(found, Subscription)
    return found


def told(desk: Desk, subscription: Subscription) -> list[str]:
    """The types of events that the subscription has deliveries of, in order."""
    rows = desk.rows(
        "SELECT e.event_type FROM webhook_deliveries AS d JOIN events AS e ON e.event_id = d.event_id"
        " WHERE d.subscription_id = :id ORDER BY d.event_id",
        id=subscription.id,
    )
    return [row["event_type"] for row in rows]


def deliver_tasks(desk: Desk) -> list[tuple[str, str]]:
    """Subscription and event of each task there is, whatever its state."""
    return [(t["payload"]["subscription_id"], t["payload"]["event_id"]) for t in _tasks(desk)]


def _tasks(desk: Desk) -> list[dict[str, Any]]:
    from models.kernel.storage.batch import from_json

    found = desk.tasks(kind="deliver_webhook")
    for one in found:
        one["payload"] = from_json(one["payload"])
    return found


def test_without_subscriptions_nothing_is_written(desk: Desk) -> None:
    desk.create_ticket()

    assert desk.rows("SELECT * FROM webhook_deliveries") == []
    assert _tasks(desk) == []


def test_a_subscription_receives_only_its_event_types(desk: Desk) -> None:
    one = subscribe(desk, "ticket_assigned", "message_added")
    every = subscribe(desk)

    ticket = desk.create_ticket(description="It burns.", email="ada@example.com")
    desk.reply(ticket)

    assert told(desk, one) == ["message_added"] * 2  # the acknowledgement and the reply
    assert set(told(desk, every)) >= {
        "webhook_created",
        "ticket_created",
        "message_received",
        "message_added",
    }


def test_each_delivery_has_one_task_that_is_woken_at_once(desk: Desk) -> None:
    subscription = subscribe(desk, "ticket_created")
    desk.wakeups.clear()

    desk.create_ticket()

    [task] = _tasks(desk)
    assert task["payload"]["subscription_id"] == str(subscription.id)
    assert task["id"] in [wakeup.task_id for wakeup in desk.wakeups]


def test_a_rolled_back_event_is_sent_to_no_subscription(desk: Desk) -> None:
    subscription = subscribe(desk, "ticket_created")

    def taken_back() -> None:
        tickets.create(tickets.NewTicket(title="Printer"), actor=desk.person())
        raise RuntimeError("taken back")

    with pytest.raises(RuntimeError):
        desk.command(taken_back)

    assert told(desk, subscription) == []
    assert _tasks(desk) == []


def test_an_inbound_message_is_sent_to_subscriptions_too(desk: Desk) -> None:
    subscription = subscribe(desk, "message_received")
    desk.receive_telegram("The printer is on fire.")

    desk.run_due()

    assert told(desk, subscription) == ["message_received"]


def test_a_batch_of_many_events_is_sent_whole(desk: Desk) -> None:
    from models.events import commands as events
    from models.events.commands import SYSTEM
    from models.events.workflow_payloads import SignalReceived
    from models.kernel import clock
    from models.kernel.ids import new_id
    from models.kernel.storage.batch import Batch

    subscription = subscribe(desk, "signal_received")
    batch, aggregate = Batch(), new_id()
    for sequence in range(1, 451):
        events.add(
            batch,
            SignalReceived(signal="paid", payload={}),
            aggregate="ticket",
            aggregate_id=aggregate,
            sequence=sequence,
            actor=SYSTEM,
            at=clock.now(),
        )
    desk.command(batch.write)

    assert len(told(desk, subscription)) == len(set(deliver_tasks(desk))) == 450


def test_a_paused_subscription_receives_nothing_and_a_switched_off_one_keeps_missed_events(
    desk: Desk,
) -> None:
    paused, off = subscribe(desk, "ticket_created"), subscribe(desk, "ticket_created")
    actor = desk.person("admin")
    desk.command(commands.update, paused.id, {"active": False}, expected_version=None, private=False, actor=actor)
    desk.command(commands.switch_off, off, "nothing was delivered for 3 days")

    desk.create_ticket()

    assert told(desk, paused) == []
    rows = desk.rows("SELECT subscription_id, state FROM webhook_deliveries")
    assert [(UUID(str(row["subscription_id"])), row["state"]) for row in rows] == [(off.id, "missed")]
    assert _tasks(desk) == []


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_transaction_that_began_first_and_commits_last_is_not_skipped(desk: Desk) -> None:
    """What a reader with a cursor loses: the earlier id appears after the later one has been read."""
    subscription = subscribe(desk, "ticket_created")
    written, may_commit = threading.Event(), threading.Event()

    def slow() -> UUID:
        with database.transaction():
            ticket = tickets.create(tickets.NewTicket(title="first"), actor=desk.person())
            written.set()
            assert may_commit.wait(20)
        return ticket.id

    def fast() -> UUID:
        assert written.wait(20)
        with database.transaction():
            ticket = tickets.create(tickets.NewTicket(title="second"), actor=desk.person())
        seen_before = told(desk, subscription)
        may_commit.set()
        assert seen_before == ["ticket_created"]
        return ticket.id

    desk.in_threads(slow, fast)

    assert told(desk, subscription) == ["ticket_created"] * 2
    assert len(set(deliver_tasks(desk))) == len(deliver_tasks(desk)) == 2


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_subscription_made_while_a_transaction_is_open_receives_later_events(desk: Desk) -> None:
    """From the moment that its maker has the answer: no cache has to notice it first."""
    began, made = threading.Event(), threading.Event()
    found: list[Subscription] = []

    def writer() -> None:
        with database.transaction():
            database.run("SELECT count(*) FROM tickets")
            tickets.create(tickets.NewTicket(title="before"), actor=desk.person())
            began.set()
            assert made.wait(20)
            tickets.create(tickets.NewTicket(title="after"), actor=desk.person())

    def maker() -> None:
        assert began.wait(20)
        found.append(subscribe(desk, "ticket_created"))
        made.set()

    desk.in_threads(writer, maker)

    assert told(desk, found[0]) == ["ticket_created"]


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_nobody_who_writes_an_event_waits_for_somebody_who_changes_a_subscription(desk: Desk) -> None:
    subscription = subscribe(desk, "ticket_created")
    held, done = threading.Event(), threading.Event()

    def changer() -> None:
        with database.transaction():
            database.run("SELECT id FROM subscriptions WHERE id = :id FOR_UPDATE", id=subscription.id)
            held.set()
            assert done.wait(20), "the writer waits"

    def writer() -> None:
        assert held.wait(20)
        desk.create_ticket()
        done.set()

    desk.in_threads(changer, writer)

    assert told(desk, subscription) == ["ticket_created"]


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_under_many_writers_some_of_which_fail_each_event_is_sent_once(desk: Desk) -> None:
    subscription = subscribe(desk, "ticket_created")

    def writer(number: int) -> None:
        for turn in range(10):
            try:
                with database.transaction():
                    tickets.create(tickets.NewTicket(title=f"{number}/{turn}"), actor=desk.person())
                    if (number + turn) % 3 == 0:
                        raise RuntimeError("taken back")
            except RuntimeError:
                continue

    desk.in_threads(*[lambda number=number: writer(number) for number in range(6)])

    events = {str(r["event_id"]) for r in desk.rows("SELECT event_id FROM events WHERE event_type = 'ticket_created'")}
    rows = desk.rows("SELECT event_id FROM webhook_deliveries WHERE subscription_id = :id", id=subscription.id)
    assert len(events) == 40
    assert {str(row["event_id"]) for row in rows} == events
    assert sorted(event for _, event in deliver_tasks(desk)) == sorted(events)


def test_a_desk_without_subscriptions_asks_once_and_then_pays_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.create_ticket()
    statements: list[str] = []
    real = database.execute

    def noted(statement: str, *values: Any, **named: Any) -> Any:
        statements.append(statement)
        return real(statement, *values, **named)

    monkeypatch.setattr(database, "execute", noted)

    desk.create_ticket()

    assert statements
    assert [one for one in statements if "subscription" in one or "webhook_deliveries" in one] == []


def test_what_a_process_remembers_is_asked_again_in_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process made the first subscription: this one hears of it within the time that its maker waits."""
    desk.create_ticket()
    forget, moments = fan_out.forget, [0.0]
    monkeypatch.setattr(fan_out, "forget", lambda: None)
    subscription = subscribe(desk, "ticket_created")
    monkeypatch.setattr(time, "monotonic", lambda: time.monotonic_ns() / 1e9 + moments[0])

    desk.create_ticket("unnoticed")
    before = told(desk, subscription)
    moments[0] = fan_out.notice_s
    desk.create_ticket("noticed")

    forget()
    assert (before, told(desk, subscription)) == ([], ["ticket_created"])


def test_an_answer_that_was_asked_for_before_a_subscription_is_not_remembered_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread looks, another one makes the first subscription and forgets, then the first thread remembers what it
    saw.
    """
    real = database.one

    def slow(statement: str, *values: Any, **named: Any) -> Any:
        found = real(statement, *values, **named)
        if "FROM subscriptions WHERE state" in statement:
            fan_out.forget()
        return found

    monkeypatch.setattr(database, "one", slow)
    desk.create_ticket()
    monkeypatch.setattr(database, "one", real)
    desk.command(
        database.execute,
        "INSERT INTO subscriptions (id, url, description, event_types, state, secret, created_by, created_at,"
        " updated_at) VALUES"
        " ('00000000-0000-7000-8000-000000000001', 'x', '', '[]', 'active', 'x', 'x', :now, :now)",
        now=clock.now(),
    )

    assert desk.command(fan_out._memory.any)
