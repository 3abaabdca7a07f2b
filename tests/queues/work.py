"""Tasks whose work the test writes: a kind of its own, an actor of its own, a table that shows each effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg2

from models.kernel.storage import database
from models.tasks import commands
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import Payload
from queues import runner
from queues.settlement import Done, Settlement
from tests.desk import Desk
from tests.services.waiting import wait_until

KIND = "test_work"


class TestWork(Payload, frozen=True):
    """The payload of the test's kind."""

    __test__ = False

    n: int = 0


@dataclass
class Work:
    """Enqueue tasks, say what they do, look at their effects. Without a word, a task writes one effect and is done."""

    desk: Desk
    do: Callable[[ClaimedTask], Settlement] | None = None
    on_dead: Callable[[ClaimedTask, str], None] | None = None
    dead: list[str] = field(default_factory=list)

    def enqueue(self, *, key: str | None = None, due_at: datetime | None = None) -> int:
        with database.transaction():
            task_id = commands.enqueue(TestWork(n=1), key=key, due_at=due_at)
        assert task_id is not None
        return task_id

    def claim(self, task_id: int, *, lease_s: float = 20.0) -> ClaimedTask:
        """Lease it as a worker would that then stops (killed, hung): nothing follows by itself."""
        task = commands.claim(task_id, lease_s=lease_s)
        assert task is not None, f"task {task_id} cannot be claimed: {self.desk.task(task_id)}"
        return task

    def run(self, task_id: int) -> str:
        return runner.run_task(task_id)

    def effect(self, task: ClaimedTask, note: str = "") -> None:
        """An effect in our own database, to be recorded by the settlement."""
        database.execute("INSERT INTO test_effects (task_id, note) VALUES (:id, :note)", id=task.id, note=note)

    def effects(self) -> list[int]:
        return [row["task_id"] for row in self.desk.rows("SELECT task_id FROM test_effects ORDER BY n")]

    def state(self, task_id: int) -> str:
        return str(self.desk.task(task_id)["state"])


class ScriptedActor:
    def __init__(self, work: Work) -> None:
        self._work = work

    def run(self, task: ClaimedTask, payload: TestWork) -> Settlement:
        if self._work.do is not None:
            return self._work.do(task)
        return Done(lambda: self._work.effect(task))

    def on_dead(self, task: ClaimedTask, payload: TestWork, reason: str) -> None:
        self._work.dead.append(reason)
        if self._work.on_dead is not None:
            self._work.on_dead(task, reason)


def _connections(cursor: Any) -> int:
    cursor.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'nestor'"
    )
    return int(cursor.fetchone()[0])


def cut_connections(desk: Desk) -> int:
    """End every connection of the desk at the server, as a failover or an administrator would; returns how many."""
    admin = psycopg2.connect(desk.settings.database_url)
    try:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'nestor'"
            )
            found: tuple[Any, ...] | None = cursor.fetchone()
            assert found is not None
            # The signal is sent, not yet heard: until a backend has ended, its connection looks alive from here.
            wait_until(lambda: _connections(cursor) == 0, within_s=10, what="the end of the connections")
            return int(found[0])
    finally:
        admin.close()
