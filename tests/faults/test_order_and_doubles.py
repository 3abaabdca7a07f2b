"""Once, and in order: repeated events, busy conversations, several sweepers, a worker that comes back from the dead."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg2
import pytest

from tests.faults import checks, limits
from tests.faults.people import Requester, unique, update
from tests.faults.processes import Program
from tests.faults.stack import RealDesk
from tests.services.rabbitmq import RabbitServer
from tests.services.waiting import wait_until


def test_one_update_posted_twenty_times_by_eight_clients_at_once_is_one_message(real_desk: RealDesk) -> None:
    """Failure matrix: after COMMIT, before the answer: the repeat finds the inbox row and gets the stored id."""
    chat_id = unique()
    text = f"question {chat_id}"
    body = update(chat_id, text)

    with ThreadPoolExecutor(8) as clients:
        replies = list(
            clients.map(lambda _: real_desk.telegram().once("POST", "/webhooks/telegram/demo", body), range(20))
        )

    assert [reply.status for reply in replies] == [200] * 20
    assert len({reply.json()["event_id"] for reply in replies}) == 1
    assert sorted(reply.json()["repeat"] for reply in replies) == [False] + [True] * 19
    real_desk.wait_until_drained()
    assert real_desk.truth.one("SELECT count(*) FROM messages WHERE body = ?", text) == 1


def test_each_conversation_keeps_its_order_in_two_processes_of_eight_threads(real_desk: RealDesk) -> None:
    """Tasks of one key run one after another, though sixteen threads are free to take any."""
    requesters = [Requester(real_desk, "email" if n % 4 else "telegram") for n in range(24)]

    def write_often(requester: Requester) -> None:
        for _ in range(8):
            requester.write()

    def answer_often(requester: Requester) -> None:
        for _ in range(8 if requester.channel == "email" else 3):  # a chat takes one a second
            requester.be_answered()

    with ThreadPoolExecutor(len(requesters)) as people:
        list(people.map(write_often, requesters))
        list(people.map(answer_often, requesters))

    real_desk.wait_until_drained()
    checks.each_event_made_one_message(real_desk, requesters)
    checks.each_reply_arrived_once_in_order(real_desk, requesters)
    used = {name for name in ("worker1", "worker2") if '"task_run"' in real_desk.log_of(name)}
    assert used == {"worker1", "worker2"}, "both processes took part"


@contextmanager
def sweepers(desk: RealDesk, count: int) -> Iterator[None]:
    """Inside, `count` schedulers sweep beside those of the workers."""
    names = [f"scheduler{number}" for number in range(2, count + 1)]
    for name in names:
        desk.add(name, desk.programs["scheduler1"].command).start()
    try:
        yield
    finally:
        for name in names:
            desk.programs.pop(name).close()


@pytest.mark.parametrize("count", [2, 4])
def test_several_sweepers_at_once_double_nothing(real_desk: RealDesk, rabbit_server: RabbitServer, count: int) -> None:
    """Failure matrix: two or more sweepers/schedulers: a doubled wakeup costs one failed claim, a timer fires each due
    time once.
    """
    requesters = [Requester(real_desk, "email") for _ in range(30)]
    once, often = f"test-once-{uuid4().hex}", f"test-often-{uuid4().hex}"

    with sweepers(real_desk, count):
        for worker in real_desk.workers:
            worker.kill()
        with ThreadPoolExecutor(10) as people:
            list(people.map(Requester.write, requesters))
        for queue in ("default", "sends"):  # every first wakeup is lost: the sweepers bring all tasks
            rabbit_server.purge(queue, url=real_desk.environment["BROKER_URL"])
        with closing(psycopg2.connect(real_desk.truth.url)) as connection, connection:
            connection.cursor().execute(
                "INSERT INTO timers (name, kind, queue, payload, due_at, every_s)"
                " SELECT %s || n, 'collect_garbage', 'default', '{}'::jsonb, now(), NULL FROM generate_series(1,"
                " 100) AS n"
                " UNION ALL"
                " SELECT %s || n, 'collect_garbage', 'default', '{}'::jsonb, now(), 1 FROM generate_series(1, 10) AS n",
                (once, often),
            )
        real_desk.start()
        wait_until(
            lambda: real_desk.truth.one("SELECT min(fired) FROM timers WHERE name LIKE ?", f"{often}%") >= 4,
            within_s=limits.settle_s,
            what="four beats of the recurring timers",
        )
        with closing(psycopg2.connect(real_desk.truth.url)) as connection, connection:
            connection.cursor().execute("DELETE FROM timers WHERE name LIKE %s RETURNING name, fired", (f"{often}%",))
        real_desk.wait_until_drained()

    checks.each_event_made_one_message(real_desk, requesters)
    fired = real_desk.truth.rows(
        "SELECT caused_by, count(*) AS n, count(DISTINCT dedupe_key) AS due_times FROM tasks WHERE caused_by LIKE"
        " ? OR caused_by LIKE ?"
        " GROUP BY caused_by",
        f"timer:{once}%",
        f"timer:{often}%",
    )
    assert len(fired) == 110
    assert all(row["n"] == 1 for row in fired if row["caused_by"].startswith(f"timer:{once}"))
    assert all(row["n"] == row["due_times"] for row in fired)
    finished = real_desk.truth.rows(
        "SELECT state, max(attempts) AS attempts FROM tasks WHERE caused_by LIKE ? GROUP BY state",
        "timer:test-%",
    )
    assert finished == [{"state": "done", "attempts": 1}], "no task ran twice"


def test_a_worker_that_hangs_past_its_lease_changes_nothing_when_it_wakes(real_desk: RealDesk) -> None:
    """Failure matrix: worker hangs, lease expires, another runs, first wakes up: fencing."""
    requester = Requester(real_desk, "telegram")
    requester.write()
    real_desk.wait_until_drained()
    first, second = real_desk.workers
    second.kill()
    with closing(psycopg2.connect(real_desk.truth.url)) as connection:
        # The next message's actor waits for the chat's row, which we hold: the worker is in the middle of its task.
        connection.cursor().execute("SELECT 1 FROM conversations WHERE address = %s FOR UPDATE", (requester.address,))
        requester.write()
        wait_until(lambda: lease(real_desk) == 1, within_s=limits.settle_s, what="the first worker's claim")
        hung = first.children()
        for process in hung:
            os.kill(process.pid, signal.SIGSTOP)
        connection.rollback()  # the hung worker's transaction has the row now, and does nothing with it

        def claimed_again() -> bool:
            # Half of the wakeups go to the hung worker, which holds its connection to the broker; so many are given.
            with connection:
                connection.cursor().execute("UPDATE tasks SET next_hint_at = now() WHERE state = 'leased'")
            return attempts(real_desk) == 2

        try:
            second.start()
            wait_until(claimed_again, within_s=limits.settle_s, what="the second worker's claim")
        finally:
            for process in hung:
                os.kill(process.pid, signal.SIGCONT)

    real_desk.wait_until_drained()

    checks.each_event_made_one_message(real_desk, [requester])
    wait_until(
        lambda: '"lease_lost"' in real_desk.log_of("worker1"),
        within_s=limits.settle_s,
        what="the first worker finding its lease lost",
    )


def attempts(desk: RealDesk) -> int:
    """How often the newest event's task was claimed. The hung worker may not hold the row yet: then the second one is
    done at once.
    """
    rows = desk.truth.rows("SELECT attempts FROM tasks WHERE kind = 'ingest_event' ORDER BY id DESC LIMIT 1")
    return int(rows[0]["attempts"])


def lease(desk: RealDesk) -> int:
    """The attempt number of the event's task that runs now; 0 when none does."""
    rows = desk.truth.rows("SELECT attempts FROM tasks WHERE kind = 'ingest_event' AND state = 'leased'")
    return int(rows[0]["attempts"]) if rows else 0


