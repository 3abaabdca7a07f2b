"""Two machines on one PostgreSQL database, one of them with a wrong clock: whatever the one stores, the other goes on
at once.

On SQLite program and database are on one machine, whose clock may have been set: tests/models/tasks/test_rates.py has
that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from uuid import UUID

import pytest

from models.channels import puller_leases
from models.definitions import store
from models.events import subscription_limits
from models.identity.sign_in import sessions, tokens
from models.kernel import clock, ids, limits, settings
from models.kernel.storage import database
from models.ports import outbound
from models.publishing import publishing
from models.subscriptions import waiting
from models.tasks import commands, timers
from models.tasks.rates import Bucket
from queues.settlement import Failed
from scripts import seed
from tests.desk import Desk
from tests.other_machine import another_machine
from tests.queues.subscriber import pass_days, reload, states, subscribe
from tests.queues.work import KIND, TestWork, Work
from tests.servers import HttpReceiver, Say

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
AHEAD_S, BEHIND_S = 600.0, -7200.0
both_ways = pytest.mark.parametrize("ahead_s", [AHEAD_S, BEHIND_S])
_close_s = 5.0  # what a busy machine may take between two readings; far below the clocks' differences


def _publish(version: int) -> None:
    with database.transaction():
        store.publish("workflow", "w", {"n": version}, source="", by="tests")


def _in_force(desk: Desk) -> int:
    store.forget()
    with database.connection():
        found = store.latest("workflow", "w")
    assert found is not None
    return found.version


def _ready_in_s(desk: Desk, kind: str) -> list[float]:
    rows = desk.rows(
        "SELECT CAST(extract(epoch FROM due_at - now()) AS double precision) AS in_s FROM tasks"
        " WHERE kind = :kind AND state = 'ready'",
        kind=kind,
    )
    return [row["in_s"] for row in rows]


@both_ways
def test_what_a_machine_takes_for_now_is_what_the_database_does(desk: Desk, ahead_s: float) -> None:
    with another_machine(desk, ahead_s=ahead_s), database.connection():
        [row] = database.run("SELECT clock_timestamp() AS at")
        now = clock.now()

    assert abs((now - row["at"]).total_seconds()) < _close_s


@pytest.mark.parametrize("first_ahead_s", [AHEAD_S, 0.0])
@pytest.mark.parametrize("other", [AHEAD_S, BEHIND_S])
def test_row_a_wrong_clock_a_bot_that_sent_there_goes_on_sending_here(
    desk: Desk, first_ahead_s: float, other: float
) -> None:
    """Whichever machine is first, and whichever way the other one is wrong."""
    desk.bucket_list = [Bucket("telegram:demo", 0.05, 2), Bucket("telegram:demo:42", 0.05, 2)]
    with another_machine(desk, ahead_s=first_ahead_s):
        desk.receive_telegram()
        _run_patiently(desk)
        ticket = desk.ticket()
        desk.reply(ticket, "first")
        _run_patiently(desk)

    with another_machine(desk, ahead_s=other):
        for number in range(4):
            desk.reply(ticket, f"reply {number}")
        _run_patiently(desk)
    for number in range(4, 8):
        desk.reply(ticket, f"reply {number}")
    _run_patiently(desk)

    assert desk.sent_bodies()[-9:] == ["first", *(f"reply {number}" for number in range(8))]


def _run_patiently(desk: Desk) -> None:
    """Run what is due within a few seconds, which is far more than the buckets may ask for."""
    for _ in range(20):
        desk.run_due()
        desk.advance(seconds=0.2)


@both_ways
def test_row_a_wrong_clock_a_block_by_a_providers_429_is_as_long_as_the_provider_said(
    desk: Desk, ahead_s: float
) -> None:
    desk.bucket_list = [Bucket("telegram:demo", 0.01, 5)]
    desk.receive_telegram()
    desk.run_due()
    ticket = desk.ticket()
    desk.answers.append(outbound.SendOutcome("throttled", detail="429", retry_after_s=30.0, pause_account=True))
    with another_machine(desk, ahead_s=ahead_s):
        desk.reply(ticket, "Water it.")
        desk.run_due()

    desk.advance(seconds=20)
    desk.run_due()
    too_early = desk.sent_bodies()[1:]
    desk.advance(seconds=15)
    desk.run_due()

    assert (too_early, desk.sent_bodies()[1:]) == ([], ["Water it."])


def test_row_a_wrong_clock_a_receiver_of_webhooks_rests_no_longer_than_its_rest(
    desk: Desk, receiver: HttpReceiver
) -> None:
    receiver.otherwise = Say(500)
    subscription = subscribe(desk, receiver)
    with another_machine(desk, ahead_s=AHEAD_S):
        for number in range(subscription_limits.failures_before_rest):
            desk.create_ticket(f"ticket {number}")
        desk.run_due()

    rests_s = waiting.rest_s(reload(desk, subscription))
    receiver.otherwise = Say(204)
    pass_days(desk, 1, step_h=0.25)

    assert 0 < rests_s <= subscription_limits.rest_s_min
    assert states(desk, subscription) == ["delivered"] * subscription_limits.failures_before_rest


def test_row_a_wrong_clock_an_event_for_a_receiver_goes_out_at_once(desk: Desk, receiver: HttpReceiver) -> None:
    subscription = subscribe(desk, receiver)

    with another_machine(desk, ahead_s=AHEAD_S):
        desk.create_ticket()
    desk.run_due()

    assert states(desk, subscription) == ["delivered"]


@both_ways
def test_row_a_wrong_clock_a_rollback_from_any_machine_takes_effect(desk: Desk, ahead_s: float) -> None:
    _publish(1)
    with another_machine(desk, ahead_s=ahead_s):
        _publish(2)
    published = _in_force(desk)

    desk.command(_rollback)
    rolled_back = _in_force(desk)
    with another_machine(desk, ahead_s=ahead_s):
        desk.command(store.activate, "workflow", "w", 2, by="tests", reason="again")
        again = _in_force(desk)
    desk.command(_rollback)

    assert (published, rolled_back, again, _in_force(desk)) == (2, 1, 2, 1)


def _rollback() -> None:
    """The version before, as `publishing.rollback` finds it; without reading the body, which is no life cycle here."""
    version = publishing._before(store.history("workflow", "w"))
    store.activate("workflow", "w", version, by="tests", reason="rolled back")


def test_an_activation_that_an_older_program_made_in_the_future_does_not_outlast_a_rollback(
    desk: Desk,
) -> None:
    _publish(1)
    _publish(2)
    future = UUID(int=ids.new_id().int + (600_000 << 80))
    desk.command(
        database.execute,
        "UPDATE definition_activations SET id = :future, activated_at = now() + interval '600 s' WHERE name = 'w'"
        " AND version = 2",
        future=future,
    )

    desk.command(_rollback)

    assert _in_force(desk) == 1


@both_ways
def test_row_a_wrong_clock_a_timer_that_was_set_there_fires_here_in_time(work: Work, ahead_s: float) -> None:
    desk = work.desk
    with another_machine(desk, ahead_s=ahead_s), database.connection():
        due_at = clock.now() + timedelta(seconds=60)
        desk.command(timers.put, "once", TestWork(), due_at=due_at)
        desk.command(timers.ensure, "often", TestWork(), every_s=60)

    too_early = timers.fire_due()
    desk.advance(seconds=61)
    in_time = timers.fire_due()
    with another_machine(desk, ahead_s=ahead_s):
        desk.advance(seconds=60)
        again = timers.fire_due()

    assert (too_early, in_time, again) == (0, 2, 1)


@both_ways
def test_row_a_wrong_clock_a_failed_task_comes_back_after_its_backoff(work: Work, ahead_s: float) -> None:
    work.do = lambda task: Failed("away", permanent=False)
    task_id = work.enqueue()
    with another_machine(work.desk, ahead_s=ahead_s):
        outcome = work.run(task_id)

    [wait_s] = _ready_in_s(work.desk, KIND)
    assert outcome == "retried"
    assert 0 < wait_s < 60


def test_row_a_wrong_clock_nothing_is_given_up_before_its_patience_is_over(work: Work) -> None:
    """Patience counts from the first run, which is the database's instant."""
    task_id = work.enqueue()
    with another_machine(work.desk, ahead_s=10 * 86_400):
        task = work.claim(task_id)
        verdict = commands.patience_over(task, wait_s=60.0)

    assert verdict is None


