"""The embedded desk's processes: all of them end together, and what was not done is done by the next start."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.faults import limits
from tests.faults.people import Requester
from tests.faults.stack import EmbeddedDesk


def test_a_start_wakes_workers_at_once_for_all_due_tasks(embedded_desk: EmbeddedDesk) -> None:
    """Failure matrix: after COMMIT, before or during the wakeup. The in-memory broker lost the wakeup."""
    requester = Requester(embedded_desk, "telegram")
    requester.write()
    embedded_desk.wait_until_drained(within_s=limits.settle_s)
    embedded_desk.kill_all()
    with closing(sqlite3.connect(embedded_desk.data_dir / "nestor.db")) as database, database:
        changed = database.execute(
            "UPDATE tasks SET state = 'ready', hints = 9, next_hint_at = '2999-01-01 00:00:00.000000+00:00'"
            " WHERE kind = 'advance_ticket'"
        )
        assert changed.rowcount == 1

    embedded_desk.start()

    embedded_desk.wait_until_drained(within_s=limits.settle_s)
