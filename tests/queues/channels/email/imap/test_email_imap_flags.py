"""Mails that a person deleted, drafts, and, if the account says so, mails flagged as junk are not read."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel.telemetry import metrics
from queues.channels.email.imap import flags
from queues.channels.email.imap.pulling import Pulled
from tests.desk import Desk
from tests.queues.channels.email.imap.broken import BrokenServer
from tests.queues.channels.email.imap.mails import mail, titles
from tests.queues.channels.email.imap.reading_once import pull_once
from tests.services.dovecot import DovecotServer, Mailbox

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def skipping_junk(account: ChannelAccount) -> ChannelAccount:
    return dataclasses.replace(account, config={**account.config, "imap_junk": "skip"})


def skipped_so_far() -> float:
    return float(metrics.inbox_events.labels("email", "skipped")._value.get())


@pytest.mark.parametrize("flag", [b"\\Deleted", b"\\Draft"])
def test_a_deleted_mail_and_a_draft_become_no_tickets_and_stay_unseen(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox, flag: bytes
) -> None:
    pull_once(account, desk.settings)
    imap_server.deliver(mailbox, mail(1))
    imap_server.deliver(mailbox, mail(2), flags=(flag,))
    imap_server.deliver(mailbox, mail(3))
    before = skipped_so_far()

    pulled = [pull_once(account, desk.settings) for _ in range(2)]

    assert pulled == [Pulled(stored=2, skipped=1), Pulled()]
    assert titles(desk) == ["Trouble 1", "Trouble 3"]
    assert imap_server.unseen(mailbox) == 1
    assert skipped_so_far() == before + 1


def test_a_skipped_mail_at_the_end_of_the_folder_is_counted_once_and_holds_nothing_back(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    pull_once(account, desk.settings)
    imap_server.deliver(mailbox, mail(1), flags=(b"\\Deleted", b"\\Seen"))

    first, second = (pull_once(account, desk.settings) for _ in range(2))
    imap_server.deliver(mailbox, mail(2))
    third = pull_once(account, desk.settings)

    assert (first, second, third) == (Pulled(skipped=1), Pulled(), Pulled(stored=1))
    assert titles(desk) == ["Trouble 2"]


def test_the_drafts_of_an_old_mailbox_are_not_read_either(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    imap_server.deliver(mailbox, mail(1), flags=(b"\\Draft",))
    imap_server.deliver(mailbox, mail(2))

    assert pull_once(account, desk.settings) == Pulled(stored=1, skipped=1)
    assert titles(desk) == ["Trouble 2"]


@pytest.mark.parametrize("keyword", [b"$Junk", b"Junk"])
def test_mail_flagged_as_junk_is_read_unless_the_account_skips_it(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox, keyword: bytes
) -> None:
    pull_once(account, desk.settings)
    imap_server.deliver(mailbox, mail(1), flags=(keyword,))
    read = pull_once(account, desk.settings)
    imap_server.deliver(mailbox, mail(2), flags=(keyword,))
    imap_server.deliver(mailbox, mail(3), flags=(keyword, b"$NotJunk"))

    skipped = pull_once(skipping_junk(account), desk.settings)

    assert (read, skipped) == (Pulled(stored=1), Pulled(stored=1, skipped=1))
    assert titles(desk) == ["Trouble 1", "Trouble 3"]


def test_a_server_that_refuses_to_tell_the_flags_loses_no_mail(
    desk: Desk, broken_account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BrokenServer(FLAGS=b"{tag} NO not now\r\n") as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)

        assert pull_once(broken_account, desk.settings) == Pulled(stored=1)


@pytest.fixture
def broken_account(account: ChannelAccount) -> ChannelAccount:
    config: dict[str, Any] = {key: value for key, value in account.config.items() if key != "imap_ca_file"}
    return dataclasses.replace(account, config=config)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((b"\\DELETED",), "deleted"),
        ((b"\\Draft", b"\\Seen"), "draft"),
        ((b"$JUNK",), "junk"),
        ((b"Junk", b"NonJunk"), None),
        ((b"\\Seen", b"\\Flagged", b"Junkyard"), None),
        ((), None),
    ],
)
def test_flags_are_compared_without_case_and_as_a_whole(
    account: ChannelAccount, given: tuple[bytes, ...], reason: str | None
) -> None:
    assert flags.reason_to_skip(given, skipping_junk(account)) == reason
    assert reason is None or reason in flags.SKIP_REASONS
