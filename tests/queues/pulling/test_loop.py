"""Accounts that have to be asked are read by one process at a time, by somebody always, and their troubles are seen."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from models.channels import health, puller_leases
from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.settings import Settings
from queues import channels
from queues.pulling import loop
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.services.waiting import wait_until

_within_s = 20.0


class ScriptedPuller:
    """Stands for the demo mailbox's `pull.py`: waits until it is told to stop, or fails as told."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.calls = 0
        self.now = 0
        self.most_at_once = 0
        self.wanted = True
        self.poor: Settings | None = None  # whose process lacks what is needed
        self.trouble: Exception = ConfigurationError("credential x is missing")
        self._lock = threading.Lock()

    def wants(self, account: ChannelAccount) -> bool:
        return self.wanted and account.channel == "email"

    def pull(self, account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
        with self._lock:
            self.calls += 1
            self.now += 1
            self.most_at_once = max(self.most_at_once, self.now)
        try:
            if settings is self.poor:
                raise self.trouble
            if self.errors:
                raise self.errors.pop()
            health.report_well("email", account.name)
            stop.wait(idle_s)
        finally:
            with self._lock:
                self.now -= 1


@pytest.fixture
def puller(monkeypatch: pytest.MonkeyPatch) -> ScriptedPuller:
    made = ScriptedPuller()
    replace_part(monkeypatch, "puller", lambda channel: made if channel == "email" else None)
    monkeypatch.setattr(limits, "puller_pause_s", 0.01)
    return made


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start(desk: Desk, processes: ExitStack) -> loop.Pullers:
    """One process's pullers; ended with the test."""
    made = loop.Pullers(desk.settings, look_every_s=0.05)
    made.start()
    processes.callback(made.stop)
    return made


def test_of_two_processes_one_reads_the_account(desk: Desk, puller: ScriptedPuller, processes: ExitStack) -> None:
    both = [start(desk, processes), start(desk, processes)]

    wait_until(lambda: puller.now == 1, within_s=_within_s, what="reading")
    wait_until(lambda: all(one._thread and one._thread.is_alive() for one in both), within_s=1, what="two")

    assert sorted(len(one.reading()) for one in both) == [0, 1]
    assert puller.most_at_once == 1


def test_the_other_process_goes_on_at_once_when_the_reader_is_stopped(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack
) -> None:
    first = start(desk, processes)
    wait_until(lambda: puller.now == 1, within_s=_within_s, what="reading")
    second = start(desk, processes)

    first.stop()

    wait_until(lambda: second.reading() == {("email", "demo")}, within_s=_within_s, what="the takeover")
    wait_until(lambda: puller.calls == 2, within_s=_within_s, what="the second reader")
    assert puller.most_at_once == 1


def test_the_account_of_a_killed_process_is_read_after_its_lease_ran_out(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert puller_leases.take("email", "demo", holder="killed", lease_s=limits.puller_lease_s)
    looks: list[bool] = []
    take = puller_leases.take

    def counted(channel: str, account: str, *, holder: str, lease_s: float) -> bool:
        looks.append(take(channel, account, holder=holder, lease_s=lease_s))
        return looks[-1]

    monkeypatch.setattr(puller_leases, "take", counted)
    alive = start(desk, processes)
    wait_until(lambda: len(looks) > 2, within_s=_within_s, what="the first looks")

    before = (looks[:3], puller.calls)
    desk.advance(seconds=limits.puller_lease_s + 1)

    wait_until(lambda: alive.reading() == {("email", "demo")}, within_s=_within_s, what="the takeover")
    assert before == ([False, False, False], 0)


def test_a_trouble_is_shown_at_the_account_and_reading_goes_on(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack
) -> None:
    puller.errors = [ValueError("a secret of the server"), TransientFailure("the login was refused")]

    start(desk, processes)
    wait_until(lambda: health.of("email", "demo").told_at is not None, within_s=_within_s, what="the third call")
    told = health.of("email", "demo")

    assert told.error is None
    assert puller.calls == 3
    assert told.told["last_error"] == "reading failed (ValueError)"  # the later one; no secret of a stranger's error


def test_an_account_that_is_no_longer_wanted_is_left_and_its_lease_given_back(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack
) -> None:
    reader = start(desk, processes)
    wait_until(lambda: puller.now == 1, within_s=_within_s, what="reading")

    puller.wanted = False

    wait_until(lambda: reader.reading() == set() and puller.now == 0, within_s=_within_s, what="the end")
    wait_until(
        lambda: puller_leases.take("email", "demo", holder="other", lease_s=1), within_s=_within_s, what="the lease"
    )


def test_a_process_that_cannot_renew_stops_reading_before_another_may_begin(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "puller_lease_s", 0.5)
    reader = start(desk, processes)
    wait_until(lambda: puller.now == 1, within_s=_within_s, what="reading")

    def away(*_: object, **__: object) -> bool:
        raise TransientFailure("the database is away")

    monkeypatch.setattr(puller_leases, "take", away)

    wait_until(lambda: reader.reading() == set() and puller.now == 0, within_s=_within_s, what="the end")


def test_an_unforeseen_failure_of_a_look_does_not_end_the_looking(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "puller_lease_s", 0.5)
    reader = start(desk, processes)
    wait_until(lambda: puller.now == 1, within_s=_within_s, what="reading")

    def broken(account: ChannelAccount) -> bool:
        raise KeyError("imap_url")

    with monkeypatch.context() as patch:
        patch.setattr(puller, "wants", broken)
        wait_until(lambda: reader.reading() == set() and puller.now == 0, within_s=_within_s, what="the end")

    wait_until(lambda: puller.now == 1, within_s=_within_s, what="reading again")


def test_where_no_thread_can_be_started_another_process_reads(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    begin = threading.Thread.start

    def none_to_spare(thread: threading.Thread) -> None:
        if thread.name.startswith("pull ") and not refused:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", none_to_spare)
    poor = start(desk, processes)
    wait_until(lambda: len(refused) == 1, within_s=_within_s, what="the refusal")
    rich = start(desk, processes)

    wait_until(lambda: rich.reading() == {("email", "demo")}, within_s=_within_s, what="the takeover")

    assert poor.reading() == set()
    assert poor._thread is not None
    assert poor._thread.is_alive()


def test_where_a_channel_cannot_be_imported_another_process_reads(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = channels.load_all, threading.Event()

    def broken_once(channel: str) -> None:
        if not refused.is_set():
            refused.set()
            raise ImportError("too many open files")
        real(channel)

    monkeypatch.setattr(channels, "load_all", broken_once)
    poor = start(desk, processes)
    assert refused.wait(_within_s)
    rich = start(desk, processes)

    wait_until(lambda: rich.reading() == {("email", "demo")}, within_s=_within_s, what="the takeover")

    assert poor.reading() == set()
    assert poor._thread is not None
    assert poor._thread.is_alive()


@pytest.mark.parametrize(
    "trouble",
    [ConfigurationError("credential x is missing"), TransientFailure("the server cannot be reached")],
    ids=["a credential", "a way out"],
)
def test_a_process_that_lacks_something_lets_another_one_read(
    desk: Desk, puller: ScriptedPuller, processes: ExitStack, trouble: Exception
) -> None:
    puller.poor, puller.trouble = dataclasses.replace(desk.settings), trouble
    poor = loop.Pullers(puller.poor, look_every_s=0.05)
    poor.start()
    processes.callback(poor.stop)
    wait_until(lambda: puller.calls > 0, within_s=_within_s, what="the poor one's try")
    rich = start(desk, processes)

    wait_until(lambda: rich.reading() == {("email", "demo")}, within_s=_within_s, what="the takeover")
    wait_until(lambda: puller.now == 1, within_s=_within_s, what="reading")

    assert poor.reading() == set()
    wait_until(lambda: health.of("email", "demo").error is None, within_s=_within_s, what="health")
