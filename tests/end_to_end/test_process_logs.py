"""Every line of every process is the desk's JSON form: masters, workers, other libraries, warnings, uncaught
exceptions.

A process that a signal ended is an error that a filter on `level` and `event` finds; a broker that is away is a
warning.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.telemetry import logs
from queues.parser import parsing
from tests.desk import Desk
from tests.functions.test_real_server import serving
from tests.services.ports import free_port
from tests.services.rabbitmq import RabbitServer
from tests.services.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
NOBODYS = "amqp://guest:guest@127.0.0.1:1/"


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Every line of a log, each of which must be JSON with a level and a constant event."""
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        assert {"at", "level", "event", "service"} <= line.keys(), line
        assert " " not in line["event"], line
        found.append(line)
    return found


def events(path: Path, name: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(path) if line["event"] == name]


def errors(path: Path) -> list[dict[str, Any]]:
    return [line for line in lines_of(path) if line["level"] in ("error", "critical")]


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(one) for one in text.split()]


@contextmanager
def running(log: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process of ours; ended at the end, whatever it does."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def worker(desk: Desk, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The documented command, with a broker that is away, up and running."""
    log, port = tmp_path / "worker.log", free_port()
    command = ("-m", "queues.master", "-t", "2", "--queues", "default", "--worker-shutdown-timeout", "5000")
    with running(log, *command, BROKER_URL=NOBODYS, METRICS_PORT=str(port)) as process:
        wait_until(
            lambda: bool(log.read_bytes()) and bool(events(log, "worker_started")),
            within_s=60,
            what="a worker",
        )
        yield process, log


def test_a_worker_whose_broker_is_away_warns_and_ends_without_an_error(
    worker: tuple[subprocess.Popen[bytes], Path],
) -> None:
    process, log = worker
    wait_until(lambda: len(events(log, "broker_away")) >= 3, within_s=60, what="three tries")

    process.terminate()
    code = process.wait(60)

    assert code == 0
    assert {line["level"] for line in events(log, "broker_away")} == {"warning"}
    assert not [line for line in events(log, "broker_away") if "exception" in line]
    assert errors(log) == []
    assert events(log, "worker_stopped")


def test_a_broker_that_goes_away_under_a_worker_is_a_warning(
    desk: Desk, rabbit_server: RabbitServer, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    url = rabbit_server.create_vhost()
    with running(
        log,
        "-m",
        "queues.master",
        "-t",
        "2",
        "--queues",
        "default",
        "sends",
        "--worker-shutdown-timeout",
        "5000",
        BROKER_URL=url,
    ) as process:
        wait_until(lambda: log.exists() and bool(events(log, "worker_started")), within_s=60, what="a worker")
        rabbit_server.stop_app()
        try:
            wait_until(lambda: len(events(log, "broker_away")) >= 2, within_s=60, what="two queues without a broker")
        finally:
            rabbit_server.start_app()
        process.terminate()
        assert process.wait(60) == 0

    assert errors(log) == []
    assert not [line for line in events(log, "broker_away") if "exception" in line]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=lambda one: one.name)
def test_a_worker_that_a_signal_ended_is_an_error(
    worker: tuple[subprocess.Popen[bytes], Path], number: signal.Signals
) -> None:
    process, log = worker
    child = next(one for one in children(process.pid) if b"queues.master" in Path(f"/proc/{one}/cmdline").read_bytes())

    os.kill(child, number)
    code = process.wait(60)

    assert code != 0
    (line,) = errors(log)
    assert (line["event"], line["pid"], line["signal"]) == ("process_killed", child, number.name)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=lambda one: one.name)
def test_a_functions_process_that_a_signal_ended_is_an_error(
    desk: Desk, tmp_path: Path, number: signal.Signals
) -> None:
    with serving("gateway", desk, tmp_path) as server:
        (child,) = children(server.process.pid)

        os.kill(child, number)

        wait_until(lambda: bool(events(server.log, "process_killed")), within_s=30, what="the line")
    (line,) = errors(server.log)
    assert (line["event"], line["pid"], line["signal"]) == ("process_killed", child, number.name)


