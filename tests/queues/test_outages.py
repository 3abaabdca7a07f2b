"""The database is away for longer than a lease while workers live: their leases are theirs, and what they know is
recorded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping

import pytest
from dramatiq.middleware import TimeLimitExceeded

from models.kernel import limits
from models.kernel.errors import LeaseLost, Unavailable
from models.kernel.storage import database
from models.tasks import commands
from models.tasks import sweep as tasks_sweep
from models.tasks.kinds import KINDS, SENDS, TaskKind
from queues import sweep
from queues.processes.lease_keeper import LeaseKeeper, keeper
from queues.processes.outage import outages
from queues.processes.recording import write_until_taken
from queues.settlement import Done, Settlement
from tests.queues.work import KIND, TestWork, Work
from tests.services.waiting import wait_until

LEASE_S = 20.0


class Contended(Unavailable):
    """The database is there and refuses one statement."""

    code = "contended"


class Away:
    """A database that is away for whoever renews or settles, and counts who asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = threading.Event()
        self.asked: list[tuple[float, str]] = []
        extend, finish = commands.extend, commands.finish

        def renew(leases: Mapping[str, int], *, lease_s: float) -> None:
            self._ask()
            extend(leases, lease_s=lease_s)

        def settle(task: commands.ClaimedTask) -> None:
            self._ask()
            finish(task)

        monkeypatch.setattr(commands, "extend", renew)
        monkeypatch.setattr(commands, "finish", settle)

    def _ask(self) -> None:
        self.asked.append((time.monotonic(), threading.current_thread().name))
        if self.is_away.is_set():
            raise Unavailable

    def probes(self) -> int:
        return sum(name == "leases" for _, name in self.asked)


