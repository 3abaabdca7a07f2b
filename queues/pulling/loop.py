"""The readers of pulled accounts (a mailbox by IMAP, a bot without a public address): one thread for each account of
the desk.

A channel with such accounts has a puller (the `Puller` protocol). Every long-lived process runs this loop; the process
that holds the account's lease reads it, and another takes over when it ends. A desk that sleeps has no such process:
there each tick makes a `pull_account` task, which wakes a worker.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from uuid import uuid4

import peewee

from models.channels import health, puller_leases
from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.telemetry import logs
from queues import channels
from queues.pulling import accounts

log = logs.get("pullers")


def holder_name() -> str:
    """Return a unique name of this process as a lease holder, readable for people."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


@dataclass
class _Reader:
    """The thread that reads one account while this process holds its lease."""

    account: ChannelAccount
    # On the monotonic clock: from then on another process may hold the lease.
    lost_at_s: float
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Pullers:
    """Reads every pulled account whose lease this process holds."""

    def __init__(self, settings: Settings, *, look_every_s: float = limits.puller_look_every_s) -> None:
        self._settings = settings
        self._look_every_s = look_every_s
        self._holder = holder_name()
        self._stop = threading.Event()
        self._readers: dict[tuple[str, str], _Reader] = {}
        # Accounts that this process leaves to others, and until when.
        self._left_until_s: dict[tuple[str, str], float] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start looking for accounts in the background; needs no database yet."""
        self._thread = threading.Thread(target=self._check_until_stopped, name="pullers", daemon=True)
        self._thread.start()

    def stop(self, *, timeout_s: float = limits.puller_stop_s) -> None:
        """End all readers within `timeout_s` and give the leases back, so that another process continues at once."""
        self._stop.set()
        deadline = time.monotonic() + timeout_s
        if self._thread is not None:
            self._thread.join(timeout_s)
        # The looking thread may still wait for the database.
        readers = self._readers.copy()
        for reader in readers.values():
            reader.stop.set()
        for (channel, name), reader in readers.items():
            if reader.thread is not None:
                reader.thread.join(max(0.0, deadline - time.monotonic()))
                if reader.thread.is_alive():
                    # It may still store events: its lease expires later.
                    continue
            self._give_back(channel, name)

    def reading(self) -> set[tuple[str, str]]:
        """Return the accounts (channel, name) that this process reads now."""
        return {name for name, reader in self._readers.copy().items() if not reader.stop.is_set()}

    def _check_until_stopped(self) -> None:
        while True:
            try:
                self._check()
            except (NestorError, peewee.PeeweeException) as error:
                # The database is away or slow: readers whose lease cannot be renewed in time end below.
                log.warning("pullers_not_renewed", error=type(error).__name__)
            except Exception as error:
                # The root of a thread: without it no account is read and no lease renewed.
                log.error("pullers_look_failed", exc_info=error)
            now = time.monotonic()
            for reader in list(self._readers.values()):
                if now >= reader.lost_at_s:
                    reader.stop.set()
            if self._stop.wait(self._look_every_s):
                return

    def _check(self) -> None:
        """Renew the leases of readers, start readers for free accounts, and end readers of removed
        or changed accounts.
        """
        with database.connection():
            wanted = {(a.channel, a.name): a for a in accounts.pulled_accounts()}
            for name, reader in list(self._readers.items()):
                account = wanted.get(name)
                if account is None or account.version != reader.account.version:
                    reader.stop.set()
                if reader.stop.is_set() and (reader.thread is None or not reader.thread.is_alive()):
                    del self._readers[name]
                    self._give_back(*name)
            for name, account in wanted.items():
                try:
                    self._keep(name, account)
                except (RuntimeError, ImportError) as error:
                    # This reader could not start. The others are renewed all the same.
                    log.warning("puller_not_started", channel=name[0], account=name[1], error=type(error).__name__)

    def _keep(self, name: tuple[str, str], account: ChannelAccount) -> None:
        reader = self._readers.get(name)
        if reader is not None and reader.stop.is_set():
            # It is ending; the next look starts a new one.
            return
        if reader is None and time.monotonic() < self._left_until_s.get(name, 0.0):
            return
        before = time.monotonic()
        if not puller_leases.take(*name, holder=self._holder, lease_s=limits.puller_lease_s):
            if reader is not None:
                reader.stop.set()
            return
        lost_at_s = before + limits.puller_lease_s
        if reader is not None:
            reader.lost_at_s = lost_at_s
            return
        reader = _Reader(account, lost_at_s)
        reader.thread = threading.Thread(target=self._read, args=(reader,), name=f"pull {name[0]}", daemon=True)
        self._readers[name] = reader
        try:
            # This one thread imports the channel, before the readers of several accounts need it.
            channels.load_all(account.channel)
            reader.thread.start()
        except (RuntimeError, ImportError):
            # This process has no free thread or file descriptor; perhaps another process has.
            del self._readers[name]
            self._left_until_s[name] = time.monotonic() + limits.puller_pause_s_max
            self._give_back(*name)
            raise

    def _give_back(self, channel: str, name: str) -> None:
        try:
            puller_leases.give_back(channel, name, holder=self._holder)
        except (NestorError, peewee.PeeweeException) as error:  # it runs out by itself
            log.warning("puller_lease_not_given_back", channel=channel, account=name, error=type(error).__name__)

    def _read(self, reader: _Reader) -> None:
        """Read until `stop` is set. The account shows an error, and the pause after it grows.

        After several failures another process tries: it may have a credential or a network route that this one lacks.
        """
        account, failures = reader.account, 0
        puller = channels.complete(account.channel).puller
        assert puller is not None, "only accounts that are pulled have a reader"
        log.info("puller_started", channel=account.channel, account=account.name)
        while not reader.stop.is_set():
            began = time.monotonic()
            try:
                puller.pull(account, self._settings, reader.stop, limits.puller_idle_s)
            except Exception as error:  # noqa: BLE001 -- the root of a thread: an account must not go unread for one strange answer
                if time.monotonic() - began > limits.puller_pause_s_max:
                    # It worked for a while.
                    failures = 0
                failures += 1
                report(account, error)
                if failures >= limits.puller_failures_max or isinstance(error, ConfigurationError):
                    name = (account.channel, account.name)
                    self._left_until_s[name] = time.monotonic() + limits.puller_pause_s_max
                    reader.stop.set()
            else:
                failures = 0
            pause_s = min(limits.puller_pause_s_max, limits.puller_pause_s * 2.0 ** min(failures, 20))
            reader.stop.wait(pause_s if failures else 0.0)
        log.info("puller_stopped", channel=account.channel, account=account.name)


def report(account: ChannelAccount, error: Exception) -> None:
    """Show at the account why it could not be read: our own error's message, or the type of another exception."""
    ours = isinstance(error, NestorError)
    log.warning(
        "pull_failed",
        channel=account.channel,
        account=account.name,
        error=error.code if isinstance(error, NestorError) else type(error).__name__,
        exc_info=not ours,
    )
    text = error.message if isinstance(error, NestorError) else f"reading failed ({type(error).__name__})"
    try:
        health.report_error(account.channel, account.name, text)
    except (NestorError, peewee.PeeweeException) as away:
        log.warning("pull_failure_not_kept", error=type(away).__name__)
