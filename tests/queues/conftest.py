"""The `work` fixture: see work.py."""

from __future__ import annotations

import pytest

from models.kernel import database
from models.tasks.kinds import KINDS, TaskKind
from queues import actors
from tests.desk import Desk
from tests.queues.work import KIND, ScriptedActor, Work


@pytest.fixture
def work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work(desk)
    real = actors.load
    monkeypatch.setitem(KINDS, KIND, TaskKind(KIND, attempts_max=4))
    monkeypatch.setattr(actors, "load", lambda kind: ScriptedActor(made) if kind == KIND else real(kind))
    number = "bigserial PRIMARY KEY" if desk.engine == "postgresql" else "INTEGER PRIMARY KEY"
    with database.connection():
        database.execute(f"CREATE TABLE test_effects (n {number}, task_id bigint NOT NULL, note text)")
    return made