@both_ways
def test_row_a_wrong_clock_leases_of_tasks_and_of_accounts_hold(work: Work, ahead_s: float) -> None:
    task_id = work.enqueue()
    with another_machine(work.desk, ahead_s=ahead_s):
        work.claim(task_id, lease_s=20.0)
        taken = puller_leases.take("email", "demo", holder="there", lease_s=20.0)

    taken_twice = puller_leases.take("email", "demo", holder="here", lease_s=20.0)
    claimed_twice = commands.claim(task_id, lease_s=20.0)
    work.desk.advance(seconds=21)

    assert (taken, taken_twice, claimed_twice) == (True, False, None)
    assert puller_leases.take("email", "demo", holder="here", lease_s=20.0)
    assert commands.claim(task_id, lease_s=20.0) is not None


@both_ways
def test_row_a_wrong_clock_who_signed_in_there_is_signed_in_here(desk: Desk, ahead_s: float) -> None:
    with another_machine(desk, ahead_s=ahead_s):
        pair = sessions.sign_in("agent@example.test", seed.PASSWORD, client="127.0.0.1")

    caller = tokens.authenticate(pair.access_token, settings.current())
    desk.advance(seconds=limits.access_token_s + _close_s)
    with pytest.raises(tokens.TokenExpired), another_machine(desk, ahead_s=ahead_s), database.connection():
        tokens.authenticate(pair.access_token, settings.current())

    assert caller.kind == "user"


@both_ways
def test_ids_that_were_made_there_and_here_are_in_the_order_of_time(desk: Desk, ahead_s: float) -> None:
    made = []
    for _ in range(3):
        with another_machine(desk, ahead_s=ahead_s):
            desk.rows("SELECT 1 AS x")
            made.append(ids.new_id())
        desk.rows("SELECT 1 AS x")
        made.append(ids.new_id())

    assert made == sorted(made)


def test_a_process_that_really_runs_there_stops_nothing_here(desk: Desk) -> None:
    """The same by another process: it sends, publishes and ends; then this one does."""
    desk.bucket_list = [Bucket("telegram:demo", 0.05, 2)]
    _publish(1)

    ended = subprocess.run(
        [sys.executable, "-m", "tests.machine_clock", str(AHEAD_S), "tests.queues.wrong_clock:main"],
        env={**os.environ, "DATABASE_URL": desk.settings.database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    there = _in_force(desk)
    desk.command(_rollback)
    desk.reply(desk.ticket(), "from here")
    _run_patiently(desk)

    assert (there, _in_force(desk)) == (2, 1)
    assert desk.sent_bodies() == ["from here"]
    assert '"clock_differs"' in ended.stderr + ended.stdout, "it says that its machine's clock is wrong"
