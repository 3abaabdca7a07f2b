"""What the runner makes of what an actor does, and of what goes wrong while it records."""

from __future__ import annotations

import pytest
from dramatiq.middleware import TimeLimitExceeded

from models.kernel.errors import (
    ConfigurationError,
    Conflict,
    Contention,
    PermanentFailure,
    StatementTimeout,
    TransientFailure,
    Unavailable,
)
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.telemetry import trace
from models.tasks import commands
from models.tasks.commands import ClaimedTask
from queues import runner
from queues.settlement import Done, Failed, Settlement
from tests.queues.work import Work


@pytest.mark.parametrize(
    ("error", "outcome", "kept"),
    [
        (TransientFailure("not today", retry_after_s=90), "retried", "not today"),
        (PermanentFailure("never"), "dead", "permanent: never"),
        (Conflict("two of them"), "dead", "conflict: two of them"),
        (ConfigurationError("no token"), "postponed", "configuration: no token"),
        (StatementTimeout(), "retried", "database_timeout: A database statement timed out"),
        (Contention(), "retried", "contention: A concurrent request"),
        (KeyError("surprise"), "retried", "KeyError"),
        (TimeLimitExceeded("too long"), "retried", "TimeLimitExceeded"),
    ],
)
def test_what_an_actor_raises_is_kept_and_decides_whether_it_is_tried_again(
    work: Work, error: BaseException, outcome: str, kept: str
) -> None:
    def fail(task: ClaimedTask) -> Settlement:
        raise error

    work.do = fail
    task_id = work.enqueue()

    assert work.run(task_id) == outcome
    assert kept in work.desk.task(task_id)["last_error"]
    assert work.dead == ([kept] if outcome == "dead" else [])


def test_a_failure_that_quotes_what_was_written_is_kept_by_its_name_alone(work: Work) -> None:
    def record(task: ClaimedTask) -> None:
        database.execute(
            "INSERT INTO identities (id, requester_id, channel, address, created_at) VALUES (:id, :id, 'email',"
            " :address, NOW())",
            id=new_id(),
            address="the body of somebody's letter",
        )

    work.do = lambda task: Done(lambda: record(task))
    task_id = work.enqueue()

    work.run(task_id)

    kept = work.desk.task(task_id)["last_error"]
    assert "IntegrityError" in kept
    assert ("23503" if work.desk.engine == "postgresql" else "SQLITE_CONSTRAINT_FOREIGNKEY") in kept
    assert "letter" not in kept


@pytest.mark.parametrize("error", [KeyError("their words"), ValueError("their words"), OSError(5, "their words")])
def test_a_failure_that_nobody_foresaw_is_kept_without_its_words(work: Work, error: Exception) -> None:
    def fail(task: ClaimedTask) -> Settlement:
        raise error

    work.do = fail
    task_id = work.enqueue()

    work.run(task_id)

    assert work.desk.task(task_id)["last_error"] in ("KeyError", "ValueError", "OSError 5")


def test_a_record_that_fails_is_rolled_back_and_the_task_tried_again(work: Work) -> None:
    def record(task: ClaimedTask) -> None:
        work.effect(task)
        raise ValueError("half-way")

    work.do = lambda task: Done(lambda: record(task))
    task_id = work.enqueue()

    assert work.run(task_id) == "retried"
    assert work.effects() == []
    work.do = None
    work.desk.advance(seconds=2)
    assert work.run(task_id) == "done"
    assert work.effects() == [task_id]


def test_a_failure_may_record_something_with_it(work: Work) -> None:
    work.do = lambda task: Failed("no", record=lambda: work.effect(task, "failed"))
    task_id = work.enqueue()

    work.run(task_id)

    assert work.effects() == [task_id]


def test_a_dead_task_whose_report_fails_is_dead_nevertheless(work: Work) -> None:
    def cannot_tell(task: ClaimedTask, reason: str) -> None:
        work.effect(task, "half told")
        raise KeyError("telling")

    work.do = lambda task: Failed("never", permanent=True)
    work.on_dead = cannot_tell
    task_id = work.enqueue()
    outcomes = [work.run(task_id)]
    while outcomes[-1] == "retried":  # telling is tried again, as often as the kind has attempts
        work.desk.advance(minutes=1)
        outcomes.append(work.run(task_id))

    assert outcomes == ["retried", "retried", "retried", "dead"]
    assert work.effects() == []


def test_a_database_that_is_away_while_it_runs_leaves_the_task_to_its_lease(work: Work) -> None:
    def fail(task: ClaimedTask) -> Settlement:
        raise Unavailable

    work.do = fail
    task_id = work.enqueue()

    assert work.run(task_id) == "database_away"
    assert work.state(task_id) == "leased"
    work.do = None
    work.desk.advance(seconds=21)
    assert work.run(task_id) == "done"


def test_a_settlement_that_meets_contention_is_repeated_and_the_actor_is_not(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, refused = [], iter([Contention(), StatementTimeout()])
    real = commands.finish

    def finish(task: ClaimedTask) -> None:
        if (error := next(refused, None)) is not None:
            raise error
        real(task)

    def act(task: ClaimedTask) -> Settlement:
        runs.append(task.id)
        return Done()

    work.do = act
    monkeypatch.setattr(commands, "finish", finish)
    task_id = work.enqueue()

    assert work.run(task_id) == "done"
    assert runs == [task_id]


def test_a_database_that_is_away_at_the_claim_leaves_the_task_as_it_is(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = work.enqueue()

    def away(*_: object, **__: object) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(commands, "claim", away)
        assert work.run(task_id) == "database_away"

    assert work.state(task_id) == "ready"


def test_a_task_runs_in_the_trace_of_what_caused_it(work: Work) -> None:
    seen: list[str | None] = []

    def look(task: ClaimedTask) -> Settlement:
        seen.append(trace.current_header())
        return Done()

    work.do = look
    with trace.following("00-" + "a" * 32 + "-" + "b" * 16 + "-01"):
        task_id = work.enqueue()
    work.run(task_id)

    assert trace.trace_id(str(seen[0])) == "a" * 32
    assert trace.current_header() is None


def test_no_transaction_is_open_while_an_actor_runs(work: Work) -> None:
    seen: list[bool] = []

    def look(task: ClaimedTask) -> Settlement:
        seen.append(database.in_transaction())
        return Done()

    work.do = look
    work.run(work.enqueue())

    assert seen == [False]


def test_a_wakeup_for_a_task_that_does_not_exist_is_harmless(work: Work) -> None:
    assert runner.run_task(10**12) == "not_mine"
