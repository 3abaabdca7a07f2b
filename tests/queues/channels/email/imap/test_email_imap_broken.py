"""Servers that break every rule: a failure with words, within bounded time, and never the password
or the wrong mail.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import trustme

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.kernel.errors import TransientFailure
from models.kernel.storage import database
from queues.channels.email.imap import limits
from queues.channels.email.imap.pulling import Pulled
from tests.desk import Desk
from tests.queues.channels.email.imap.broken import HANG_UP, MAIL, BrokenServer
from tests.queues.channels.email.imap.reading_once import pull_once

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

BROKEN = {
    "another protocol": ({"greeting": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "connecting"),
    "no greeting": ({"greeting": HANG_UP}, "connecting"),
    "silence": ({"greeting": b"* OK"}, "connecting failed (TimeoutError)"),
    "an endless line": ({"CAPABILITY": b"* " + b"x" * 3_000_000 + b"\r\n"}, "connecting"),
    "hangs up at the login": ({"LOGIN": HANG_UP}, "ended the connection"),
    "a login with another tag": ({"LOGIN": b"wrong OK done\r\n"}, "the login"),
    "no folder": ({"SELECT": b"{tag} NO [NONEXISTENT] none for <ada@example.test>\r\n"}, "[address]"),
    "no uidvalidity": ({"SELECT": b"* 1 EXISTS\r\n{tag} OK done\r\n"}, "no UIDVALIDITY"),
    "words for numbers": (
        {"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY many] x\r\n* OK [UIDNEXT x] x\r\n{tag} OK done\r\n"},
        "INBOX",
    ),
    "a search of words": ({"SEARCH": b"* SEARCH one two\r\n{tag} OK done\r\n"}, "the search"),
    "sizes of words": ({"SIZE": b"* 1 FETCH (UID 1 RFC822.SIZE many)\r\n{tag} OK done\r\n"}, "sizes"),
    "half a list": ({"SIZE": b"* 1 FETCH (UID 1 RFC822.SIZE ((\r\n{tag} OK done\r\n"}, "sizes"),
    "half a mail": ({"BODY": b"* 1 FETCH (UID 1 BODY[]<0> {999}\r\nFrom: a"}, "fetching a mail"),
    "a mail, then nothing": ({"BODY": HANG_UP}, "ended the connection"),
}


@pytest.fixture
def account(desk: Desk) -> ChannelAccount:
    with database.connection():
        found = accounts.find("email", "demo")
    keys = {"provider": "imap", "imap_url": {"secret": "test_imap_url"}}
    return dataclasses.replace(found, config={**found.config, **keys})


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_a_failure_that_people_can_read(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(limits, "read_s", 1.0)
    monkeypatch.setattr(limits, "connect_s", 1.0)
    answers, said = BROKEN[name]
    with BrokenServer(**answers) as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        with pytest.raises(TransientFailure) as failed:
            pull_once(account, desk.settings)

    assert said in failed.value.message
    assert "secret" not in failed.value.message
    assert "ada@" not in failed.value.message
    assert len(failed.value.message) < 400
    assert desk.rows("SELECT id FROM inbox") == []


def test_a_mailbox_of_the_small_server_is_read(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the other tests break works when it is whole."""
    with BrokenServer() as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        pulled = pull_once(account, desk.settings)

    (row,) = desk.rows("SELECT raw FROM inbox")
    assert pulled == Pulled(stored=1)
    assert bytes(row["raw"]) == MAIL
    assert server.heard[-4:] == ["SEARCH", "FLAGS", "STORE", "LOGOUT"]


def test_a_folder_that_may_only_be_read_is_read_all_the_same(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BrokenServer(STORE=b"{tag} NO [READ-ONLY] no\r\n") as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        pulled = [pull_once(account, desk.settings) for _ in range(2)]

    assert pulled == [Pulled(stored=1), Pulled()]


def test_a_connection_lost_while_marking_leaves_the_marking_to_the_next_reading(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BrokenServer(STORE=HANG_UP) as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        with pytest.raises(TransientFailure, match="ended the connection"):
            pull_once(account, desk.settings)
    with BrokenServer() as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        pulled = pull_once(account, desk.settings)

    assert pulled == Pulled()  # it was stored
    assert "STORE" in server.heard


def test_a_mail_larger_than_the_server_says_is_kept_by_its_beginning(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "mail_bytes_max", len(MAIL) - 10)
    small = b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n{tag} OK done\r\n"
    with BrokenServer(SIZE=small) as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        pulled = pull_once(account, desk.settings)

    assert pulled == Pulled(failed=1)


TWO = {
    "SELECT": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 3] x\r\n{tag} OK [READ-WRITE] done\r\n",
    "SEARCH": b"* SEARCH 1 2\r\n{tag} OK done\r\n",
    "SIZE": b"* 1 FETCH (UID 1 RFC822.SIZE 90)\r\n* 2 FETCH (UID 2 RFC822.SIZE 90)\r\n{tag} OK done\r\n",
    "BODY 2": b"* 2 FETCH (UID 2 BODY[]<0> {%d}\r\n" % len(MAIL) + MAIL + b")\r\n{tag} OK done\r\n",
}


@pytest.mark.parametrize(
    ("answer", "failures"),
    [
        pytest.param(HANG_UP, limits.lost_tries_max, id="hangs up"),
        pytest.param(b"* 1 FETCH (UID 1 ((\r\n{tag} OK x\r\n", limits.lost_tries_max, id="answers rubbish"),
        pytest.param(b"{tag} NO damaged\r\n", limits.tries_max - 1, id="refuses"),
    ],
)
def test_a_mail_that_the_server_cannot_give_does_not_keep_back_the_next_one(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch, answer: bytes, failures: int
) -> None:
    with BrokenServer(**TWO, **{"BODY 1": answer}) as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        for _ in range(failures):
            with pytest.raises(TransientFailure):
                pull_once(account, desk.settings)
        pull_once(account, desk.settings)

    damaged, next_one = desk.rows("SELECT raw, reason FROM inbox ORDER BY id")
    assert "the mail server would not give this mail" in damaged["reason"]
    assert bytes(next_one["raw"]) == MAIL


@pytest.mark.parametrize(("answer", "failures"), [(HANG_UP, 1), (b"{tag} NO damaged\r\n", 0)])
def test_mails_whose_sizes_the_server_cannot_tell_are_read_without(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch, answer: bytes, failures: int
) -> None:
    with BrokenServer(SIZE=answer) as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        for _ in range(failures):
            with pytest.raises(TransientFailure, match="sizes"):
                pull_once(account, desk.settings)
        pulled = pull_once(account, desk.settings)

    assert pulled == Pulled(stored=1)


def test_where_no_tls_is_offered_the_password_stays_here(
    desk: Desk, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    wary = dataclasses.replace(account, config={**account.config, "imap_ca_file": str(ca_file)})
    with BrokenServer() as server:
        monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", server.url)
        with pytest.raises(TransientFailure, match="offers no TLS"):
            pull_once(wary, desk.settings)

    assert "LOGIN" not in server.heard
