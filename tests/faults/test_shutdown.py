"""SIGTERM and Ctrl-C: what runs is finished or given back within a bound, nothing is lost, no process stays."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.faults import checks, limits
from tests.faults.client import Reply
from tests.faults.flow import Flow, nothing_was_lost
from tests.faults.people import Requester, unique, update
from tests.faults.stack import EmbeddedDesk, RealDesk
from tests.services.waiting import wait_until

clients = 8


def test_a_function_that_gets_sigterm_answers_what_it_has(real_desk: RealDesk) -> None:
    """Failure matrix: SIGTERM of HTTP fn: gunicorn finishes running requests; wakeups are flushed or swept."""
    webhooks = real_desk.programs["webhooks"]
    replies: list[Reply] = []
    balancer_stopped = threading.Event()

    def post() -> None:
        while not balancer_stopped.is_set():
            body = update(unique(), "question under way")
            replies.append(real_desk.telegram().once("POST", "/webhooks/telegram/demo", body))

    with ThreadPoolExecutor(clients) as senders:
        posts = [senders.submit(post) for _ in range(clients)]
        wait_until(lambda: len(replies) > 5 * clients, within_s=limits.settle_s, what="a load")
        balancer_stopped.set()  # no new request from now on; those on their way are answered
        webhooks.terminate()
        for one in posts:
            one.result()

    assert webhooks.wait() == 0
    # A connection that nobody had accepted when the listener closed is reset: its sender repeats it, and nothing of it
    # may be stored.
    unanswered = [reply for reply in replies if reply.status != 200]
    assert all("ConnectionResetError" in str(reply.error) for reply in unanswered), unanswered
    assert len(unanswered) <= clients
    real_desk.start()
    real_desk.wait_until_drained()
    stored = real_desk.truth.one("SELECT count(*) FROM messages WHERE body = 'question under way'")
    assert stored == len(replies) - len(unanswered)


def test_a_worker_that_gets_sigterm_finishes_or_gives_back(real_desk: RealDesk) -> None:
    """The issue: SIGTERM: finish or give back, within a bound."""
    flow = Flow(real_desk, chats=0)
    worker = real_desk.programs["worker1"]

    with flow.running(every_s=0.1):
        flow.goes_on()
        started = time.monotonic()
        worker.terminate()
        code = worker.wait()
        took_s = time.monotonic() - started
        flow.goes_on()
        worker.start()

    nothing_was_lost(real_desk, flow)
    assert code == 0
    assert took_s < limits.stop_s


def test_a_worker_whose_time_is_up_gives_its_task_to_another(real_desk: RealDesk) -> None:
    """A send that hangs longer than the worker's shutdown time: its lease is given back, and the outcome is unknown,
    not forgotten.
    """
    requester = Requester(real_desk, "telegram")
    requester.write()
    real_desk.wait_until_drained()
    first, second = real_desk.workers
    second.kill()
    patient = first.command
    first.kill()
    first.command = [*patient[: patient.index("--worker-shutdown-timeout") + 1], "1000"]
    try:
        first.start()
        real_desk.sandbox.fail("hang", method="sendMessage", chat_id=requester.number, hang_s=20)
        requester.be_answered()
        text = requester.replies[-1]
        wait_until(
            lambda: any(e.get("text") == text for e in real_desk.sandbox.outbox("telegram")),
            within_s=limits.settle_s,
            what="the call to the Bot API",
        )
        first.terminate()
        first.wait()
    finally:
        first.command = patient
        real_desk.start()

    real_desk.wait_until_drained()
    attempts = real_desk.truth.attempts(text)
    assert [attempt["outcome"] for attempt in attempts] == ["unknown", "accepted"]
    assert bool(attempts[1]["possibly_duplicate"])


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_embedded_desk_ends_as_a_whole_and_keeps_its_data(embedded_desk: EmbeddedDesk, by: signal.Signals) -> None:
    """Ctrl-C ends every process, those of the sandbox too; the next start has what was there."""
    demo = embedded_desk.desk
    embedded_desk.desk.kill()
    demo.command.remove("--no-demo")  # with its own sandbox, as `./scripts/run` starts it
    embedded_desk.start()
    requesters = [Requester(embedded_desk, "telegram"), Requester(embedded_desk, "email")]
    for requester in requesters:
        requester.write()
        requester.be_answered()
    processes = demo.tree()
    assert len(processes) >= 4, f"supervisor, sandbox, gunicorn and its worker; found {processes}"

    demo.terminate(by)
    code = demo.wait()

    assert code == 0
    _, alive = psutil.wait_procs(processes, timeout=limits.poll_s)
    assert alive == [], "a process stayed behind"
    embedded_desk.start()
    embedded_desk.wait_until_drained()
    checks.each_event_made_one_message(embedded_desk, requesters)
    assert len(embedded_desk.api().get("/v1/tickets")["items"]) == len(requesters)


def test_a_supervisor_that_is_killed_takes_its_desk_along(embedded_desk: EmbeddedDesk) -> None:
    """kill -9 of `./scripts/run` alone: the desk behind it ends by itself, so that the next start finds port and folder
    free.
    """
    processes = embedded_desk.desk.tree()
    assert len(processes) >= 3

    processes[0].kill()

    _, alive = psutil.wait_procs(processes, timeout=limits.stop_s)
    assert alive == []
    embedded_desk.start()
