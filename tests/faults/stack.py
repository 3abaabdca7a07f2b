"""A whole desk of real processes, on either stack, with clients for it and a sandbox that is never killed.

`EmbeddedDesk` is `python -m scripts.desk`; `RealDesk` is what production runs: two functions, two workers and a
scheduler on PostgreSQL and RabbitMQ. A watchdog starts again what ended, as Kubernetes or systemd would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from scripts.sandbox.client import SandboxProcess
from tests.faults import limits
from tests.faults.client import Client
from tests.faults.processes import ROOT, Program, end
from tests.faults.truth import Truth
from tests.services.folder import ServiceFolder
from tests.services.ports import accepts, free_port
from tests.services.waiting import wait_until

SECRET_KEY = "forty-two characters for the fault tests!!"
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "functions/gunicorn_conf.py"]
WORKER = [
    *(sys.executable, "-m", "queues.master"),
    *("-t", "8", "--queues", "default", "sends", "--worker-shutdown-timeout", "20000"),
]


class Desk:
    """What both stacks have in common."""

    stack = ""

    def __init__(self, sandbox: SandboxProcess, database_url: str, broker_url: str) -> None:
        self.sandbox = sandbox
        self.folder = ServiceFolder("desk")
        self.programs: dict[str, Program] = {}
        self.truth = Truth(database_url)
        self.seen: Counter[int] = Counter()  # statuses that clients saw; 0 for no answer
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NESTOR_")},
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "BLOB_URL": f"file:{self.folder.path / 'blobs'}",
            "SECRET_KEY": SECRET_KEY,
            "MONITOR_OPEN": "true",
            "NESTOR_BIND": "127.0.0.1",
            "TASK_LEASE_S": str(limits.task_lease_s),
            "TICK_TOKEN": "demo-secret",
            "TELEGRAM_API_URL": sandbox.bot_api_url,
            "NESTOR_SECRET_TELEGRAM_DEMO_TOKEN": "1000001:demo-bot-token",
            "NESTOR_SECRET_TELEGRAM_DEMO_SECRET_TOKEN": "demo-secret",
            "NESTOR_SECRET_EMAIL_DEMO_BEARER": "demo-secret",
            "NESTOR_SECRET_EMAIL_DEMO_SMTP_URL": sandbox.smtp_url,
            "NESTOR_SECRET_WEBHOOK_DEMO_BEARER": "demo-secret",
            "NESTOR_SECRET_WEBHOOK_DEMO_REPLY_URL": f"{sandbox.control_url}/hooks",
        }

    @property
    def logs(self) -> str:
        return str(self.folder.path)

    def api(self) -> Client:
        """A caller of /v1 with the demo's API key."""
        return Client(self.api_port, headers={"Authorization": "Bearer demo-key"}, seen=self.seen)

    def telegram(self) -> Client:
        """Telegram's servers."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": "demo-secret"}
        return Client(self.webhook_port, headers=headers, seen=self.seen)

    def mail(self) -> Client:
        """The mail server that hands us raw mails."""
        headers = {"Authorization": "Bearer demo-secret", "Content-Type": "message/rfc822"}
        return Client(self.webhook_port, headers=headers, seen=self.seen)

    api_port = webhook_port = 0

    def add(self, name: str, command: list[str], **environment: str) -> Program:
        """Add a program, not started."""
        program = Program(name, command, {**self.environment, **environment}, folder=self.folder)
        self.programs[name] = program
        return program

    def prepare(self) -> None:
        """Migrate, publish, seed, declare the queues."""
        command = [sys.executable, "-m", "scripts.bootstrap", "--demo"]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"bootstrap failed: {done.stdout}{done.stderr}"

    def start(self) -> None:
        """Start every program that does not run; returns when all answer."""
        for program in self.programs.values():
            if not program.running():
                program.start()
        self.wait_until_up()

    def wait_until_up(self) -> None:
        wait_until(self.answers, within_s=limits.start_s, what=f"the desk answering (logs: {self.logs})")

    def answers_soon(self, port: int) -> None:
        """Wait until one function answers."""
        wait_until(lambda: accepts(port), within_s=limits.start_s, what=f"port {port} answering")

    def answers(self) -> bool:
        """Return True if every function answers."""
        return all(accepts(port) for port in {self.api_port, self.webhook_port})

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, what ends is started again at once."""
        stopping = threading.Event()

        def watch() -> None:
            while not stopping.wait(limits.poll_s):
                for program in self.programs.values():
                    if not program.running():
                        program.start()

        thread = threading.Thread(target=watch, name="watchdog")
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def victims(self) -> list[tuple[float, str, list[psutil.Process]]]:
        """What can be killed now: weight, description, processes."""
        raise NotImplementedError

    def wait_until_drained(self, *, within_s: float = limits.drain_s) -> float:
        """Wait until no task is due or runs, and none follows for the event log; returns the seconds it took."""
        started = time.monotonic()
        wait_until(
            lambda: self.truth.work_left() == 0,
            within_s=within_s,
            what=f"the desk having done all its tasks (logs: {self.logs})",
        )
        return time.monotonic() - started

    def log_of(self, name: str) -> str:
        """All that a program wrote."""
        return self.programs[name].log.read_text(errors="replace")

    def kill_all(self) -> None:
        """kill -9 of everything at once."""
        end([process for program in self.programs.values() for process in program.tree()])
        for program in self.programs.values():
            if program.starts:
                program.wait()

    def close(self) -> None:
        """End everything and remove the logs; NESTOR_KEEP_LOGS names a folder that gets a copy of them."""
        for program in self.programs.values():
            if program.starts:
                program.close()
        if keep := os.environ.get("NESTOR_KEEP_LOGS"):
            shutil.copytree(self.folder.path, Path(keep) / self.folder.path.name)
        self.folder.close()

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.tell_logs()
        self.close()

    def tell_logs(self) -> None:
        """Print the end of every program's log, for a failure's report."""
        for name, program in self.programs.items():
            print(f"--- end of {name}.log (started {program.starts} times)\n{program.tail()}")


