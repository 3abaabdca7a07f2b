"""A mailbox that is watched: IDLE, polling, a server that restarts, two processes at once."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from models.channels import accounts, health, positions, puller_leases
from models.channels.accounts import ChannelAccount
from models.kernel.errors import TransientFailure
from models.kernel.storage import database
from queues.channels.email import reach
from queues.channels.email.imap import limits
from queues.channels.email.imap.mailbox import Mailbox as Connection
from queues.channels.email.imap.pulling import Pulled, pull
from queues.embedded import EmbeddedWorkers
from queues.pulling import accounts as asking
from queues.pulling import loop
from tests.desk import Desk
from tests.queues.channels.email.imap.mails import mail, stored, titles, within_s
from tests.queues.channels.email.imap.reading_once import pull_once
from tests.services.dovecot import DovecotServer, Mailbox
from tests.services.waiting import wait_until


class Reader:
    """`pull` in a thread, as a process runs it."""

    def __init__(self, account: ChannelAccount, desk: Desk) -> None:
        self.stop = threading.Event()
        self.error: TransientFailure | None = None
        self._thread = threading.Thread(target=self._run, args=(account, desk), name="reader", daemon=True)
        self._thread.start()

    def _run(self, account: ChannelAccount, desk: Desk) -> None:
        try:
            pull(account, desk.settings, self.stop, 600.0)
        except TransientFailure as error:
            self.error = error

    def end(self) -> None:
        self.stop.set()
        self.join()

    def join(self) -> None:
        self._thread.join(within_s)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_idle_notices_a_new_mail_without_asking(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "round_s", 600.0)  # only the server's word can end the wait
    waits: list[bool] = []
    wait = Connection.wait

    def counted(connection: Connection, stop: threading.Event, for_s: float, *, idle: bool) -> None:
        waits.append(idle)
        wait(connection, stop, for_s, idle=idle)

    monkeypatch.setattr(Connection, "wait", counted)
    reader = Reader(account, desk)
    wait_until(lambda: waits == [True], within_s=within_s, what="waiting")

    for number in (1, 2):
        imap_server.deliver(mailbox, mail(number))
        wait_until(lambda n=number: stored(desk) == n, within_s=within_s, what="the mail")  # type: ignore[misc]

    reader.end()
    assert reader.error is None
    assert imap_server.unseen(mailbox) == 0
    assert titles(desk) == ["Trouble 1", "Trouble 2"]


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_without_idle_the_mailbox_is_asked_again_and_again(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "round_s", 0.05)
    polled = dataclasses.replace(account, config={**account.config, "imap_idle": False})
    reader = Reader(polled, desk)
    wait_until(lambda: positions.get(account, "INBOX") is not None, within_s=within_s, what="the first look")

    imap_server.deliver(mailbox, mail(1))

    wait_until(lambda: stored(desk) == 1, within_s=within_s, what="the mail")
    reader.end()
    assert titles(desk) == ["Trouble 1"]


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_server_that_restarts_during_a_wait_is_reported_and_read_again(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    reader = Reader(account, desk)
    wait_until(lambda: positions.get(account, "INBOX") is not None, within_s=within_s, what="the first look")

    imap_server.stop()
    reader.join()
    with pytest.raises(TransientFailure, match="connecting failed"):
        pull_once(account, desk.settings)
    imap_server.start()
    imap_server.deliver(mailbox, mail(1))

    assert reader.error is not None
    assert "ended the connection" in reader.error.message or "failed" in reader.error.message
    assert pull_once(account, desk.settings) == Pulled(stored=1)


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_two_processes_read_one_mailbox_by_one_connection_and_a_wrong_password_is_shown(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "every", lambda: [account])
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", mailbox.url.replace(mailbox.password, "wrong-one"))
    both = [loop.Pullers(desk.settings, look_every_s=0.05) for _ in range(2)]
    for one in both:
        one.start()

    wait_until(lambda: health.of("email", "demo").error is not None, within_s=within_s, what="the error")
    shown = health.of("email", "demo").error
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", mailbox.url)
    wait_until(lambda: health.of("email", "demo").error is None, within_s=within_s, what="the mended login")
    imap_server.deliver(mailbox, mail(1))
    wait_until(lambda: stored(desk) == 1, within_s=within_s, what="the mail")
    reading = sorted(len(one.reading()) for one in both)
    for one in both:
        one.stop()

    assert shown is not None
    assert shown.startswith("the mailbox refused the login")
    assert reading == [0, 1]
    assert titles(desk) == ["Trouble 1"]
    with database.connection():
        assert database.run("SELECT * FROM puller_leases") == []


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_an_embedded_desk_reads_its_mailbox_by_itself(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "every", lambda: [account])
    imap_server.deliver(mailbox, mail(1))
    workers = EmbeddedWorkers(desk.settings)

    workers.start()
    try:
        wait_until(lambda: len(desk.tickets()) == 1, within_s=within_s, what="the ticket")
    finally:
        workers.stop(timeout_s=10)

    assert [ticket.title for ticket in desk.tickets()] == ["Trouble 1"]


def test_a_sleeping_desk_reads_its_mailbox_when_the_tick_asks(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "every", lambda: [account])
    imap_server.deliver(mailbox, mail(1))

    asked = [asking.ask_for_pulls(), asking.ask_for_pulls()]
    found = titles(desk)
    watched = puller_leases.take("email", "demo", holder="a process that lives", lease_s=60)

    assert asked == [1, 0]  # the second tick finds the first one's task
    assert found == ["Trouble 1"]
    assert imap_server.unseen(mailbox) == 0
    assert watched  # given back by the task
    assert asking.ask_for_pulls() == 0


def test_a_tick_that_finds_a_wrong_password_shows_it_and_is_not_repeated(
    desk: Desk, account: ChannelAccount, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "every", lambda: [account])
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", mailbox.url.replace(mailbox.password, "wrong-one"))

    asking.ask_for_pulls()
    outcomes = desk.run_due()

    assert outcomes == ["done"]
    assert (health.of("email", "demo").error or "").startswith("the mailbox refused the login")


def test_the_operators_test_logs_in_and_leaves_everything_unseen(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imap_server.deliver(mailbox, mail(1))

    well = reach._imap(account, desk.settings)
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", mailbox.url.replace(mailbox.password, "wrong-one"))
    refused = reach._imap(account, desk.settings)

    assert (well.ok, well.text) == (True, "IMAP: INBOX has 1 mails")
    assert not refused.ok
    assert "refused the login" in refused.text
    assert imap_server.unseen(mailbox) == 1