def test_both_workers_of_one_function_publish_wakeups(real_desk: RealDesk, rabbit_server: RabbitServer) -> None:
    """A connection made before the fork is shared, and two in three wakeups are lost."""
    webhooks = real_desk.programs["webhooks"]
    everything = [program for program in real_desk.programs.values() if program is not webhooks]
    webhooks.kill()
    webhooks.environment["HTTP_WORKERS"] = "2"
    try:
        for program in everything:
            program.kill()  # no sweeper, no worker: every wakeup in the queue comes from the function
        webhooks.start()
        real_desk.answers_soon(real_desk.webhook_port)
        vhost = real_desk.environment["BROKER_URL"]
        posted = 0
        deadline = time.monotonic() + limits.settle_s
        while publishers(webhooks, rabbit_server.port) < 2 and time.monotonic() < deadline:
            requesters = [Requester(real_desk, "telegram") for _ in range(16)]
            with ThreadPoolExecutor(8) as people:
                list(people.map(Requester.write, requesters))
            posted += len(requesters)

        assert publishers(webhooks, rabbit_server.port) == 2
        wait_until(
            lambda: rabbit_server.management.queue(vhost, "default").get("messages_ready") == posted,
            within_s=limits.settle_s,
            what=f"{posted} wakeups in the queue",
        )
    finally:
        webhooks.kill()
        webhooks.environment["HTTP_WORKERS"] = "1"
        real_desk.start()
    real_desk.wait_until_drained()


def publishers(program: Program, port: int) -> int:
    """Count the function's worker processes that have a connection to the broker."""
    return sum(
        any(c.raddr and c.raddr.port == port for c in process.net_connections("tcp")) for process in program.children()
    )