@pytest.fixture(autouse=True)
def sends(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tasks of these tests are sends."""
    monkeypatch.setitem(KINDS, KIND, TaskKind(KIND, TestWork, queue=SENDS))


@pytest.fixture
def away(work: Work, monkeypatch: pytest.MonkeyPatch) -> Away:
    return Away(monkeypatch)


@pytest.fixture
def patient() -> Iterator[LeaseKeeper]:
    """A keeper that renews every 20 s when all is well."""
    made = LeaseKeeper(60.0)
    yield made
    made.stop()


def test_a_process_that_saw_an_outage_leaves_expired_leases_to_their_holders_for_a_while(work: Work) -> None:
    expired, ready = work.enqueue(), work.enqueue()
    work.claim(expired, lease_s=LEASE_S)
    work.desk.advance(seconds=LEASE_S + 1)
    work.desk.wakeups.clear()
    outages.note(Unavailable())

    early = [work.run(expired), work.run(ready)]
    wakeups = [(wakeup.task_id, wakeup.wait_s) for wakeup in work.desk.wakeups]
    work.desk.advance(seconds=limits.expired_lease_grace_s)

    assert early == ["not_mine", "done"], "only what somebody may still hold has to wait"
    assert [task_id for task_id, _ in wakeups] == [expired]
    assert limits.expired_lease_grace_s - 1 < wakeups[0][1] < limits.expired_lease_grace_s + 1
    assert work.run(expired) == "done"


def test_work_on_our_own_database_is_taken_at_once_all_the_same(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its effect happens once anyway, and workers that die every few seconds must not keep it from being done."""
    monkeypatch.setitem(KINDS, KIND, TaskKind(KIND, TestWork))
    task_id = work.enqueue()
    work.claim(task_id, lease_s=LEASE_S)
    work.desk.advance(seconds=LEASE_S + 1)
    outages.begin()

    assert work.run(task_id) == "done"
    assert work.effects() == [task_id]


def test_the_holder_renews_its_expired_lease_meanwhile_and_keeps_its_task(work: Work) -> None:
    task_id = work.enqueue()
    task = work.claim(task_id, lease_s=LEASE_S)
    work.desk.advance(seconds=10 * LEASE_S)
    outages.note(Unavailable())

    commands.extend({task.lease_id: task.id}, lease_s=LEASE_S)
    work.desk.advance(seconds=limits.expired_lease_grace_s + 1)

    assert work.run(task_id) == "not_mine"
    work.desk.command(commands.finish, task)
    assert work.state(task_id) == "done"


def test_a_statement_that_the_database_refuses_is_no_outage(work: Work) -> None:
    outages.note(Contended())
    outages.note(LeaseLost())

    assert outages.wait_s() == 0


@pytest.mark.parametrize("where", ["claim", "sweep", "settlement", "renewal"])
def test_an_outage_is_noticed_wherever_a_process_meets_it(
    work: Work, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def away(*_: object, **__: object) -> Settlement:
        raise Unavailable

    task_id = work.enqueue()
    if where == "claim":
        monkeypatch.setattr(commands, "claim", away)
        work.run(task_id)
    elif where == "sweep":
        monkeypatch.setattr(tasks_sweep, "run_all", away)
        sweep.quietly()
    elif where == "settlement":
        work.do = away
        work.run(task_id)
    else:
        monkeypatch.setattr(commands, "extend", away)
        with keeper().keeping(work.claim(task_id), time_limit_s=60):
            assert keeper().wait_for_database(within_s=0.2) is False

    assert outages.wait_s() > 0


def test_a_failed_renewal_is_repeated_every_fifth_of_a_second_at_least(
    work: Work, away: Away, patient: LeaseKeeper
) -> None:
    away.is_away.set()
    with patient.keeping(work.claim(work.enqueue()), time_limit_s=60):
        patient.wait_for_database(within_s=0.0)  # what a failed settlement does

        wait_until(lambda: away.probes() >= 5, within_s=10, what="five probes")


def test_many_threads_that_wait_for_the_database_ask_it_by_one_probe(
    work: Work, away: Away, patient: LeaseKeeper
) -> None:
    away.is_away.set()
    answers: list[bool] = []
    with patient.keeping(work.claim(work.enqueue()), time_limit_s=60):
        waiting = [
            threading.Thread(target=lambda: answers.append(patient.wait_for_database(within_s=30))) for _ in range(8)
        ]
        for thread in waiting:
            thread.start()
        wait_until(lambda: away.probes() >= 5, within_s=10, what="some probes")
        between = [b[0] - a[0] for a, b in zip(away.asked, away.asked[1:], strict=False)]
        away.is_away.clear()
        for thread in waiting:
            thread.join(10)

    assert answers == [True] * 8
    assert {name for _, name in away.asked} == {"leases"}
    assert min(between[1:]) > limits.database_probe_s[0] / 2, "eight threads must not ask eight times as often"


def test_the_lease_is_renewed_before_what_waits_for_the_database_is_recorded(work: Work, away: Away) -> None:
    def answer_comes_in_the_outage(task: commands.ClaimedTask) -> Settlement:
        away.is_away.set()
        work.desk.advance(seconds=2 * LEASE_S)
        threading.Timer(0.3, away.is_away.clear).start()
        return Done(lambda: work.effect(task), late=lambda: None)

    work.do = answer_comes_in_the_outage
    task_id = work.enqueue()

    outcome = work.run(task_id)

    assert outcome == "done"
    assert work.effects() == [task_id]
    last_two = [name for _, name in away.asked[-2:]]
    assert last_two[0] == "leases", "the first statement after the outage renews the lease"
    assert last_two[1] != "leases"


def test_a_process_does_not_take_a_task_from_itself_when_its_lease_ran_out(work: Work) -> None:
    """The machine slept: no clock of ours moved, and the lease ran out."""
    again: list[str] = []

    def sleep_long(task: commands.ClaimedTask) -> Settlement:
        work.desk.advance(hours=1)
        again.append(work.run(task.id))
        return Done(lambda: work.effect(task))

    work.do = sleep_long
    task_id = work.enqueue()

    assert work.run(task_id) == "done"
    assert again == ["not_mine"]
    assert work.effects() == [task_id]


def test_an_answer_is_waited_with_beyond_the_task_s_own_time_limit(
    work: Work, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, KIND, TaskKind(KIND, TestWork, time_limit_s=0))

    def answered(task: commands.ClaimedTask) -> Settlement:
        away.is_away.set()
        threading.Timer(0.5, away.is_away.clear).start()
        return Done(lambda: work.effect(task), late=lambda: None)

    work.do = answered
    task_id = work.enqueue()

    assert work.run(task_id) == "done"


def test_the_time_limit_s_interrupt_does_not_end_the_wait_for_the_database(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = iter([TimeLimitExceeded("too long"), None])

    def wait(self: LeaseKeeper, *, within_s: float) -> bool:
        if (event := next(events)) is not None:
            raise event
        return True

    monkeypatch.setattr(LeaseKeeper, "wait_for_database", wait)
    tries = iter([Unavailable(), None])

    def write() -> str:
        if (error := next(tries)) is not None:
            raise error
        return "written"

    assert write_until_taken(write, within_s=10) == "written"


def test_a_write_that_the_database_refuses_again_and_again_is_given_up_in_time(work: Work) -> None:
    def refused() -> None:
        raise Contended

    started = time.monotonic()
    with pytest.raises(Contended):
        write_until_taken(refused, within_s=0.3)

    assert time.monotonic() - started < 10


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_an_answer_waits_also_for_a_disk_that_is_full(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded desk's database does not go away, its disk fills up."""
    waited: list[float] = []

    def room_is_made(self: LeaseKeeper, *, within_s: float) -> bool:
        waited.append(within_s)
        database.execute("PRAGMA max_page_count = 1000000")
        return True

    def fill_up(task: commands.ClaimedTask) -> Settlement:
        [pages] = database.run("PRAGMA page_count")[0].values()
        database.execute(f"PRAGMA max_page_count = {pages}")
        return Done(lambda: work.effect(task, "x" * 200_000), late=lambda: None)

    monkeypatch.setattr(LeaseKeeper, "wait_for_database", room_is_made)
    work.do = fill_up
    task_id = work.enqueue()

    assert work.run(task_id) == "done"
    assert len(waited) == 1
    assert work.effects() == [task_id]
    assert outages.wait_s() > 0
