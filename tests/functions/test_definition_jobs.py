"""Migrations and replays over the API: started with 202, run by workers, readable while they run, resumable."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from models.kernel.errors import TransientFailure
from models.kernel.storage import database
from models.ticket_workflow import jobs, migration
from queues import job_steps
from scripts import defs
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

SUPPORT = (defs.ROOT / "support" / "workflow.yaml").read_text()
LONGER = SUPPORT.replace("after: 7d", "after: 8d")


@pytest.fixture
def second(machine: Caller) -> Caller:
    """A desk with three live tickets on version 1 of `support`, and version 2 in force."""
    for number in range(3):
        machine.ticket(f"Ticket {number}")
    assert machine.post("/v1/workflows/support/versions", {"source": LONGER}).status_code == 201
    return machine


def migrated(machine: Caller, **more: Any) -> Any:
    return machine.post("/v1/workflows/support/migrations", {"to_version": 2} | more)


def versions(machine: Caller) -> list[int]:
    return [one["workflow_version"] for one in machine.read("/v1/tickets")["items"]]


def test_a_migration_runs_as_a_job_and_comes_back_by_a_reversal(desk: Desk, second: Caller) -> None:
    previewed = second.made("/v1/workflows/support/migrations/preview", {"to_version": 2})
    started = migrated(second)
    path = started.headers["location"]
    before = second.read(path)
    desk.run_due()
    after = second.read(path)

    assert previewed["tickets"] == {"new": 3}
    assert started.status_code == 202
    assert (before["state"], before["moved"], before["tickets"]) == ("running", 0, 3)
    assert (after["state"], after["moved"]) == ("finished", 3)
    assert versions(second) == [2, 2, 2]

    back = second.post(f"{path}/reversal")
    desk.run_due()

    assert (back.status_code, back.json["reverses"]) == (202, after["id"])
    assert versions(second) == [1, 1, 1]
    listed = second.read("/v1/workflow_migrations")["items"]
    assert [one["id"] for one in listed] == [back.json["id"], after["id"]]


@sqlite_only
def test_the_same_request_again_is_the_same_migration_and_another_one_waits(desk: Desk, second: Caller) -> None:
    first, again, other = migrated(second), migrated(second), migrated(second, state_map={"new": "open"})

    assert again.json["id"] == first.json["id"]
    assert problem(other, 409, "migration_running")["detail"].endswith(f"It is {first.json['id']}.")
    desk.run_due()
    assert second.read(first.headers["location"])["moved"] == 3


@sqlite_only
def test_a_migration_goes_on_after_a_step_that_failed(
    desk: Desk, second: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "batch_max", 1)
    whole, calls = migration.step, iter([True, False])

    def step(migration_id: Any) -> bool:
        if not next(calls, True):
            raise TransientFailure("the worker ends here")
        return whole(migration_id)

    monkeypatch.setattr(migration, "step", step)
    path = migrated(second).headers["location"]
    desk.run_due()
    cut = second.read(path)
    desk.advance(minutes=5)
    desk.run_due()

    assert (cut["state"], cut["moved"]) == ("running", 1)
    assert (second.read(path)["state"], second.read(path)["moved"]) == ("finished", 3)


@sqlite_only
def test_a_long_job_leaves_the_rest_to_the_next_run(
    desk: Desk, second: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "batch_max", 1)
    monkeypatch.setattr(job_steps, "steps_s_max", -1.0)

    path = migrated(second).headers["location"]
    desk.run_due()

    assert second.read(path)["state"] == "finished"
    [task] = desk.tasks(kind="migrate_tickets")
    assert task["attempts"] <= 1, "a postponement is no attempt"


@sqlite_only
def test_a_migration_that_was_given_up_says_why_and_is_resumed(desk: Desk, second: Caller) -> None:
    path = migrated(second).headers["location"]
    job_id = second.read(path)["id"]
    with database.transaction():
        database.execute("DELETE FROM tasks WHERE kind = 'migrate_tickets'")
        jobs.fail_migration(second_id(job_id), "the disk is full")
    failed = second.read(path)

    resumed = second.post(f"{path}/resumption")
    desk.run_due()

    assert (failed["state"], failed["error"]) == ("failed", "the disk is full")
    assert (resumed.status_code, resumed.json["state"]) == (202, "running")
    assert (second.read(path)["state"], second.read(path)["error"]) == ("finished", None)
    assert second.post(f"{path}/resumption").json["state"] == "finished"


def second_id(text: str) -> Any:
    from uuid import UUID

    return UUID(text)


@sqlite_only
def test_a_wrong_target_is_refused_before_anything_moves(second: Caller) -> None:
    lacking = SUPPORT.replace("new: {category: todo", "fresh: {category: todo").replace("[new", "[fresh")
    lacking = lacking.replace("initial: new", "initial: fresh")
    assert second.post("/v1/workflows/support/versions", {"source": lacking}).status_code == 201

    refused = migrated(second, to_version=3)

    [error] = problem(refused, 422)["errors"]
    assert error["path"] == "/state_map"
    assert "3 tickets are in new" in error["message"]
    assert problem(migrated(second, to_version=9), 404)
    assert problem(second.post("/v1/workflows/nothing/migrations", {"to_version": 1}), 404)
    assert problem(migrated(second, to_workflow="nothing"), 404)
    for path in (f"/v1/workflow_migrations/{uuid4()}", "/v1/workflow_migrations/x", f"/v1/workflow_replays/{uuid4()}"):
        assert second.get(path).status_code == 404
    assert second.read("/v1/workflow_migrations")["items"] == []


def test_a_replay_runs_as_a_job_in_steps_with_its_progress(
    desk: Desk, second: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "replay_step_tickets", 2)
    draft = LONGER.replace("acknowledge\n", "acknowledge_all\n")

    started = second.post("/v1/workflows/support/replays", {"source": draft, "days": 3})
    path = started.headers["location"]
    assert jobs.step_replay(second_id(started.json["id"]))
    half = second.read(path)
    desk.run_due()
    done = second.read(path)

    assert (started.status_code, started.json["state"], started.json["tickets"]) == (202, "running", 3)
    assert (half["tickets_done"], half["report"]) == (2, None)
    assert (done["state"], done["tickets_done"]) == ("finished", 3)
    assert (done["report"]["tickets"], done["report"]["failed"]) == (3, 0)


@sqlite_only
def test_a_replay_of_a_wrong_draft_is_refused_with_its_place(second: Caller) -> None:
    refused = second.post("/v1/workflows/support/replays", {"source": SUPPORT.replace("to: solved", "to: sovled")})

    assert problem(refused, 422)["errors"][0]["path"] == "/source"
    assert problem(second.post("/v1/workflows/nothing/replays", {}), 404)


@sqlite_only
def test_a_step_of_a_replay_that_ran_twice_counts_once(desk: Desk, second: Caller) -> None:
    job = second.made("/v1/workflows/support/replays", {})
    replay_id = second_id(job["id"])

    while jobs.step_replay(replay_id):
        pass
    assert not jobs.step_replay(replay_id)

    assert second.read(f"/v1/workflow_replays/{job['id']}")["report"]["tickets"] == 3