class EmbeddedDesk(Desk):
    """The desk of `./scripts/run`, without its own sandbox (which would die with it)."""

    stack = "sqlite + embedded"

    def __init__(self, sandbox: SandboxProcess) -> None:
        super().__init__(sandbox, "sqlite:///to-be-set", "embedded://")
        self.data_dir = self.folder.path / "data"
        self.data_dir.mkdir()
        self.environment["DATABASE_URL"] = f"sqlite:///{self.data_dir / 'nestor.db'}"
        self.truth = Truth(self.environment["DATABASE_URL"])
        self.api_port = self.webhook_port = free_port()
        command = [sys.executable, "-m", "scripts.desk", "--no-demo", "--port", str(self.api_port)]
        self.desk = self.add("supervisor", [*command, "--data-dir", str(self.data_dir)])

    def answers(self) -> bool:
        return accepts(self.api_port) and bool(self.api().once("GET", "/healthz").status)

    def victims(self) -> list[tuple[float, str, list[psutil.Process]]]:
        tree = [p for p in self.desk.tree() if p.is_running()]
        servers = [p for p in tree[1:] if "gunicorn" in " ".join(_command_line(p))]
        if len(servers) < 2:  # it is starting: all or nothing
            return [(1.0, "everything, while starting", tree)] if tree else []
        return [
            (0.5, "the working process", servers[1:]),
            (0.25, "gunicorn", servers),
            (0.25, "everything", tree),
        ]

    def log_of(self, name: str) -> str:
        path = self.data_dir / "desk.log" if name == "desk" else self.programs[name].log
        return path.read_text(errors="replace")

    def tell_logs(self) -> None:
        super().tell_logs()
        print("--- end of desk.log\n" + "\n".join(self.log_of("desk").splitlines()[-25:]))


class RealDesk(Desk):
    """PostgreSQL, RabbitMQ, and a process for each part."""

    stack = "postgresql + rabbitmq"

    def __init__(
        self,
        sandbox: SandboxProcess,
        *,
        database_url: str,
        broker_url: str,
        workers: int = 2,
        schedulers: int = 1,
        http_workers: int = 1,
        environment: dict[str, str] | None = None,
    ) -> None:
        super().__init__(sandbox, database_url, broker_url)
        self.environment.update(environment or {})
        self.api_port, self.webhook_port = free_port(), free_port()
        for name, port in (("gateway", self.api_port), ("webhooks", self.webhook_port)):
            command = [*GUNICORN, f"functions.{name}.app:create_app()"]
            self.add(name, command, PORT=str(port), HTTP_WORKERS=str(http_workers))
        for number in range(1, workers + 1):
            self.add(f"worker{number}", WORKER)
        for number in range(1, schedulers + 1):
            self.add(f"scheduler{number}", [sys.executable, "-m", "queues.scheduler"])

    @property
    def workers(self) -> list[Program]:
        return [program for name, program in self.programs.items() if name.startswith("worker")]

    def victims(self) -> list[tuple[float, str, list[psutil.Process]]]:
        found: list[tuple[float, str, list[psutil.Process]]] = []
        for name, program in self.programs.items():
            tree = program.tree()
            weight = 1.0 if name.startswith("worker") else 0.5  # a worker dies in more interesting places
            if tree:
                found.append((weight, f"{name}, all of it", tree))
            if len(tree) > 1:
                found.append((weight, f"{name}'s working process", tree[1:]))
        return found


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []
