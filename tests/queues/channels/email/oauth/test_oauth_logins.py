"""Logins by an access token at a real IMAP server (Dovecot) and a real SMTP server (aiosmtpd)."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from models.channels import accounts, health
from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.storage import database
from queues.channels.email import reach
from queues.channels.email.imap.pulling import Pulled
from queues.channels.email.send import send
from tests.desk import Desk
from tests.queues.channels.email.imap.conftest import reading
from tests.queues.channels.email.imap.mails import mail, titles
from tests.queues.channels.email.imap.reading_once import pull_once
from tests.queues.channels.email.messages import MESSAGE
from tests.queues.channels.email.oauth import authority
from tests.queues.channels.email.oauth.authority import Authority
from tests.queues.channels.email.oauth.conftest import oauth
from tests.queues.channels.email.writing.relay import Relay
from tests.services.dovecot import DovecotServer, Mailbox

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
MECHANISMS = ["xoauth2", "oauthbearer"]


def demo() -> ChannelAccount:
    with database.connection():
        return accounts.find("email", "demo")


# -- IMAP


@pytest.fixture
def mailbox(imap_server: DovecotServer, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    imap_server.start()  # after a test that stopped it
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", f"imaps://127.0.0.1:{imap_server.tls_port}")
    return imap_server.new_mailbox()


@pytest.fixture
def imap_authority(imap_server: DovecotServer, mailbox: Mailbox) -> Iterator[Authority]:
    with authority.running(imap_server.oauth_port) as made:
        made.mailbox = mailbox.user
        yield made


def by_imap(server: DovecotServer, authority: Authority, **changes: Any) -> ChannelAccount:
    key = oauth(authority, user=authority.mailbox, use_for=["imap"], **changes)
    return reading(demo(), server, oauth=key)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_mailbox_is_read_by_an_access_token(
    desk: Desk, imap_server: DovecotServer, mailbox: Mailbox, imap_authority: Authority, mechanism: str
) -> None:
    account = by_imap(imap_server, imap_authority, mechanism=mechanism)
    imap_server.deliver(mailbox, mail(1))

    pulled = pull_once(account, desk.settings)

    assert pulled == Pulled(stored=1)
    assert titles(desk) == ["Trouble 1"]
    assert health.of("email", "demo").error is None


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_token_that_the_mailbox_refuses_is_renewed_at_once(
    desk: Desk, imap_server: DovecotServer, mailbox: Mailbox, imap_authority: Authority, mechanism: str
) -> None:
    account = by_imap(imap_server, imap_authority, mechanism=mechanism)
    pull_once(account, desk.settings)
    imap_authority.revoke_access()
    imap_server.deliver(mailbox, mail(1))

    assert pull_once(account, desk.settings) == Pulled(stored=1)
    assert len(imap_authority.requests) == 2


def test_a_mailbox_that_refuses_the_new_token_too_is_said_after_one_retry(
    desk: Desk, imap_server: DovecotServer, mailbox: Mailbox, imap_authority: Authority
) -> None:
    account = by_imap(imap_server, imap_authority)
    imap_authority.mailbox = "somebody-else"
    refused = dataclasses.replace(account, config={**account.config, "imap_folder": "INBOX"})

    with pytest.raises(TransientFailure, match="the mailbox refused the login") as failed:
        pull_once(refused, desk.settings)

    assert len(imap_authority.requests) == 2
    assert not any(token in failed.value.message for token in imap_authority.access)


def test_a_revoked_refresh_token_is_trouble_of_the_mailbox(
    desk: Desk, imap_server: DovecotServer, mailbox: Mailbox, imap_authority: Authority
) -> None:
    account = by_imap(imap_server, imap_authority)
    imap_authority.refresh.clear()

    with pytest.raises(ConfigurationError, match="invalid_grant"):
        pull_once(account, desk.settings)


def test_a_password_beside_oauth_is_refused(
    desk: Desk,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    imap_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", mailbox.tls_url)

    with pytest.raises(ConfigurationError, match="it has a password, and `oauth` logs in without one"):
        pull_once(by_imap(imap_server, imap_authority), desk.settings)


def test_the_test_of_an_account_logs_in_by_its_token(
    desk: Desk, imap_server: DovecotServer, mailbox: Mailbox, imap_authority: Authority
) -> None:
    account = by_imap(imap_server, imap_authority)

    findings = [one for one in reach.test(account, desk.settings) if one.text.startswith("IMAP")]

    assert [(one.ok, one.text) for one in findings] == [(True, "IMAP: INBOX has 0 mails")]


# -- SMTP

CA = trustme.CA()


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    return path


def relay_for(server: Authority) -> Relay:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    return Relay(context, bearer_tokens=lambda: server.access)


@pytest.fixture
def by_smtp(server: Authority, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def account(relay: Relay, **changes: Any) -> ChannelAccount:
        monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", relay.url())
        keys = {
            "smtp_url": {"secret": "test_smtp_url"},
            "smtp_ca_file": str(ca_file),
            "oauth": oauth(server, use_for=["smtp"], **changes),
        }
        base = demo()
        return dataclasses.replace(base, config={**base.config, **keys})

    return account


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_mail_leaves_after_a_login_by_token(desk: Desk, server: Authority, by_smtp: Any, mechanism: str) -> None:
    with relay_for(server) as relay:
        outcome = send(MESSAGE, by_smtp(relay, mechanism=mechanism), desk.settings)

    assert outcome.kind == "accepted", outcome
    assert [(one.mechanism, one.encrypted) for one in relay.taken] == [(mechanism.upper(), True)]
    (token,) = server.access
    expected = {
        "xoauth2": f"user=desk@example.test\1auth=Bearer {token}\1\1",
        "oauthbearer": f"n,a=desk@example.test,\1host=127.0.0.1\1port={relay.port}\1auth=Bearer {token}\1\1",
    }
    assert relay.responses == [expected[mechanism].encode()]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_token_that_the_relay_refuses_is_renewed_and_the_mail_sent_once(
    desk: Desk, server: Authority, by_smtp: Any, mechanism: str
) -> None:
    with relay_for(server) as relay:
        account = by_smtp(relay, mechanism=mechanism)
        send(MESSAGE, account, desk.settings)
        server.revoke_access()
        outcome = send(MESSAGE, account, desk.settings)

    assert outcome.kind == "accepted", outcome
    assert len(relay.taken) == 2
    assert len(server.requests) == 2
    assert relay.responses[2] == {"xoauth2": b"", "oauthbearer": b"\1"}[mechanism]


def test_a_relay_that_refuses_the_new_token_too_is_trouble_of_the_account(
    desk: Desk, server: Authority, by_smtp: Any
) -> None:
    with relay_for(server) as relay:
        relay.bearer_tokens = lambda: ()
        outcome = send(MESSAGE, by_smtp(relay), desk.settings)

    assert outcome.kind == "transient"
    assert outcome.account_error is not None
    assert outcome.account_error.startswith("the login: 535")
    assert len(server.requests) == 2
    assert relay.taken == []


def test_a_revoked_refresh_token_lets_the_mail_wait_for_the_operator(
    desk: Desk, server: Authority, by_smtp: Any
) -> None:
    server.refresh.clear()

    with relay_for(server) as relay:
        outcome = send(MESSAGE, by_smtp(relay), desk.settings)

    assert outcome.kind == "transient"
    assert "invalid_grant" in (outcome.account_error or "")
    assert relay.heard == []


def test_an_authorization_server_that_is_away_delays_the_mail(desk: Desk, server: Authority, by_smtp: Any) -> None:
    server.fails = (503, {})

    with relay_for(server) as relay:
        outcome = send(MESSAGE, by_smtp(relay), desk.settings)

    assert (outcome.kind, outcome.account_error) == ("transient", None)


def test_a_relay_without_the_mechanism_gets_no_token(desk: Desk, server: Authority, by_smtp: Any) -> None:
    with relay_for(server) as relay:
        relay.mechanisms_off = ("XOAUTH2",)
        outcome = send(MESSAGE, by_smtp(relay), desk.settings)

    assert outcome.account_error == "the mail server offers no XOAUTH2; check `oauth.mechanism`"
    assert relay.responses == []


def test_the_test_of_a_relay_logs_in_by_the_token(desk: Desk, server: Authority, by_smtp: Any) -> None:
    with relay_for(server) as relay:
        account = by_smtp(relay)
        good = [one for one in reach.test(account, desk.settings) if one.text.startswith("SMTP")]
        server.revoke_access()
        server.refresh.clear()
        bad = [one for one in reach.test(account, desk.settings) if one.text.startswith("SMTP")]

    assert [(one.ok, one.text) for one in good] == [(True, "SMTP: the relay took our login")]
    assert [one.ok for one in bad] == [False]
    assert "invalid_grant" in bad[0].text