def test_an_embedded_desk_that_a_signal_ended_is_an_error_in_its_log(desk: Desk, tmp_path: Path) -> None:
    port = free_port()
    data, told = tmp_path / "data", tmp_path / "told"
    log = data / "desk.log"
    command = ("-m", "scripts.desk", "--no-demo", "--port", str(port), "--data-dir", str(data))
    with running(told, *command) as supervisor:
        wait_until(lambda: "Nestor runs at" in told.read_text(encoding="utf-8"), within_s=90, what="a desk")
        master = next(
            one for one in children(supervisor.pid) if b"gunicorn" in Path(f"/proc/{one}/cmdline").read_bytes()
        )
        (inner,) = children(master)

        os.kill(inner, signal.SIGKILL)
        wait_until(lambda: bool(events(log, "process_killed")), within_s=30, what="the worker's end")
        wait_until(lambda: _answers(port), within_s=60, what="the next worker")
        os.kill(master, signal.SIGKILL)
        supervisor.wait(60)

    told_of = [(line["pid"], line["signal"], line["role"]) for line in events(log, "process_killed")]
    assert told_of == [(inner, "SIGKILL", "gunicorn worker"), (master, "SIGKILL", "embedded desk")]


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
            return True
    except OSError:
        return False


REFUSED: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "two processes": (("-m", "queues.master", "-p", "2"), {}, "expected one process, found 2"),
    "a wrong setting of a worker": (("-m", "queues.master"), {"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
    "a wrong setting of a function": (
        ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.gateway.app:create_app()"),
        {"LOG_LEVEL": "LOUD"},
        "LOG_LEVEL",
    ),
    "a scheduler without a schema": (
        ("-m", "queues.scheduler"),
        {"DATABASE_URL": "empty"},
        "the database has schema 0",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_start_that_is_refused_is_one_line(desk: Desk, tmp_path: Path, name: str) -> None:
    arguments, environment, reason = REFUSED[name]
    log = tmp_path / "log"
    if environment.get("DATABASE_URL") == "empty":
        environment = {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"}

    with running(log, *arguments, **{"BROKER_URL": NOBODYS, **environment}) as process:
        code = process.wait(60)

    assert code not in (0, None)
    (line,) = lines_of(log)
    assert (line["level"], line["event"]) == ("error", "start_refused")
    assert reason in line["reason"]


def test_a_worker_without_a_schema_says_so_and_ends(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "log"

    with running(
        log, "-m", "queues.master", BROKER_URL=NOBODYS, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}"
    ) as process:
        code = process.wait(60)

    assert code not in (0, None)
    refused = events(log, "start_refused")
    assert len(refused) == 1
    assert any("the database has schema 0" in part for part in refused[0]["exception"])


UNCAUGHT = """
import threading, warnings, sys
from models.kernel.telemetry import logs
logs.configure("test")
warnings.warn("use another", UserWarning, stacklevel=1)
thread = threading.Thread(target=lambda: 1 / 0, name="counting")
thread.start(); thread.join()
class Odd:
    def __del__(self): raise ValueError("secret-words")
odd = Odd(); del odd
raise KeyError("secret-words")
"""


def test_what_nobody_catches_is_one_line_each(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "log"

    with running(log, "-c", UNCAUGHT) as process:
        assert process.wait(60) == 1

    told = [(line["level"], line["event"]) for line in lines_of(log)]
    assert told == [
        ("warning", "python_warning"),
        ("error", "thread_died"),
        ("error", "exception_ignored"),
        ("error", "process_failed"),
    ]
    assert "secret-words" not in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("at_work", [True, False], ids=["at work", "between two events"])
def test_a_parser_that_a_signal_ended_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch, at_work: bool) -> None:
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr(logs, "tell_end", lambda *ended: told.append(ended))
    monkeypatch.setattr(limits, "parse_here_bytes_max", 10)
    account = ChannelAccount("telegram", "demo", 1, {})
    raw = b'{"update_id": 1, "poll": {}}'
    parsing.parse("telegram", raw, {}, account)
    child = parsing._child.process
    assert child is not None
    real: Callable[..., bytes] = parsing._received

    def killed(stream: Any, length: int, deadline: float) -> bytes:
        if not told:
            child.kill()
        return real(stream, length, deadline)

    if at_work:
        child.send_signal(signal.SIGSTOP)  # it reads no more, so that it cannot answer before it is killed
        monkeypatch.setattr(parsing, "_received", killed)
    else:
        child.kill()
        child.wait(20)
    try:
        parsing.parse("telegram", raw, {}, account)
    finally:
        parsing.close()

    assert told == [("parser", child.pid, -signal.SIGKILL)]
