"""The `work` fixture: see work.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.kernel import settings
from models.kernel.storage import database
from models.tasks.kinds import KINDS, TaskKind
from queues import actors
from tests.desk import Desk
from tests.queues.work import KIND, ScriptedActor, TestWork, Work
from tests.servers import HttpReceiver, receiving


@pytest.fixture
def work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work(desk)
    real = actors.load
    monkeypatch.setitem(KINDS, KIND, TaskKind(KIND, TestWork, attempts_max=4))
    monkeypatch.setattr(actors, "load", lambda kind: ScriptedActor(made) if kind == KIND else real(kind))
    number = "bigserial PRIMARY KEY" if desk.engine == "postgresql" else "INTEGER PRIMARY KEY"
    with database.connection():
        database.execute(f"CREATE TABLE test_effects (n {number}, task_id bigint NOT NULL, note text)")
    return made


@pytest.fixture
def receiver(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """A subscriber on this machine, which the desk may call."""
    monkeypatch.setenv("WEBHOOKS_PRIVATE", "true")
    settings.current.cache_clear()
    with receiving() as found:
        yield found
