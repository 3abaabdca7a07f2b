"""The account of time at the end of a test run: wall clock and CPU seconds by folder, and the slowest files.

Wall seconds say what a person waits for, CPU seconds what a change costs on a machine that others use too. The CPU
seconds of a test are those of its process and of the processes that it started and waited for. A server that serves
many tests is waited for when it stops; its seconds have a line of their own.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

_files_shown_max = 10
_folder_depth = 2  # tests/queues, not tests/queues/channels/email
_WORKER_OUTPUT = "nestor_server_cpu"
Server = TypeVar("Server")


@dataclass
class Spent:
    """Tests and their seconds."""

    tests: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, other: Spent) -> None:
        """Add the other's sums to these."""
        self.tests += other.tests
        self.wall_s += other.wall_s
        self.cpu_s += other.cpu_s


@dataclass
class Account:
    """The sums of one session. `mark_s` is the CPU time of this process and its children up to which all is booked."""

    started_s: float = field(default_factory=time.monotonic)
    mark_s: float = field(default_factory=lambda: _cpu_s())
    by_file: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))
    by_server: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def cpu_since_mark(self) -> float:
        """The CPU seconds since the last call; the mark moves."""
        before, self.mark_s = self.mark_s, _cpu_s()
        return self.mark_s - before


_account = pytest.StashKey[Account]()


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@contextmanager
def long_lived(config: pytest.Config, label: str, server: AbstractContextManager[Server]) -> Iterator[Server]:
    """Enter a server of many tests; the CPU seconds of its processes go to `label`, not to the test that happens to be
    the last.
    """
    account = config.stash[_account]
    with ExitStack() as stack:
        running = stack.enter_context(server)
        try:
            yield running
        finally:
            before = _cpu_s()
            stack.close()
            spent = _cpu_s() - before
            account.by_server[label] += spent
            account.mark_s += spent


def pytest_configure(config: pytest.Config) -> None:
    account = config.stash[_account] = Account()
    if not hasattr(config, "workerinput"):  # a worker of pytest-xdist leaves the books to the main process
        config.pluginmanager.register(_Booking(account), "nestor-times")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    # An attribute of the report, because pytest-xdist carries a report's attributes to the main process.
    report.cpu_s = item.config.stash[_account].cpu_since_mark()
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_WORKER_OUTPUT] = dict(session.config.stash[_account].by_server)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the servers of a worker. A worker that crashed leaves none."""
    account = node.config.stash[_account]
    for label, cpu_s in getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT, {}).items():
        account.by_server[label] += cpu_s


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    account = config.stash[_account]
    if not account.by_file:
        return
    wall_s = time.monotonic() - account.started_s
    terminalreporter.write_sep("=", f"time: {wall_s:.0f} s on the wall")
    for line in _table(account):
        terminalreporter.write_line(line)


class _Booking:
    """Books the reports of the main process and of its workers."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        spent = self._account.by_file[report.nodeid.partition("::")[0]]
        spent.tests += report.when == "setup"
        spent.wall_s += report.duration
        spent.cpu_s += getattr(report, "cpu_s", 0.0)  # absent where pytest-xdist reports a worker's crash


def _table(account: Account) -> list[str]:
    by_folder: dict[str, Spent] = defaultdict(Spent)
    for file, spent in account.by_file.items():
        folder = "/".join(file.split("/")[:-1][:_folder_depth])
        by_folder[folder].add(spent)
    slowest = sorted(account.by_file.items(), key=lambda entry: -entry[1].wall_s)[:_files_shown_max]
    lines = [f"{'':60} {'tests':>6} {'wall s':>8} {'CPU s':>8}"]
    lines += [_row(folder, by_folder[folder]) for folder in sorted(by_folder)]
    lines += [f"{label:60} {'':6} {'':8} {cpu_s:8.1f}" for label, cpu_s in sorted(account.by_server.items())]
    total = Spent(cpu_s=sum(account.by_server.values()))
    for spent in by_folder.values():
        total.add(spent)
    lines.append(_row("all", total))
    lines.append("slowest files")
    lines += [_row(file, spent) for file, spent in slowest]
    return lines


def _row(label: str, spent: Spent) -> str:
    return f"{label:60} {spent.tests:6} {spent.wall_s:8.1f} {spent.cpu_s:8.1f}"
