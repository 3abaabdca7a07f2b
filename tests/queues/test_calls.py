"""What the death of one process can double is bounded and spread: few calls at once, repeats one by one, no repeat at a
start.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from models.kernel import clock, limits, settings
from models.kernel.errors import ConfigurationError
from models.kernel.storage import database
from models.ports import outbound
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks import commands, task_leases
from models.tasks.kinds import KINDS, SENDS
from models.tickets.tables import Ticket
from queues import runner
from queues.embedded import EmbeddedWorkers
from queues.outside import calls
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.services.waiting import wait_until

LEASE_S = 20.0


class Killed(BaseException):
    """Ends the worker's thread where kill -9 would end its process: no handler of ours catches it."""


def die(message: OutgoingMessage) -> SendOutcome:
    raise Killed


@pytest.fixture
def two_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SENDS_AT_ONCE", "2")
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()


def replies(desk: Desk, *, people: int, channel: str = "telegram") -> list[Ticket]:
    """Tickets of different people, each with a reply that is to be sent."""
    for number in range(people):
        if channel == "telegram":
            desk.receive_telegram("Help!", chat=100 + number)
        else:
            desk.receive_email("Help!", sender=f"p{number}@example.com")
    desk.run_due()
    desk.calls.clear()
    tickets = desk.tickets()
    for ticket in tickets:
        desk.reply(ticket, "Water it.")
    return tickets


def kill_during_each(desk: Desk, people: int) -> None:
    """The process dies while it hands over every reply."""
    desk.answers.extend([die] * people)
    for task_id in desk.due_tasks():
        with pytest.raises(Killed):
            runner.run_task(task_id)
    assert not desk.answers


def test_kinds_that_double_are_those_whose_repeat_a_person_would_get_twice() -> None:
    doubling = {name for name, kind in KINDS.items() if kind.doubles}

    # Webhooks carry an id by which their receivers know a repeat; notices are sent at most once; files are fetched, not
    # sent.
    assert doubling == {"send_delivery", "send_code", "send_desk_mail", "tell_staff"}
    assert all(KINDS[name].queue == SENDS for name in doubling)


def test_a_process_hands_over_no_more_messages_at_once_than_its_death_may_double(two_at_once: None) -> None:
    kind = KINDS["send_delivery"]

    with (
        calls.slot(kind) as first,
        calls.slot(kind) as second,
        calls.slot(kind) as third,
        calls.slot(KINDS["ingest_event"]) as of_our_own_database,
    ):
        pass
    with calls.slot(kind) as later:
        pass

    assert (first, second, third) == (True, True, False)
    assert of_our_own_database
    assert later, "what was used is free again"


@pytest.mark.parametrize("wrong", ["0", "-1"])
def test_a_process_that_may_hand_over_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("SENDS_AT_ONCE", wrong)
    settings.current.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="SENDS_AT_ONCE"):
            settings.current()
    finally:
        settings.current.cache_clear()


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_with_many_threads_and_a_slow_provider_few_messages_are_in_doubt_and_all_arrive(
    desk: Desk, two_at_once: None
) -> None:
    lock, answer, open_now, most = threading.Lock(), threading.Event(), [0], [0]

    def slow(message: OutgoingMessage) -> SendOutcome:
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        assert answer.wait(30), "the test should have let the provider answer"
        with lock:
            open_now[0] -= 1
        return outbound.accepted(f"{message.address}:1")

    tickets = replies(desk, people=8)
    desk.answers.extend([slow] * 8)
    workers = EmbeddedWorkers(replace(desk.settings, worker_threads=16))
    workers.start()
    try:
        wait_until(lambda: open_now[0] == 2, within_s=20, what="as many calls as are allowed")
        put_off = "SELECT 1 AS x FROM tasks WHERE last_error LIKE 'the process hands over%'"
        wait_until(lambda: len(desk.rows(put_off)) >= 4, within_s=20, what="sends that were put off")
        answer.set()
        wait_until(lambda: len(desk.sent) == len(tickets), within_s=30, what="all replies")
    finally:
        answer.set()
        workers.stop(timeout_s=5)

    assert most[0] == 2
    assert {len(d["attempt_log"]) for t in tickets for d in desk.deliveries(t)[-1:]} == {1}


@pytest.mark.parametrize("channel", ["telegram", "email"])
def test_what_a_death_left_in_doubt_is_repeated_one_by_one(desk: Desk, channel: str) -> None:
    tickets = replies(desk, people=4, channel=channel)
    kill_during_each(desk, 4)
    desk.calls.clear()

    desk.advance(seconds=LEASE_S + 1)
    per_second = []
    for _ in range(5):
        before = len(desk.sent)
        desk.run_due()
        per_second.append(len(desk.sent) - before)
        desk.advance(seconds=limits.repeat_every_s)

    assert per_second == [1, 1, 1, 1, 0], "a second death would hit one of them, not all"
    for ticket in tickets:
        assert [a["outcome"] for a in desk.deliveries(ticket)[-1]["attempt_log"]] == ["unknown", "accepted"]


def test_a_message_that_is_in_doubt_and_waits_for_its_turn_is_not_called_being_sent(desk: Desk) -> None:
    """A receipt for a delivery in the state `sending` waits for the record, which would not come."""
    replies(desk, people=2)
    kill_during_each(desk, 2)

    desk.advance(seconds=LEASE_S + 1)
    desk.run_due()

    assert sorted(desk.deliveries(ticket)[-1]["state"] for ticket in desk.tickets()) == ["pending", "sent"]


def test_the_first_send_of_another_message_does_not_wait_for_the_repeats(desk: Desk) -> None:
    replies(desk, people=3)
    kill_during_each(desk, 3)
    desk.calls.clear()
    desk.receive_telegram("And me?", chat=900)

    desk.advance(seconds=LEASE_S + 1)
    desk.run_due()

    assert {call.address for call in desk.sent} > {"900"}


def test_a_provider_that_knows_a_repeat_by_its_key_gets_all_repeats_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_part(monkeypatch, "retries_for", lambda channel: lambda account: 10)
    replies(desk, people=4)
    kill_during_each(desk, 4)
    desk.calls.clear()

    desk.advance(seconds=LEASE_S + 1)
    desk.run_due()

    assert len(desk.sent) == 4


def test_a_desk_that_starts_leaves_alone_for_a_while_what_the_last_process_was_sending(desk: Desk) -> None:
    [ticket] = replies(desk, people=1)
    waits = []

    for _ in range(3):  # it dies soon after each start
        [task] = desk.tasks("ready", kind="send_delivery")
        desk.advance(minutes=1)
        assert commands.claim(task["id"], lease_s=LEASE_S) is not None
        task_leases.release_all()
        due_at = database.instant(desk.task(task["id"])["due_at"])
        assert due_at is not None
        waits.append((due_at - clock.now()).total_seconds())
    desk.advance(minutes=1)
    desk.run_due()

    assert [round(wait_s) for wait_s in waits] == [limits.sends_calm_s * n for n in (1, 2, 3)]
    assert desk.deliveries(ticket)[-1]["state"] == "sent"


def test_a_desk_that_starts_goes_on_at_once_with_what_concerns_its_own_database_only(desk: Desk) -> None:
    desk.receive_telegram("Help!")
    [task] = desk.tasks("ready", kind="ingest_event")
    commands.claim(task["id"], lease_s=LEASE_S)

    task_leases.release_all()

    assert desk.due_tasks() == [task["id"]]
