"""The servers and processes that a run measures: private PostgreSQL (fsync on) and RabbitMQ, and the desk's own
documented commands.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

import psutil
import psycopg2

from scripts.bench import limits
from scripts.sandbox.client import SandboxProcess
from scripts.seed import API_KEY
from tests.services.postgres import PostgresServer
from tests.services.rabbitmq import RabbitServer

ROOT = Path(__file__).resolve().parents[2]
_TEMPLATE = "bench_template"
TELEGRAM_SECRET = "demo-secret"  # noqa: S105 -- the demo's
TICK_TOKEN = "bench-tick-token"  # noqa: S105 -- for this run's own process
BEARER = {"Authorization": f"Bearer {API_KEY}"}
TELEGRAM_HEADERS = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}


class Process:
    """A process of the desk, its log, and its end."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.spawned_at = time.perf_counter()
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check_alive(self) -> None:
        """Raise with the end of its log when it is gone."""
        if self._process.poll() is not None:
            said = self.log.read_text(errors="replace")[-2_000:]
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.returncode}:\n{said}")

    def wait_for(self, event: str) -> Self:
        """Wait until its log has the event."""
        while event not in self.log.read_text(errors="replace"):
            self.check_alive()
            if time.perf_counter() - self.spawned_at > limits.start_s_max:
                raise RuntimeError(f"no {event} within {limits.start_s_max:g} s; see {self.log}")
            time.sleep(limits.poll_s)
        return self

    def stop(self) -> None:
        children = psutil.Process(self.pid).children(recursive=True) if self._process.poll() is None else []
        self._process.terminate()
        try:
            self._process.wait(limits.stop_s_max)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


class Web(Process):
    """A function under gunicorn, on a free port."""

    def __init__(self, function: str, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "functions/gunicorn_conf.py"]
        super().__init__(
            [*command, f"functions.{function}.app:create_app()"],
            environment | {"PORT": str(self.port), "NESTOR_BIND": "127.0.0.1"},
            log,
        )

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> int:
        """Send one request on a new connection; return its status."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=limits.request_s_max)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def seconds_to(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> float:
        """Seconds from the spawn to the first 2xx of this request. 503 is "not yet": readiness waits for its first look
        at the schema.
        """
        while True:
            with contextlib.suppress(ConnectionError):
                status = self.request(method, path, body, headers)
                if 200 <= status < 300:
                    return time.perf_counter() - self.spawned_at
                if status != 503:
                    raise RuntimeError(f"{method} {path} answered {status}; see {self.log}")
            self.check_alive()
            if time.perf_counter() - self.spawned_at > limits.start_s_max:
                raise RuntimeError(f"no answer from {path} within {limits.start_s_max:g} s; see {self.log}")
            time.sleep(limits.poll_s)

    def wait_ready(self) -> Self:
        self.seconds_to("GET", "/readyz")
        return self


class Desk:
    """One database, one vhost, and the environment that points to them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.database_url = stack.postgres.create_database(template=_TEMPLATE)
        self.broker_url = stack.rabbit.create_vhost()
        self.environment = stack.environment(self.database_url, self.broker_url)
        self._processes: list[Process] = []
        self.command("scripts.topology")

    def command(self, module: str, *arguments: str) -> None:
        run_module(module, self.environment, *arguments)

    def web(self, function: str, **settings: str) -> Web:
        """Start a function without waiting for it."""
        web = Web(function, self.environment | settings, self._stack.log(function))
        self._processes.append(web)
        return web

    def worker(self, *queues: str) -> Process:
        """The documented worker command: one process of 8 threads."""
        arguments = [
            "-m",
            "queues.master",
            "-t",
            "8",
            "--queues",
            *queues,
        ]
        return self._process([sys.executable, *arguments], "worker")

    def scheduler(self) -> Process:
        return self._process([sys.executable, "-m", "queues.scheduler"], "scheduler")

    def _process(self, command: list[str], name: str) -> Process:
        process = Process(command, self.environment, self._stack.log(name))
        self._processes.append(process)
        return process

    def query(self, statement: str) -> list[tuple[float, ...]]:
        """Ask this desk's database."""
        connection = psycopg2.connect(self.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def close(self) -> None:
        for process in reversed(self._processes):
            process.stop()
        self._stack.postgres.drop_database(self.database_url)
        self._stack.rabbit.delete_vhost(self.broker_url)


class Stack:
    """PostgreSQL, RabbitMQ and the sandbox of one run; `with` starts and ends them."""

    def __init__(self) -> None:
        self.postgres = PostgresServer(fsync=True)
        self.rabbit = RabbitServer()
        self._exits = contextlib.ExitStack()
        self._logs = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="nestor-bench-")))
        self.sandbox = SandboxProcess()

    def __enter__(self) -> Self:
        try:
            for server in (self.postgres, self.rabbit, self.sandbox):
                self._exits.enter_context(server)
            url = self.postgres.create_database(_TEMPLATE)
            run_module("scripts.bootstrap", self.environment(url, self.rabbit.create_vhost()), "--demo")
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def postgres_pid(self) -> int:
        """The postmaster; backends and helpers are its children."""
        connection = psycopg2.connect(self.postgres.url)
        try:
            return int(psutil.Process(connection.info.backend_pid).ppid())
        finally:
            connection.close()

    @property
    def rabbit_pid(self) -> int:
        """The Erlang machine that is the node."""
        mine = psutil.Process().children(recursive=True)
        return int(next(process.pid for process in mine if process.name() == "beam.smp"))

    @contextlib.contextmanager
    def desk(self) -> Iterator[Desk]:
        """Return a fresh desk with only the template's people and definitions."""
        desk = Desk(self)
        try:
            yield desk
        finally:
            desk.close()

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def environment(self, database_url: str, broker_url: str) -> dict[str, str]:
        """Return the environment of a process of the desk, without the caller's own NESTOR variables."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "BLOB_URL": f"file:{self._logs / 'blobs'}",
            "REQUEST_LIMITS": "read=0,write=0,heavy=0,public=0",  # one key asks for everything here
            # A random text: a key that repeats a shorter text is refused.
            "SECRET_KEY": "bench-only-kZ3vQ8xT1mWc7RyLh5DnBf2Js9GpUa4E",
            "TICK_TOKEN": TICK_TOKEN,
            "TELEGRAM_API_URL": self.sandbox.bot_api_url,
            "NESTOR_SECRET_TELEGRAM_DEMO_TOKEN": "1000001:demo-bot-token",
            "NESTOR_SECRET_TELEGRAM_DEMO_SECRET_TOKEN": TELEGRAM_SECRET,
            "NESTOR_SECRET_EMAIL_DEMO_BEARER": TELEGRAM_SECRET,
            "NESTOR_SECRET_EMAIL_DEMO_SMTP_URL": self.sandbox.smtp_url,
        }


def run_module(module: str, environment: dict[str, str], *arguments: str) -> None:
    """Run one of the desk's commands to its end. Raises RuntimeError with its output."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module} ended with {done.returncode}: {done.stderr[-2_000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
