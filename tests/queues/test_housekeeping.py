"""Old rows go, what people may still ask about stays."""

from __future__ import annotations

from models.idempotency import commands as idempotency
from models.idempotency.commands import StoredAnswer
from models.kernel import limits
from models.kernel.storage import database
from models.tasks import commands
from models.tasks.payloads import CollectGarbage
from queues import sweep
from tests.desk import Desk
from tests.queues.work import Work


def test_the_desks_own_timer_collects_finished_tasks_and_old_keys_only(work: Work) -> None:
    finished, dead, live = work.enqueue(), work.enqueue(), work.enqueue()
    work.run(finished)
    task = work.claim(dead)
    work.desk.command(commands.fail, task, "no", permanent=True)
    work.desk.command(idempotency.take, "p", "old", request_hash="h")
    sweep.ensure_housekeeping()
    work.desk.advance(seconds=limits.finished_tasks_kept_s + 60)
    work.desk.command(idempotency.take, "p", "new", request_hash="h")

    work.desk.command(commands.postpone, work.claim(live), wait_s=1e6, reason="test")
    work.desk.run_due()

    left = {t["id"]: t["state"] for t in work.desk.tasks()}
    assert finished not in left
    assert (left[dead], left[live]) == ("dead", "ready")
    assert [row["key"] for row in work.desk.rows("SELECT key FROM idempotency_keys")] == ["new"]


def test_many_finished_tasks_go_in_batches(work: Work) -> None:
    with database.transaction():
        for _ in range(25):
            database.execute(
                "INSERT INTO tasks (kind, queue, payload, state, due_at, next_hint_at, created_at, finished_at)"
                " VALUES ('k', 'default', '{}', 'done', NOW(), NOW(), NOW(), NOW())"
            )
    before = limits.collect_batch_max
    try:
        limits.collect_batch_max = 10
        work.desk.advance(seconds=limits.finished_tasks_kept_s + 60)
        work.desk.command(commands.enqueue, CollectGarbage())
        work.desk.run_due()
    finally:
        limits.collect_batch_max = before

    assert work.desk.tasks(kind="k") == []


def test_an_idempotency_key_gives_the_stored_answer_to_the_same_request_only(desk: Desk) -> None:
    answer = StoredAnswer(201, {"Location": "/x"}, "{}")

    def first() -> None:
        assert idempotency.take("p", "k", request_hash="h") is None
        idempotency.store("p", "k", answer)

    desk.command(first)

    assert desk.command(idempotency.take, "p", "k", request_hash="h") == answer
    assert desk.command(idempotency.take, "another", "k", request_hash="x") is None
    assert desk.refused(idempotency.take, "p", "k", request_hash="other").code == "idempotency_key_reused"
