"""An import that fails is a failure of the process, not of the event or the message: the task is tried again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.kernel import imports
from models.kernel.errors import TransientFailure
from models.ports.inbound import InboundMessage
from queues import actors, channels, worker
from queues.parser import parsing
from queues.processes import preloading
from tests.desk import Desk
from tests.queues.channels.golden import EMAIL
from tests.queues.test_parsing import large
from tests.queues.work import KIND, Work

HELLO = InboundMessage("ada@example.com", "Ada", "ada@example.com", "Hello")


class _DeadlockError(RuntimeError):
    """Python's own has this name, is private, and cannot be made to order."""


FAILURES: list[tuple[type[Exception], str]] = [
    (ImportError, "cannot import name 'Bot' from partially initialized module 'telegram'"),
    (ModuleNotFoundError, "No module named 'telegram'"),
    (_DeadlockError, "deadlock detected by _ModuleLock('telegram')"),
    (AttributeError, "partially initialized module 'telegram' has no attribute 'Bot'"),
]


@pytest.fixture(params=FAILURES, ids=lambda failure: failure[0].__name__)
def error(request: pytest.FixtureRequest) -> Exception:
    """What a failed import raises, in each of its forms."""
    kind, text = request.param
    made: Exception = kind(text)
    return made


@pytest.fixture(autouse=True)
def own_child() -> Iterator[None]:
    parsing.close()
    yield
    parsing.close()


def test_an_event_whose_parser_cannot_be_imported_is_read_later(desk: Desk, error: Exception) -> None:
    event = desk.receive(error, event_key="k")

    first = desk.run_due()
    between = desk.inbox(event)["status"]
    desk.scripted["k"] = HELLO
    desk.advance(minutes=1)
    desk.run_due()

    assert first == ["retried"]
    assert between != "failed"
    assert desk.inbox(event)["status"] == "processed"


def test_an_event_whose_fetcher_cannot_be_imported_is_read_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    event = desk.receive(HELLO)

    def broken(channel: object) -> None:
        raise ImportError("libssl.so.3: failed to map segment from shared object")

    with monkeypatch.context() as patched:
        for name in channels.names():
            patched.setattr(type(channels.get(name)), "fetcher", property(broken))
        first = desk.run_due()
    desk.advance(minutes=1)
    desk.run_due()

    assert first == ["retried"]
    assert desk.inbox(event)["status"] == "processed"


def test_a_message_whose_sender_cannot_be_imported_is_sent_once_later(desk: Desk, error: Exception) -> None:
    desk.answers.append(error)
    desk.receive_telegram("Help!")

    desk.run_due()
    for _ in range(3):
        desk.advance(minutes=2)
        desk.run_due()

    [delivery] = desk.deliveries(desk.ticket())
    assert delivery["state"] == "sent", delivery
    assert [row["outcome"] for row in desk.rows("SELECT outcome FROM delivery_attempts ORDER BY number")] == [
        "transient",
        "accepted",
    ]
    assert len(desk.sent) == 1


def test_a_task_whose_actor_cannot_be_imported_is_tried_again(
    work: Work, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    task_id = work.enqueue()

    def broken(kind: str) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(actors, "load", broken)
        first = work.run(task_id)
    work.desk.advance(minutes=1)

    assert first == "retried"
    assert work.run(task_id) == "done"


def test_a_task_whose_actor_can_never_be_imported_ends_as_a_dead_letter(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(kind: str) -> None:
        raise ImportError("no such library")

    monkeypatch.setattr(actors, "load", broken)
    task_id = work.enqueue()
    outcomes = [work.run(task_id)]
    while outcomes[-1] == "retried":
        work.desk.advance(minutes=20)
        outcomes.append(work.run(task_id))

    assert outcomes[-1] == "dead"
    assert "ImportError" in work.desk.task(task_id)["last_error"]
    assert KIND not in actors.names()


def child_that_runs(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen

    def start(command: list[str], **more: Any) -> object:
        return real([sys.executable, "-c", program], **more)

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    monkeypatch.setattr(subprocess, "Popen", start)


def test_a_parsers_child_that_cannot_import_fails_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        child_that_runs("raise ImportError('nh3')", patched)
        with pytest.raises(TransientFailure, match="does not start"):
            parsing.parse("email", large(), {}, EMAIL)

    assert isinstance(parsing.parse("email", large(), {}, EMAIL), InboundMessage)


def test_an_import_that_fails_in_the_parsers_child_fails_no_event(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "from queues import channels; from queues.parser import parsing\n"
        "def broken(channel): raise ImportError('libssl.so.3: failed to map segment from shared object')\n"
        "parsing._preload = lambda: None\n"
        "channels.get = broken\n"
        "parsing.main()\n"
    )
    with monkeypatch.context() as patched:
        child_that_runs(program, patched)
        event = desk.receive_raw("email", large(), content_type="message/rfc822")
        first = desk.run_due()
        between = desk.inbox(event)["status"]
        parsing.close()
    desk.advance(minutes=1)
    desk.run_due()

    assert first == ["retried"]
    assert between != "failed"
    assert desk.inbox(event)["status"] == "processed"


def test_a_worker_that_cannot_import_its_libraries_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dramatiq's command line ends with the message of an ImportError; a worker that starts would fail each of its
    tasks.
    """

    def broken(*names: str) -> None:
        raise ImportError("no such library")

    monkeypatch.setattr(imports, "load", broken)

    with pytest.raises(ImportError, match="no such library"):
        worker.create_broker()


def test_a_worker_without_a_library_of_its_tasks_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is imported at the first task, when it is too late to say that the installation is incomplete."""
    monkeypatch.setattr(preloading, "TASKS_USE", (*preloading.TASKS_USE, "nestor_missing_library"))

    with pytest.raises(ImportError, match="nestor_missing_library"):
        worker.create_broker()
