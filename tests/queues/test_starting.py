"""A process that starts while its database goes away waits for it; one that is started in a harmful way refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from models import migrations
from models.channels import accounts
from models.kernel import limits
from models.kernel.errors import SchemaMismatch, Unavailable
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.publishing import publishing
from models.tasks import task_leases
from queues import embedded, scheduler, sweep, worker
from queues.processes import starting
from queues.processes.outage import outages
from queues.pulling import loop
from tests.desk import Desk
from tests.queues.work import cut_connections

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def quick(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "database_start_look_s", 0.05)
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    monkeypatch.setattr(database, "configure", lambda _: None)
    monkeypatch.setattr(dramatiq, "set_broker", lambda _: None)


def _clock_without_beats() -> BackgroundScheduler:
    """Without the beat's own connections, so that the cut hits the start alone."""
    made = BackgroundScheduler(timezone="UTC")
    made.start()
    return made


def cut_at(desk: Desk, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """End every connection once, at the moment when the start calls `name`; returns the numbers of what was cut."""
    real: Callable[..., Any] = getattr(module, name)
    cuts: list[int] = []

    def cut_then(*arguments: Any, **named: Any) -> Any:
        if cuts:
            return real(*arguments, **named)
        with database.connection():
            database.one("SELECT 1 AS here")
            cuts.append(cut_connections(desk))
            return real(*arguments, **named)

    monkeypatch.setattr(module, name, cut_then)
    return cuts


@pytest.mark.postgresql
@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("module", "name"), [(migrations, "applied"), (publishing, "unreadable")], ids=["schema", "definitions"]
)
def test_a_worker_whose_connection_is_cut_while_it_starts_starts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    cuts = cut_at(desk, monkeypatch, module, name)

    worker.create_broker()

    assert len(cuts) == 1


@pytest.mark.postgresql
@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("module", "name"),
    [(task_leases, "release_all"), (sweep, "once"), (accounts, "every")],
    ids=["leases", "sweep", "accounts"],
)
def test_an_embedded_desk_whose_connection_is_cut_while_it_starts_starts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    cuts = cut_at(desk, monkeypatch, module, name)
    monkeypatch.setattr(scheduler, "start", _clock_without_beats)
    monkeypatch.setattr(loop.Pullers, "start", lambda _: None)
    workers = embedded.EmbeddedWorkers(desk.settings)
    try:
        workers.start()
    finally:
        workers.stop(timeout_s=5)

    assert len(cuts) == 1


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_worker_that_has_just_started_leaves_expired_leases_to_their_holders_for_a_while(
    desk: Desk,
) -> None:
    """It saw no outage, and its predecessor may have died a moment ago in the middle of the same sends."""
    before = outages.wait_s()

    worker.create_broker()

    assert before == 0
    assert limits.expired_lease_grace_s - 1 < outages.wait_s() <= limits.expired_lease_grace_s


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_start_gives_up_when_the_database_stays_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "database_start_wait_s", 0.2)
    tries: list[int] = []

    def away() -> None:
        tries.append(1)
        raise Unavailable()

    with pytest.raises(Unavailable):
        starting.through_outage(away)

    assert len(tries) > 1


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_start_on_a_wrong_schema_does_not_wait(desk: Desk) -> None:
    desk.command(database.execute, "DELETE FROM schema_migrations")

    with pytest.raises(SchemaMismatch, match="the database has schema 0"):
        starting.check_database()


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_worker_command_of_two_processes_refuses_and_says_why(desk: Desk) -> None:
    command = [sys.executable, "-m", "dramatiq", "queues.worker:create_broker", "-p", "2", "-t", "1"]
    environment = {**os.environ, "BROKER_URL": "amqp://guest:guest@127.0.0.1:9/", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode != 0
    assert "expected -p 1, found 2 processes" in done.stdout + done.stderr


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_started_worker_holds_no_channel_until_its_first_task(desk: Desk) -> None:
    """At 903fe5f it imported the channels that have accounts: 26 MiB more in an idle worker."""
    program = (
        "import json, sys\nfrom queues import worker\nworker.create_broker()\nprint(json.dumps(sorted(sys.modules)))\n"
    )
    environment = {
        **os.environ,
        "DATABASE_URL": desk.settings.database_url,
        "BROKER_URL": "amqp://guest:guest@127.0.0.1:9/",
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "telegram" in {account.channel for account in desk.command(accounts.every)}
    assert "queues.runner" in loaded
    assert "queues.actors.ingest_event" not in loaded  # its first task loads it
    assert [name for name in sorted(loaded) if name.startswith(("queues.channels.telegram", "telegram"))] == []
