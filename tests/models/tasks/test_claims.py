"""One worker at a time, one task of a key at a time, in order; on both engines, with real threads."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from models.kernel import clock, limits
from models.kernel.storage import database
from models.tasks import commands, dead_letters, task_leases
from models.tasks.kinds import KINDS, TaskKind
from models.tasks.payloads import CollectGarbage, SendNotice
from tests.desk import Desk

KIND = "collect_garbage"  # any kind: these tests never run the actor


def _enqueue(key: str | None = None, **more: object) -> int:
    with database.transaction():
        task_id = commands.enqueue(CollectGarbage(), key=key, **more)  # type: ignore[arg-type]
    assert task_id is not None
    return task_id


def test_a_task_claimed_by_many_at_once_belongs_to_one(desk: Desk) -> None:
    task_id = _enqueue()

    claims = desk.in_threads(*[lambda: commands.claim(task_id, lease_s=20)] * 8)

    assert len([claim for claim in claims if claim is not None]) == 1


def test_tasks_of_one_key_run_one_at_a_time_in_id_order_with_concurrent_workers(desk: Desk) -> None:
    ids = [_enqueue(f"key{n % 3}") for n in range(30)]
    ran: list[tuple[str | None, int]] = []
    running: dict[str | None, int] = {}
    lock = threading.Lock()
    deadline = time.monotonic() + 20

    def worker() -> None:
        while len(ran) < len(ids) and time.monotonic() < deadline:
            for task_id in ids:
                task = commands.claim(task_id, lease_s=20)
                if task is None:
                    continue
                with lock:
                    assert task.key not in running, f"{task.id} runs beside {running[task.key]}"
                    running[task.key] = task.id
                    ran.append((task.key, task.id))
                time.sleep(0.001)  # let the others meet it
                with lock:
                    del running[task.key]
                with database.transaction():
                    commands.finish(task)

    desk.in_threads(*[worker] * 4)

    assert sorted(task_id for _, task_id in ran) == ids
    for key in ("key0", "key1", "key2"):
        of_key = [task_id for k, task_id in ran if k == key]
        assert of_key == sorted(of_key)


def test_a_task_waiting_for_its_retry_holds_back_what_comes_after_it_but_no_other_key(desk: Desk) -> None:
    first, second, other = _enqueue("a"), _enqueue("a"), _enqueue("b")
    failed = commands.claim(first, lease_s=20)
    assert failed is not None
    desk.command(commands.fail, failed, "later", permanent=False)

    assert commands.claim(second, lease_s=20) is None
    assert commands.claim(other, lease_s=20) is not None


@pytest.mark.parametrize("end", ["finish", "dead"])
def test_the_end_of_a_task_wakes_the_next_of_its_key_and_only_after_the_commit(desk: Desk, end: str) -> None:
    first, second, _third = _enqueue("a"), _enqueue("a"), _enqueue("a")
    task = commands.claim(first, lease_s=20)
    assert task is not None
    desk.wakeups.clear()

    with database.transaction():
        if end == "finish":
            commands.finish(task)
        else:
            commands.fail(task, "no", permanent=True)
        assert desk.wakeups == []

    assert [wakeup.task_id for wakeup in desk.wakeups] == [second]


def test_an_older_task_retried_by_a_person_waits_for_the_one_of_its_key_that_runs(desk: Desk) -> None:
    first, second = _enqueue("a"), _enqueue("a")
    task = commands.claim(first, lease_s=20)
    assert task is not None
    desk.command(commands.fail, task, "no", permanent=True)
    running = commands.claim(second, lease_s=20)
    assert running is not None
    desk.command(dead_letters.retry, first)

    assert commands.claim(first, lease_s=20) is None
    desk.command(commands.finish, running)
    assert commands.claim(first, lease_s=20) is not None


def test_a_task_is_not_claimed_before_it_is_due(desk: Desk) -> None:
    task_id = _enqueue(due_at=clock.now() + timedelta(hours=1))

    early = commands.claim(task_id, lease_s=20)
    desk.advance(hours=1, seconds=1)

    assert early is None
    assert commands.claim(task_id, lease_s=20) is not None


def test_a_renewed_lease_is_kept_and_another_ones_is_not_renewed(desk: Desk) -> None:
    task_id = _enqueue()
    task = commands.claim(task_id, lease_s=20)
    assert task is not None
    desk.advance(seconds=15)
    commands.extend({task.lease_id: task_id}, lease_s=20)
    desk.advance(seconds=15)

    assert commands.claim(task_id, lease_s=20) is None
    commands.extend({"somebody else's": task_id}, lease_s=2000)
    desk.advance(seconds=10)
    assert commands.claim(task_id, lease_s=20) is not None


def test_a_given_back_lease_is_free_at_once(desk: Desk) -> None:
    task_id = _enqueue()
    task = commands.claim(task_id, lease_s=20)
    assert task is not None

    commands.extend({task.lease_id: task_id}, lease_s=0.0)
    desk.advance(milliseconds=1)

    assert commands.claim(task_id, lease_s=20) is not None


def test_the_embedded_desk_takes_back_every_lease_at_its_start(desk: Desk) -> None:
    ids = [_enqueue() for _ in range(3)]
    for task_id in ids:
        commands.claim(task_id, lease_s=2000)

    assert task_leases.release_all() == 3
    assert desk.due_tasks() == ids


def test_a_second_task_of_one_purpose_vanishes_and_wakes_no_worker(desk: Desk) -> None:
    first = _enqueue(dedupe_key="once")
    desk.wakeups.clear()

    with database.transaction():
        assert commands.enqueue(CollectGarbage(), dedupe_key="once") is None

    assert [task["id"] for task in desk.tasks(kind=KIND)] == [first]
    assert desk.wakeups == []


def test_wakeups_are_sent_for_tasks_that_are_due_soon_with_their_wait_and_never_for_a_rolled_back_task(
    desk: Desk,
) -> None:
    now_id = _enqueue()
    soon_id = _enqueue(due_at=clock.now() + timedelta(seconds=30))
    _enqueue(due_at=clock.now() + timedelta(seconds=limits.local_delay_s_max + 5))

    def undone() -> None:
        commands.enqueue(CollectGarbage())
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        desk.command(undone)

    assert [wakeup.task_id for wakeup in desk.wakeups] == [now_id, soon_id]
    assert desk.wakeups[0].wait_s == 0
    assert 29 < desk.wakeups[1].wait_s <= 30


def test_a_postponed_or_failed_task_is_woken_for_its_time(desk: Desk) -> None:
    postponed, failed = commands.claim(_enqueue(), lease_s=20), commands.claim(_enqueue(), lease_s=20)
    assert postponed is not None
    assert failed is not None
    desk.wakeups.clear()

    desk.command(commands.postpone, postponed, wait_s=7.0, reason="rate limit")
    desk.command(commands.fail, failed, "no", permanent=False, retry_after_s=9.0)

    assert [(wakeup.task_id, wakeup.wait_s) for wakeup in desk.wakeups] == [(postponed.id, 7.0), (failed.id, 9.0)]


def test_an_error_of_any_length_and_shape_is_kept_in_a_bounded_row(desk: Desk) -> None:
    task = commands.claim(_enqueue(), lease_s=20)
    assert task is not None

    desk.command(commands.fail, task, "\x00" + "x" * 10_000, permanent=True)

    kept = desk.task(task.id)["last_error"]
    assert kept.startswith("\ufffdx")
    assert len(kept) == limits.error_chars_max


def test_a_payload_that_is_not_ids_is_a_bug_and_stops_at_the_caller(desk: Desk) -> None:
    with pytest.raises(AssertionError, match="send ids"):
        commands.row(SendNotice(channel="c", account="a", address="1", text="x" * limits.task_payload_bytes_max))


def test_patience_counts_from_the_first_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, KIND, TaskKind(KIND, CollectGarbage, patience_s=60))
    task_id = _enqueue()
    desk.advance(hours=10)  # waited for a worker all day
    task = commands.claim(task_id, lease_s=20)
    assert task is not None
    desk.command(commands.fail, task, "no", permanent=False)
    desk.advance(seconds=61)
    again = commands.claim(task_id, lease_s=20)
    assert again is not None

    desk.command(commands.fail, again, "no", permanent=False)

    assert desk.task(task_id)["state"] == "dead"
