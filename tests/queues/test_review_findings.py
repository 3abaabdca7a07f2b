"""What a reviewer broke in the runner, the ledger and the sends; each stays mended."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError

from models.deliveries import commands as deliveries
from models.kernel import clock
from models.kernel.errors import Unavailable
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ports.outbound import SendOutcome
from models.tasks import commands, dead_letters
from models.tasks.payloads import ReleaseMessage
from queues import runner, sweep
from queues.channels.telegram.bot_api import errors
from queues.processes.lease_keeper import LeaseKeeper
from queues.settlement import Postponed
from tests.desk import Desk
from tests.queues.work import Work, cut_connections


def test_what_a_provider_took_is_recorded_through_a_short_database_fault(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    desk.calls.clear()
    faults = iter([True, True])
    record = runner._record

    def away_twice(*arguments: object, **named: object) -> str:
        if bool(desk.calls) and next(faults, False):
            raise Unavailable()
        return record(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "_record", away_twice)
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    assert [call.body for call in desk.calls] == ["Water it."]
    assert desk.deliveries(desk.ticket())[-1]["state"] == "sent"


def test_two_claims_of_one_key_at_once_never_both_win(desk: Desk) -> None:
    with database.transaction():
        ids = [commands.enqueue(ReleaseMessage(delivery_id=new_id()), key="one", due_at=clock.now()) for _ in range(2)]
    earlier, later = (task_id for task_id in ids if task_id is not None)
    for _ in range(25):
        with database.transaction():
            database.execute(
                "UPDATE tasks SET state = CASE WHEN id = :a THEN 'dead' ELSE 'ready' END WHERE key = 'one'",
                a=earlier,
            )
        won: list[int] = []

        def claim(task_id: int, won: list[int] = won) -> None:
            if task_id == earlier:
                with database.transaction():
                    dead_letters.retry(earlier)
            task = commands.claim(task_id, lease_s=20.0)
            if task is not None:
                won.append(task.id)

        desk.in_threads(lambda: claim(earlier), lambda: claim(later))

        assert len(won) <= 1, "two tasks of one key run at once"


def test_a_timer_of_a_newer_release_fires_into_its_own_queue_and_does_not_stop_the_sweep(desk: Desk) -> None:
    with database.transaction():
        database.execute(
            "INSERT INTO timers (name, kind, queue, payload, due_at) VALUES ('new', 'of_tomorrow', 'sends', '{}', :at)",
            at=clock.now() - timedelta(seconds=1),
        )

    swept = sweep.once()

    assert swept.timers_fired == 1
    assert [(t["kind"], t["queue"], t["state"]) for t in desk.tasks(kind="of_tomorrow")] == [
        ("of_tomorrow", "sends", "ready")
    ]


def test_a_lease_that_ends_does_not_end_the_renewal_of_the_next_run_of_its_task(work: Work) -> None:
    keeper = LeaseKeeper(20.0)
    task_id = work.enqueue()
    first = work.claim(task_id, lease_s=0.0)
    work.desk.advance(seconds=1)
    second = work.claim(task_id)
    ended = threading.Event()

    with keeper.keeping(second, time_limit_s=60):
        with keeper.keeping(first, time_limit_s=60):
            ended.set()
        assert [task.lease_id for task in keeper.running()] == [second.lease_id]


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_connection_that_a_thread_was_left_with_is_given_back_and_does_not_fail_forever(
    desk: Desk,
) -> None:
    database.run("SELECT 1")  # outside of any unit of work: the thread is left with a connection
    cut_connections(desk)

    with pytest.raises(Unavailable):
        sweep.once()

    assert sweep.once().tasks_woken == 0


def test_a_provider_cannot_put_a_send_off_for_years(work: Work) -> None:
    task_id = work.enqueue()
    work.do = lambda task: Postponed(1e8, "the provider asks to wait")

    outcome = work.run(task_id)
    due_at = database.instant(work.desk.task(task_id)["due_at"])

    assert outcome == "postponed"
    assert due_at is not None
    assert due_at <= clock.now() + timedelta(hours=1, seconds=1)


def test_a_task_that_is_only_ever_put_off_is_given_up_after_its_patience(work: Work) -> None:
    task_id = work.enqueue()
    work.do = lambda task: Postponed(3600, "throttled")
    outcomes = []
    for _ in range(30):
        outcomes.append(work.run(task_id))
        work.desk.advance(hours=1, seconds=1)

    assert outcomes[0] == "postponed"
    assert "dead" in outcomes
    assert work.dead == ["given up after 24 hours: throttled"]


def test_an_address_that_moves_to_itself_fails_instead_of_going_round(desk: Desk) -> None:
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    desk.calls.clear()
    desk.answers.extend([SendOutcome("transient", "moved", new_address="42")] * 20)

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    assert len(desk.calls) == 1
    assert desk.deliveries(desk.ticket())[-1]["state"] == "failed"


def test_a_scheduled_reply_whose_release_is_given_up_is_shown_as_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    desk.reply(desk.ticket(), "Tomorrow.", send_at=clock.now() + timedelta(hours=1))
    desk.advance(hours=2)

    def broken(delivery_id: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("models.deliveries.commands.release", broken)
    for _ in range(40):
        desk.run_due()
        desk.advance(minutes=15)

    assert desk.deliveries(desk.ticket())[-1]["state"] == "failed"
    assert desk.events(desk.ticket(), "delivery_failed")


def test_a_discarded_scheduled_reply_that_is_taken_back_waits_for_its_time(desk: Desk) -> None:
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    desk.calls.clear()
    desk.reply(desk.ticket(), "Tomorrow.", send_at=clock.now() + timedelta(hours=1))
    delivery_id = desk.deliveries(desk.ticket())[-1]["id"]

    desk.command(deliveries.discard, delivery_id)
    desk.command(deliveries.retry, delivery_id)
    desk.run_due()
    before_its_time = len(desk.calls)
    desk.advance(hours=2)
    desk.run_due()

    assert (before_its_time, len(desk.calls)) == (0, 1)
    assert desk.deliveries(desk.ticket())[-1]["state"] == "sent"


@pytest.mark.parametrize(
    ("error", "kind", "suppressed"),
    [
        (NetworkError("Bad Gateway"), "transient", False),
        (
            NetworkError("Unknown HTTPError. Parsing the server response b'<html>' failed (504)"),
            "unknown",
            False,
        ),
        (Forbidden("Forbidden. Parsing the server response b'<html>' failed"), "transient", False),
        (BadRequest("Bad Request. Parsing the server response b'<html>' failed"), "transient", False),
        (Forbidden("Forbidden: bot was blocked by the user"), "permanent", True),
    ],
)
def test_a_proxys_answer_is_not_taken_for_the_bot_apis(error: TelegramError, kind: str, suppressed: bool) -> None:
    outcome = errors.outcome_of(error)

    assert (outcome.kind, outcome.suppress is not None) == (kind, suppressed)
