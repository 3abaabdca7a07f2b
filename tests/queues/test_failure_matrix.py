"""The failure matrix of ARCHITECTURE.md row by row, at the level of the domain.

Rows that need real processes (a broker or worker that is stopped, SIGTERM, kill -9) are in tests/faults, forced crashes
in `test_crash_points.py`. Power loss shows in the pragmas that `test_sqlite.py` checks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise

import pytest

from models.channels import accounts
from models.inbox import commands as inbox
from models.kernel import clock, limits
from models.kernel.errors import LeaseLost, Unavailable
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import EventKey
from models.tasks import commands, dead_letters, timers
from models.tasks import sweep as tasks_sweep
from models.tasks.kinds import KINDS, SENDS, TaskKind
from models.tasks.rates import Bucket
from queues import sweep
from queues.processes.outage import outages
from queues.settlement import Done, Failed, Postponed
from tests.desk import Desk
from tests.queues.work import KIND, TestWork, Work, cut_connections

LEASE_S = 20.0


def _store(desk: Desk, key: str = "update:1") -> inbox.Stored:
    account = accounts.find("telegram", "demo")
    return inbox.store(account, EventKey(key, "chat:1"), raw=b"{}", content_type="application/json")


def test_row_before_commit_nothing_is_stored_and_the_repeat_is_taken_as_new(desk: Desk) -> None:
    def killed() -> None:
        _store(desk)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        desk.command(killed)

    assert desk.rows("SELECT 1 AS x FROM inbox") == []
    assert desk.tasks() == []
    assert desk.wakeups == []
    assert desk.command(_store, desk).repeat is False


def test_row_after_commit_before_the_answer_the_repeat_gets_the_stored_event(desk: Desk) -> None:
    first = desk.receive_telegram(update_id=7)

    second = desk.receive_telegram(update_id=7)
    desk.run_due()
    third = desk.receive_telegram(update_id=7)
    desk.run_due()

    assert first == second == third
    assert len(desk.messages(desk.ticket())) == 2  # the message and its acknowledgement
    assert len(desk.sent) == 1


def test_row_after_commit_before_the_wakeup_the_sweep_wakes_a_worker_after_the_grace(work: Work) -> None:
    task_id = work.enqueue()
    work.desk.wakeups.clear()  # lost

    too_early = sweep.once()
    work.desk.advance(seconds=limits.task_wakeup_grace_s + 1)
    swept = sweep.once()

    assert too_early.tasks_woken == 0
    assert swept.tasks_woken == 1
    assert [wakeup.task_id for wakeup in work.desk.wakeups] == [task_id]


def test_row_broker_lost_everything_the_sweep_wakes_workers_again_with_growing_pauses(work: Work) -> None:
    ids = {work.enqueue() for _ in range(3)}
    seconds = 0.0

    woken_after: list[float] = []
    while seconds < 60:
        work.desk.advance(seconds=1)
        seconds += 1
        work.desk.wakeups.clear()
        if sweep.once().tasks_woken:
            assert {wakeup.task_id for wakeup in work.desk.wakeups} == ids
            woken_after.append(seconds)

    pauses = [b - a for a, b in pairwise(woken_after)]
    assert len(woken_after) >= 3
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


def test_row_worker_killed_before_the_claim_the_redelivered_wakeup_runs_it(work: Work) -> None:
    task_id = work.enqueue()
    [wakeup] = work.desk.wakeups

    outcomes = [work.run(wakeup.task_id)]  # the first delivery never got as far as this

    assert outcomes == ["done"]
    assert work.effects() == [task_id]


def test_row_worker_killed_after_the_claim_another_runs_it_when_the_lease_is_over(work: Work) -> None:
    task_id = work.enqueue()
    work.claim(task_id, lease_s=LEASE_S)

    while_leased = work.run(task_id)
    swept_while_leased = sweep.once().tasks_woken
    work.desk.advance(seconds=LEASE_S + 1)
    work.desk.wakeups.clear()
    swept = sweep.once().tasks_woken
    after = work.run(task_id)

    assert (while_leased, swept_while_leased) == ("not_mine", 0)
    assert (swept, after) == (1, "done")
    assert work.effects() == [task_id]
    assert work.desk.task(task_id)["attempts"] == 2


@pytest.mark.parametrize("renewed", [False, True])
def test_row_worker_killed_after_a_long_time_without_workers_its_lease_says_when_another_runs_the_task(
    work: Work, renewed: bool
) -> None:
    task_id, behind = work.enqueue(key="chat"), work.enqueue(key="chat")
    for _ in range(400):  # nobody takes the wakeups, so the pauses between them grow to 160 s
        work.desk.advance(seconds=1)
        sweep.once()
    task = work.claim(task_id, lease_s=LEASE_S)
    if renewed:
        work.desk.advance(seconds=LEASE_S / 2)
        commands.extend({task.lease_id: task.id}, lease_s=LEASE_S)
    work.desk.wakeups.clear()

    work.desk.advance(seconds=LEASE_S - 1)
    woken_before = sweep.once().tasks_woken
    work.desk.advance(seconds=2)
    woken_after = sweep.once().tasks_woken

    assert (woken_before, woken_after) == (0, 1)
    assert [wakeup.task_id for wakeup in work.desk.wakeups] == [task_id]
    assert [work.run(task_id), work.run(behind)] == ["done", "done"]


def test_row_a_task_that_was_given_back_is_woken_at_once(work: Work) -> None:
    task = work.claim(work.enqueue(), lease_s=LEASE_S)

    commands.extend({task.lease_id: task.id}, lease_s=0.0)
    work.desk.advance(seconds=0.1)

    assert sweep.once().tasks_woken == 1


def test_row_worker_killed_after_commit_before_the_ack_the_second_wakeup_finds_it_done(work: Work) -> None:
    task_id = work.enqueue()
    work.run(task_id)

    assert work.run(task_id) == "not_mine"
    assert work.effects() == [task_id]


@pytest.mark.parametrize(("channel", "calls", "state"), [("telegram", 2, "sent"), ("email", 2, "sent")])
def test_row_killed_around_the_external_call_the_attempt_is_unknown_and_repeated_visibly(
    desk: Desk, channel: str, calls: int, state: str
) -> None:
    _receive(desk, channel)
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket, "Water it.")
    desk.calls.clear()
    _kill_during_the_call(desk)

    desk.advance(seconds=LEASE_S + 1)
    desk.run_due()

    delivery = desk.deliveries(ticket)[-1]
    assert [a["outcome"] for a in delivery["attempt_log"]] == ["unknown", "accepted"]
    assert [bool(a["possibly_duplicate"]) for a in delivery["attempt_log"]] == [False, True]
    assert delivery["state"] == state
    assert len(desk.calls) == calls
    ids = {call.message.external_id for call in desk.calls}
    assert len(ids) == 1, "e-mail keeps its Message-ID over all attempts; Telegram has none"


@pytest.mark.parametrize("channel", ["telegram", "email"])
def test_row_killed_twice_around_a_call_it_is_not_repeated_again_but_shown(desk: Desk, channel: str) -> None:
    _receive(desk, channel)
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket)
    desk.calls.clear()
    for _ in range(2):
        _kill_during_the_call(desk)
        desk.advance(seconds=LEASE_S + 1)

    desk.run_due()

    assert len(desk.calls) == 2, "nobody gets a message three times"
    delivery = desk.deliveries(ticket)[-1]
    assert delivery["state"] == "unknown"
    [failed] = desk.events(ticket, "delivery_failed")
    assert failed["payload"]["state"] == "unknown"


def test_row_database_away_for_longer_than_a_lease_the_holder_keeps_its_task_and_its_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.receive_telegram()
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket)
    desk.calls.clear()
    [task] = desk.tasks("ready", kind="send_delivery")
    away, real = threading.Event(), database.transaction
    taken: list[commands.ClaimedTask | None] = []

    @contextmanager
    def transaction() -> Iterator[None]:
        if away.is_set():
            raise Unavailable
        with real():
            yield

    def answer_in_the_outage(message: outbound.OutgoingMessage) -> outbound.SendOutcome:
        away.set()
        desk.advance(seconds=2 * LEASE_S)
        threading.Timer(0.5, away.clear).start()
        return outbound.accepted("42:1")

    def renewed(leases: Mapping[str, int], *, lease_s: float) -> None:
        extend(leases, lease_s=lease_s)
        # An idle process that saw the outage gets a wakeup; the lease has just expired and been renewed.
        taken.append(commands.claim(task["id"], lease_s=LEASE_S, take_expired_sends=False))

    extend = commands.extend
    monkeypatch.setattr(commands, "extend", renewed)
    monkeypatch.setattr(database, "transaction", transaction)
    desk.answers.append(answer_in_the_outage)
    outcomes = desk.run_due()

    assert outcomes.count("done") == len(outcomes)
    assert taken
    assert not any(taken)
    assert len(desk.calls) == 1
    [attempt] = desk.deliveries(ticket)[-1]["attempt_log"]
    assert (attempt["outcome"], desk.deliveries(ticket)[-1]["state"]) == ("accepted", "sent")


def test_row_database_comes_back_and_an_idle_process_leaves_expired_sends_to_their_holders(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, KIND, TaskKind(KIND, TestWork, queue=SENDS))
    task_id = work.enqueue()
    work.claim(task_id, lease_s=LEASE_S)
    work.desk.advance(seconds=2 * LEASE_S)
    outages.begin()  # it saw the outage, or it has just started

    early = work.run(task_id)
    work.desk.advance(seconds=limits.expired_lease_grace_s)

    assert (early, work.run(task_id)) == ("not_mine", "done")


def test_row_a_send_that_lost_its_lease_still_closes_its_attempt_and_spares_the_repeat(desk: Desk) -> None:
    desk.receive_telegram()
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket)
    desk.calls.clear()
    [task] = desk.tasks("ready", kind="send_delivery")

    def taken_over(message: outbound.OutgoingMessage) -> outbound.SendOutcome:
        desk.advance(seconds=LEASE_S + 1)
        assert commands.claim(task["id"], lease_s=LEASE_S) is not None
        return outbound.accepted("42:1")

    desk.answers.append(taken_over)
    outcomes = desk.run_due()
    desk.advance(seconds=LEASE_S + 1)  # the other worker dies before it begins
    desk.run_due()

    assert "recorded_late" in outcomes
    delivery = desk.deliveries(ticket)[-1]
    assert ([a["outcome"] for a in delivery["attempt_log"]], delivery["state"]) == (["accepted"], "sent")
    assert len(desk.calls) == 1


def test_row_a_hung_worker_wakes_up_late_and_its_effect_is_rolled_back(work: Work) -> None:
    task_id = work.enqueue()
    hung = work.claim(task_id, lease_s=LEASE_S)
    work.desk.advance(seconds=LEASE_S + 1)
    assert work.run(task_id) == "done"

    def wake_up() -> None:
        work.effect(hung, "late")
        commands.finish(hung)

    with pytest.raises(LeaseLost):
        work.desk.command(wake_up)

    assert work.effects() == [task_id]


def test_row_a_hung_worker_cannot_settle_what_another_worker_holds_now(work: Work) -> None:
    task_id = work.enqueue()
    hung = work.claim(task_id, lease_s=LEASE_S)
    work.desk.advance(seconds=LEASE_S + 1)
    other = work.claim(task_id)

    for settle in (
        lambda: commands.fail(hung, "late", permanent=True),
        lambda: commands.postpone(hung, wait_s=1, reason="late"),
    ):
        with pytest.raises(LeaseLost), database.transaction():
            settle()

    assert work.desk.task(task_id)["lease_id"] == other.lease_id


def test_row_429_moves_the_task_without_counting_the_attempt(work: Work) -> None:
    work.do = lambda task: Postponed(30.0, "429")
    task_id = work.enqueue()

    for _ in range(10):  # more often than the kind has attempts
        assert work.run(task_id) == "postponed"
        work.desk.advance(seconds=31)

    assert work.desk.task(task_id)["attempts"] == 0
    assert work.state(task_id) == "ready"


def test_row_channel_down_waits_grow_and_the_task_is_dead_in_the_end(work: Work) -> None:
    work.do = lambda task: Failed("connection refused")
    task_id = work.enqueue()

    waits = []
    while (outcome := work.run(task_id)) == "retried":
        row = work.desk.task(task_id)
        due = database.instant(row["due_at"])
        assert due is not None
        waits.append((due - clock.now()).total_seconds())
        assert work.run(task_id) == "not_mine", "it is not due yet"
        work.desk.advance(seconds=waits[-1] + 0.1)

    assert outcome == "dead"
    assert len(waits) == 3
    assert waits[0] < 0.6 < 0.9 < waits[2] < 2.1
    assert work.desk.task(task_id)["last_error"] == "given up after 4 attempts: connection refused"


def test_row_poison_task_is_dead_at_once_is_reported_and_blocks_no_other_task(work: Work) -> None:
    poison = work.enqueue(key="a")
    behind, elsewhere = work.enqueue(key="a"), work.enqueue(key="b")

    def do(task: commands.ClaimedTask) -> Done | Failed:
        if task.id == poison:
            return Failed("cannot ever work", permanent=True)
        return Done(lambda: work.effect(task))

    work.do = do
    outcomes = [work.run(elsewhere), work.run(behind), work.run(poison), work.run(behind)]

    assert outcomes == ["done", "not_mine", "dead", "done"]
    assert work.dead == ["cannot ever work"]
    assert work.effects() == [elsewhere, behind]


def test_row_poison_task_that_kills_its_worker_each_time_is_given_up(work: Work) -> None:
    task_id = work.enqueue()
    for _ in range(4):  # as often as its kind has attempts
        work.claim(task_id, lease_s=LEASE_S)
        work.desk.advance(seconds=LEASE_S + 1)

    outcome = work.run(task_id)

    assert outcome == "dead"
    assert work.effects() == []
    assert len(work.dead) == 1


def test_row_a_dead_task_is_requeued_or_discarded_by_a_person(work: Work) -> None:
    work.do = lambda task: Failed("no", permanent=True)
    first, second = work.enqueue(), work.enqueue()
    work.run(first)
    work.run(second)
    work.do = None

    work.desk.wakeups.clear()
    work.desk.command(dead_letters.retry, first)
    work.desk.command(dead_letters.discard, second)

    assert [wakeup.task_id for wakeup in work.desk.wakeups] == [first]
    assert work.desk.task(first)["attempts"] == 0
    assert work.run(first) == "done"
    assert work.state(second) == "discarded"
    assert "is done" in work.desk.refused(dead_letters.retry, first).message
    assert "is discarded" in work.desk.refused(dead_letters.discard, second).message
    assert work.desk.refused(dead_letters.retry, 10**9).code == "not_found"


def test_row_many_sweepers_at_once_wake_a_worker_once_for_each_task_and_fire_each_timer_once(work: Work) -> None:
    ids = [work.enqueue() for _ in range(30)]
    with database.transaction():
        for index in range(30):
            timers.put(f"test:{index}", TestWork(), due_at=clock.now())
    work.desk.advance(seconds=limits.task_wakeup_grace_s + 1)
    work.desk.wakeups.clear()

    work.desk.in_threads(*[sweep.once] * 4)

    of_tasks = [wakeup.task_id for wakeup in work.desk.wakeups if wakeup.task_id in ids]
    assert sorted(of_tasks) == ids
    assert len(work.desk.tasks(kind=KIND)) == 60
    assert work.desk.timers() == []


def test_row_sweepers_in_small_batches_still_find_everything(work: Work) -> None:
    ids = [work.enqueue() for _ in range(25)]
    work.desk.advance(seconds=limits.task_wakeup_grace_s + 1)
    work.desk.wakeups.clear()

    counts = [tasks_sweep.run(batch_max=10) for _ in range(4)]

    assert counts == [10, 10, 5, 0]
    assert [wakeup.task_id for wakeup in work.desk.wakeups] == ids


def test_row_all_replicas_down_over_a_timer_it_fires_once_late_and_keeps_its_rhythm(work: Work) -> None:
    start = clock.now()
    work.desk.command(timers.put, "test:hourly", TestWork(), due_at=start, every_s=3600)

    work.desk.advance(hours=5, minutes=10)
    fired = sweep.once().timers_fired

    assert fired == 1
    assert len(work.desk.tasks(kind=KIND)) == 1
    [timer] = work.desk.timers()
    due = database.instant(timer["due_at"])
    assert due is not None
    assert round((due - start).total_seconds()) == 6 * 3600


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_row_database_fails_over_in_the_transaction_the_caller_gets_unavailable_and_repeats(
    desk: Desk,
) -> None:
    def store_while_it_fails_over() -> None:
        _store(desk)
        assert cut_connections(desk) >= 1

    with pytest.raises(Unavailable):
        desk.command(store_while_it_fails_over)

    assert desk.wakeups == []
    assert desk.command(_store, desk).repeat is False
    assert len(desk.tasks(kind="ingest_event")) == 1


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_row_connection_dropped_while_idle_is_replaced_unseen(work: Work) -> None:
    task_id = work.enqueue()
    assert cut_connections(work.desk) >= 1

    assert work.run(task_id) == "done"


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_row_connection_dropped_in_use_nothing_is_lost_and_nothing_doubled(work: Work) -> None:
    task_id = work.enqueue()
    cuts = iter([True])

    def record(task: commands.ClaimedTask) -> None:
        work.effect(task)
        if next(cuts, False):
            cut_connections(work.desk)

    work.do = lambda task: Done(lambda: record(task))
    outcome = work.run(task_id)
    again = work.run(task_id)

    assert (outcome, again) == ("done", "not_mine")
    assert work.effects() == [task_id]


def test_row_a_kind_that_this_release_does_not_know_goes_back_uncounted(work: Work) -> None:
    with database.transaction():
        database.execute(
            "INSERT INTO tasks (kind, queue, payload, due_at, next_hint_at, created_at)"
            " VALUES ('of_tomorrow', 'default', '{}', NOW(), NOW(), NOW())"
        )
    [task] = work.desk.tasks(kind="of_tomorrow")

    outcome = work.run(task["id"])

    after = work.desk.task(task["id"])
    assert outcome == "postponed"
    assert (after["state"], after["attempts"]) == ("ready", 0)
    assert after["last_error"] == "this release has no actor for of_tomorrow"
    work.desk.advance(seconds=2 * limits.unknown_kind_delay_s)
    assert work.run(task["id"]) == "postponed"


@pytest.mark.parametrize("hours", [1 / 6, 2.0])
def test_row_a_clock_that_is_set_back_holds_up_no_send_and_no_work_of_the_desk_itself(desk: Desk, hours: float) -> None:
    desk.bucket_list = [Bucket("telegram:demo", 0.05, 2), Bucket("telegram:demo:42", 0.1, 2)]
    desk.advance(hours=hours)
    sweep.ensure_housekeeping()
    desk.receive_telegram()
    desk.run_due()
    desk.answers.append(outbound.SendOutcome("throttled", detail="429", retry_after_s=1.0, pause_account=True))
    desk.reply(desk.ticket(), "before")
    desk.run_due()
    desk.advance(seconds=2)
    desk.run_due()

    desk.advance(hours=-hours)
    for number in range(4):
        desk.reply(desk.ticket(), f"after {number}")
    for _ in range(10):
        desk.run_due()
        desk.advance(seconds=0.5)
    sweep.ensure_housekeeping()
    desk.advance(hours=1.01)
    desk.run_due()

    assert desk.sent_bodies()[-5:] == ["before", *(f"after {number}" for number in range(4))]
    assert desk.tasks("done", kind="collect_garbage"), "hourly work is done within the hour"


def _receive(desk: Desk, channel: str) -> None:
    if channel == "telegram":
        desk.receive_telegram()
    else:
        desk.receive_email()


class _Killed(BaseException):
    """Ends the worker's thread where kill -9 would end its process: no handler of ours catches it."""


def _kill_during_the_call(desk: Desk) -> None:
    def die(message: outbound.OutgoingMessage) -> outbound.SendOutcome:
        raise _Killed

    desk.answers.append(die)
    with pytest.raises(_Killed):
        desk.run_due()
