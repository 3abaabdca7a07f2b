"""The clock of long-lived processes: a database that is away at the start costs beats, not the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel import settings
from models.kernel.errors import Unavailable
from models.kernel.settings import Settings
from queues import broker as brokers
from queues import scheduler, sweep, worker
from queues.processes import monitor
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.services.ports import free_port
from tests.services.waiting import wait_until


class Housekeeping:
    """Stands for `sweep.ensure_housekeeping`; fails as often as told, then does the real thing."""

    def __init__(self, real: Callable[[], None], *, failures: int) -> None:
        self._real, self._failures, self.calls = real, failures, 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self._failures:
            raise Unavailable("the database is away")
        self._real()


@pytest.fixture
def housekeeping(monkeypatch: pytest.MonkeyPatch) -> Housekeeping:
    made = Housekeeping(sweep.ensure_housekeeping, failures=2)
    monkeypatch.setattr(sweep, "ensure_housekeeping", made)
    return made


def test_the_desks_own_timers_are_set_by_the_first_beat_that_can_and_not_again(
    desk: Desk, housekeeping: Housekeeping
) -> None:
    beat = scheduler.Beat()

    for _ in range(5):
        beat()

    assert housekeeping.calls == 3
    assert [timer["name"] for timer in desk.timers()] == ["collect_garbage", "repair_activations", "watch_accounts"]


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_worker_that_starts_without_a_database_is_alive_and_sets_the_timers_later(
    desk: Desk, housekeeping: Housekeeping, monkeypatch: pytest.MonkeyPatch, worker_life: Any
) -> None:
    broker, life, address = worker_life

    life.after_process_boot(broker)

    with urlopen(f"{address}/healthz", timeout=5) as answer:
        assert answer.status == 200
    wait_until(lambda: len(desk.timers()) == 3, within_s=20, what="the desk's own timers")


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_worker_reads_the_accounts_that_have_to_be_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, worker_life: Any
) -> None:
    broker, life, _ = worker_life
    begun = threading.Event()

    class Puller:
        def wants(self, account: ChannelAccount) -> bool:
            return account.channel == "email"

        def pull(self, account: ChannelAccount, config: Settings, stop: threading.Event, idle_s: float) -> None:
            begun.set()
            stop.wait(idle_s)

    replace_part(monkeypatch, "puller", lambda channel: Puller())
    life.after_process_boot(broker)

    assert begun.wait(20)


@pytest.fixture
def worker_life(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    servers: list[Any] = []
    start = monitor.start
    monkeypatch.setattr(monitor, "start", lambda host, port: servers.append(start(host, port)))
    port = free_port()
    monkeypatch.setenv("METRICS_PORT", str(port))
    settings.current.cache_clear()
    broker, life = brokers.create(desk.settings), worker._Life()
    yield broker, life, f"http://127.0.0.1:{port}"
    life.before_worker_shutdown(broker, None)
    life.after_worker_shutdown(broker, None)
    monitor.forget_backlog()
    for server in servers:
        server.shutdown()
        server.server_close()
