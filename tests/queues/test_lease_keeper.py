"""Leases are renewed while a task runs, not beyond its time limit, and given back at the end of a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import peewee
import pytest

from models.kernel.errors import Unavailable
from models.tasks import commands
from queues.processes.lease_keeper import LeaseKeeper
from tests import threads
from tests.queues.work import Work
from tests.services.waiting import wait_until

LEASE_S = 0.15  # real time: the keeper's thread sleeps for a third of it


@pytest.fixture
def keeper() -> Iterator[LeaseKeeper]:
    made = LeaseKeeper(LEASE_S)
    yield made
    made.stop()


def test_a_running_task_keeps_its_lease_for_longer_than_one(work: Work, keeper: LeaseKeeper) -> None:
    task_id = work.enqueue()
    task = work.claim(task_id, lease_s=LEASE_S)
    until = time.monotonic() + 4 * LEASE_S

    with keeper.keeping(task, time_limit_s=60):
        while time.monotonic() < until:
            assert commands.claim(task_id, lease_s=LEASE_S) is None
            time.sleep(0.02)

    assert keeper.running() == []


def test_a_keeper_whose_thread_the_system_refused_renews_the_lease_of_the_next_task(
    work: Work, keeper: LeaseKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = work.enqueue()
    task = work.claim(task_id, lease_s=LEASE_S)
    threads.refuse_the_next(monkeypatch)

    with pytest.raises(RuntimeError, match="thread"), keeper.keeping(task, time_limit_s=60):
        pytest.fail("a task must not run without somebody who renews its lease")
    assert keeper.running() == []

    until = time.monotonic() + 3 * LEASE_S
    with keeper.keeping(task, time_limit_s=60):
        while time.monotonic() < until:
            assert commands.claim(task_id, lease_s=LEASE_S) is None
            time.sleep(0.02)


def test_a_task_beyond_its_time_limit_is_not_renewed_and_runs_elsewhere(work: Work, keeper: LeaseKeeper) -> None:
    task_id = work.enqueue()
    task = work.claim(task_id, lease_s=LEASE_S)

    with keeper.keeping(task, time_limit_s=0.0):
        wait_until(lambda: commands.claim(task_id, lease_s=20) is not None, within_s=10, what="the lease running out")


@pytest.mark.parametrize("error", [Unavailable(), peewee.OperationalError("statement timeout")])
def test_a_failed_renewal_is_not_the_last_one(
    work: Work, keeper: LeaseKeeper, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    task = work.claim(work.enqueue())
    rounds: list[int] = []

    def extend(leases: Mapping[str, int], *, lease_s: float) -> None:
        rounds.append(len(leases))
        if len(rounds) == 1:
            raise error

    monkeypatch.setattr(commands, "extend", extend)
    with keeper.keeping(task, time_limit_s=60):
        wait_until(lambda: len(rounds) >= 3, within_s=10, what="renewals going on")


def test_what_still_runs_at_the_end_is_given_back_at_once(work: Work, keeper: LeaseKeeper) -> None:
    task_id = work.enqueue()
    task = work.claim(task_id)

    with keeper.keeping(task, time_limit_s=60):
        assert keeper.give_back() == 1
        wait_until(lambda: commands.claim(task_id, lease_s=20) is not None, within_s=5, what="a free lease")
