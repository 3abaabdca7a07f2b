"""Reading a mailbox of a real IMAP server: every mail once, seen only after the commit, whatever happens in between."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from models.channels import health, positions
from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.limits import MIB
from queues.channels.email.imap import limits
from queues.channels.email.imap.mailbox import Mailbox as Connection
from queues.channels.email.imap.mailbox import Refused
from queues.channels.email.imap.pulling import Pulled
from queues.channels.email.judging.automatic import DESK_HEADER, desk_id
from tests.desk import Desk
from tests.queues.channels.email.imap.mails import mail, stored, titles, within_s
from tests.queues.channels.email.imap.reading_once import pull_once
from tests.services.dovecot import DovecotServer, Mailbox


def position(account: ChannelAccount, folder: str = "INBOX") -> dict[str, Any]:
    found = positions.get(account, folder)
    assert found is not None
    return found


def test_a_new_mail_becomes_one_ticket_and_is_seen_once_it_is_stored(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    pull_once(account, desk.settings)
    imap_server.deliver(mailbox, mail(1))

    first = pull_once(account, desk.settings)
    second = pull_once(account, desk.settings)

    assert (first, second) == (Pulled(stored=1), Pulled())
    assert imap_server.unseen(mailbox) == 0
    assert titles(desk) == ["Trouble 1"]
    assert health.of("email", "demo").told == {"folder": "INBOX", "messages": 1}


def test_of_an_old_mailbox_only_what_nobody_has_seen_is_read(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    imap_server.deliver(mailbox, mail(1), mail(2), flags=(b"\\Seen",))
    imap_server.deliver(mailbox, mail(3))

    pull_once(account, desk.settings)
    imap_server.deliver(mailbox, mail(4), flags=(b"\\Seen",))  # somebody reads the mailbox beside us
    pull_once(account, desk.settings)

    assert titles(desk) == ["Trouble 3", "Trouble 4"]


def test_the_same_mail_twice_in_the_mailbox_is_one_event(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    imap_server.deliver(mailbox, mail(1), mail(1))

    assert pull_once(account, desk.settings) == Pulled(stored=1, repeats=1)
    assert titles(desk) == ["Trouble 1"]


@pytest.mark.parametrize("tls_first", [False, True], ids=["starttls", "imaps"])
def test_both_kinds_of_tls_are_checked(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tls_first: bool,
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", mailbox.tls_url if tls_first else mailbox.url)
    imap_server.deliver(mailbox, mail(1))
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    stranger = dataclasses.replace(account, config={**account.config, "imap_ca_file": str(other)})

    with pytest.raises(TransientFailure, match="certificate is not good"):
        pull_once(stranger, desk.settings)

    assert pull_once(account, desk.settings) == Pulled(stored=1)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("imap://user@", "expected imap://"),
        ("http://user:secret@host", "expected imap://"),
        ("imap://user:secret@host:port", "expected imap://"),
        ("imap://127.0.0.1", "expected imap://"),
    ],
)
def test_a_wrong_url_is_said_without_repeating_it(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", url)

    with pytest.raises(ConfigurationError, match=said) as refused:
        pull_once(account, desk.settings)

    assert "secret" not in refused.value.message


def test_a_wrong_password_is_reported_without_the_password(
    desk: Desk, account: ChannelAccount, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", mailbox.url.replace(mailbox.password, "wrong-one"))

    with pytest.raises(TransientFailure, match="the mailbox refused the login") as refused:
        pull_once(account, desk.settings)

    assert "wrong-one" not in refused.value.message
    assert mailbox.user not in refused.value.message


def test_a_folder_that_is_not_there_is_told(desk: Desk, account: ChannelAccount, mailbox: Mailbox) -> None:
    elsewhere = dataclasses.replace(account, config={**account.config, "imap_folder": "Поддержка"})

    with pytest.raises(TransientFailure, match="the folder Поддержка"):
        pull_once(elsewhere, desk.settings)


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_process_that_is_killed_around_the_commit_loses_nothing_and_doubles_nothing(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox, point: str
) -> None:
    pull_once(account, desk.settings)
    imap_server.deliver(mailbox, mail(1), mail(2))
    command = [sys.executable, "-m", "tests.queues.channels.email.imap.once", str(imap_server.ca_file)]

    killed = subprocess.run(command, env={**os.environ, "CRASH_AT": point}, timeout=within_s, check=False)
    unseen = imap_server.unseen(mailbox)
    kept = stored(desk)
    again = pull_once(account, desk.settings)

    assert killed.returncode == 137
    assert (unseen, kept) == (2, 0 if point == "before_commit" else 1)  # never seen before it is stored
    assert again == Pulled(stored=2 - kept)
    assert imap_server.unseen(mailbox) == 0  # also the one that the killed process had stored
    assert titles(desk) == ["Trouble 1", "Trouble 2"]


def test_a_folder_whose_numbers_changed_is_read_again_without_doubles(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    desk_folder = dataclasses.replace(account, config={**account.config, "imap_folder": "Desk"})
    with imap_server.client(mailbox) as client:
        client.create_folder("Desk")
        pull_once(desk_folder, desk.settings)
    imap_server.deliver(mailbox, mail(1), mail(2), folder="Desk")
    pull_once(desk_folder, desk.settings)
    before = position(account, "Desk")["uidvalidity"]

    with imap_server.client(mailbox) as client:  # moved to another server: other numbers, one mail more
        client.delete_folder("Desk")
        client.create_folder("Desk")
    imap_server.deliver(mailbox, mail(1), mail(2), folder="Desk", flags=(b"\\Seen",))
    imap_server.deliver(mailbox, mail(3), folder="Desk")
    again = pull_once(desk_folder, desk.settings)

    assert position(account, "Desk")["uidvalidity"] != before
    assert again == Pulled(stored=1, repeats=2)
    assert titles(desk) == ["Trouble 1", "Trouble 2", "Trouble 3"]


def test_mails_that_were_deleted_or_moved_meanwhile_are_passed_by(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imap_server.deliver(mailbox, mail(1), mail(2), mail(3))
    sizes = Connection.sizes

    def sizes_then_gone(connection: Connection, uids: list[int]) -> dict[int, int]:
        found = sizes(connection, uids)
        with imap_server.client(mailbox) as client:
            client.select_folder("INBOX")
            client.delete_messages(uids[1:2])
            client.expunge()
        return found

    monkeypatch.setattr(Connection, "sizes", sizes_then_gone)
    pulled = pull_once(account, desk.settings)

    assert pulled == Pulled(stored=2)
    assert titles(desk) == ["Trouble 1", "Trouble 3"]


def test_a_mail_of_20_megabytes_is_read_whole(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    large = mail(1, size=20 * MIB)
    imap_server.deliver(mailbox, large)

    pull_once(account, desk.settings)

    (row,) = desk.rows("SELECT status, length(raw) AS size FROM inbox")
    assert (row["status"], row["size"]) == ("stored", len(large))


def test_a_mail_over_the_limit_is_kept_by_its_beginning_and_shown(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "mail_bytes_max", 2 * MIB)
    imap_server.deliver(mailbox, mail(1, size=3 * MIB), mail(2))

    pulled = pull_once(account, desk.settings)
    again = pull_once(account, desk.settings)

    (row,) = desk.rows("SELECT reason, raw FROM inbox WHERE status = 'failed'")
    assert (pulled, again) == (Pulled(stored=1, failed=1), Pulled())
    assert row["reason"] == "the mail has 3 MiB, more than 2; its beginning is kept"
    assert bytes(row["raw"]) == mail(1, size=3 * MIB)[: limits.cut_bytes]
    assert titles(desk) == ["Trouble 2"]


def test_a_mail_that_the_server_will_not_give_is_shown_and_does_not_stop_the_others(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imap_server.deliver(mailbox, mail(1), mail(2))
    fetch = Connection.fetch

    def refuse_the_first(connection: Connection, uid: int, bytes_max: int) -> bytes | None:
        if uid == 1:
            raise Refused("fetching a mail: [SERVERBUG] Internal error occurred")
        return fetch(connection, uid, bytes_max)

    monkeypatch.setattr(Connection, "fetch", refuse_the_first)
    for _ in range(limits.tries_max - 1):
        with pytest.raises(TransientFailure, match="Internal error"):
            pull_once(account, desk.settings)
    pulled = pull_once(account, desk.settings)

    (row,) = desk.rows("SELECT reason FROM inbox WHERE status = 'failed'")
    assert pulled == Pulled(stored=1, failed=1)
    assert row["reason"].startswith("the mail server would not give this mail")
    assert titles(desk) == ["Trouble 2"]


def test_a_copy_of_our_own_mail_makes_no_ticket(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    imap_server.deliver(mailbox, marked(mail(1, sender="desk@example.test")))

    assert pull_once(account, desk.settings) == Pulled(stored=1)
    assert titles(desk) == []


def test_a_colleagues_mail_from_the_desks_address_makes_a_ticket_and_gets_no_automatic_answer(
    desk: Desk, account: ChannelAccount, imap_server: DovecotServer, mailbox: Mailbox
) -> None:
    """Only our mark or a Message-ID of ours makes a mail a copy; people write with the address as well."""
    imap_server.deliver(mailbox, mail(1, sender="desk@example.test"))

    assert pull_once(account, desk.settings) == Pulled(stored=1)
    assert titles(desk) == ["Trouble 1"]
    assert desk.sent == []


def marked(raw: bytes) -> bytes:
    """Return the mail with the mark that the desk adds to each mail that it sends from its address."""
    return f"{DESK_HEADER}: {desk_id('desk@example.test')}\r\n".encode() + raw
