"""Handing a mail to a relay: TLS that is checked, logins, copies, sizes; against a real SMTP server with a private
authority.
"""

from __future__ import annotations

import dataclasses
import email
import email.policy
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from models.channels.accounts import ChannelAccount
from models.ports.outbound import OutgoingMessage, SendOutcome
from queues.channels.email.send import send
from queues.channels.email.tls import client_context
from tests.queues.channels import golden
from tests.queues.channels.email.messages import MESSAGE, file
from tests.queues.channels.email.writing.relay import Relay

CA = trustme.CA()


def server_tls(*names: str, **validity: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(*names, **validity).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def deliver(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Send a message by the relay; `config` are the account's keys."""

    def run(relay: Relay, config: dict[str, Any] | None = None, user: str = "", **changes: Any) -> SendOutcome:
        monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", relay.url(user=user))
        account: ChannelAccount = dataclasses.replace(golden.EMAIL, config={**golden.EMAIL.config, **(config or {})})
        message: OutgoingMessage = dataclasses.replace(MESSAGE, **changes)
        return send(message, account, golden.settings())

    return run


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_a_mail_travels_by_tls_that_was_checked(deliver: Any, ca_file: Path, implicit: bool) -> None:
    with Relay(server_tls("127.0.0.1"), implicit, password="secret") as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(ca_file)}, user="desk:secret@")

    (taken,) = relay.taken
    assert outcome == SendOutcome("accepted", external_id=MESSAGE.external_id)
    assert taken.encrypted
    assert taken.mechanism == "PLAIN"


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
@pytest.mark.parametrize(
    ("names", "valid_days", "said"),
    [
        (("127.0.0.1",), -1, "certificate has expired"),
        (("mail.other.test",), 30, "certificate is not valid for '127.0.0.1'"),
    ],
    ids=["expired", "another host"],
)
def test_a_bad_certificate_is_reported_and_nothing_is_sent(
    deliver: Any, ca_file: Path, implicit: bool, names: tuple[str, ...], valid_days: int, said: str
) -> None:
    now = datetime.now(UTC)
    tls = server_tls(*names, not_before=now - timedelta(days=60), not_after=now + timedelta(days=valid_days))
    with Relay(tls, implicit, password="secret") as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(ca_file)}, user="desk:secret@")

    assert outcome.kind == "transient"
    assert said in outcome.detail
    assert relay.taken == []
    assert relay.heard == []


def test_a_certificate_of_an_authority_that_nobody_knows_is_not_believed(deliver: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with Relay(server_tls("127.0.0.1"), implicit=True) as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(other)})

    assert (outcome.kind, relay.heard) == ("transient", [])
    assert "certificate is not good" in outcome.detail


def test_without_the_tls_that_the_account_asks_for_nothing_leaves_in_clear(deliver: Any, ca_file: Path) -> None:
    with Relay() as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(ca_file)})

    assert (outcome.kind, relay.heard) == ("transient", [])
    assert "offers no TLS" in (outcome.account_error or "")


def test_a_missing_file_of_certificates_is_the_accounts_trouble(deliver: Any, tmp_path: Path) -> None:
    with Relay() as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(tmp_path / "none.pem")})

    assert outcome.kind == "transient"
    assert outcome.account_error == "smtp_ca_file: there is no such file"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_both_common_logins_work(deliver: Any, ca_file: Path, mechanism: str) -> None:
    off = tuple({"PLAIN", "LOGIN"} - {mechanism})
    with Relay(server_tls("127.0.0.1"), password="pass word", mechanisms_off=off) as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(ca_file)}, user="desk:pass%20word@")

    assert outcome.kind == "accepted"
    assert [one.mechanism for one in relay.taken] == [mechanism]


def test_a_refused_password_is_the_accounts_trouble_and_can_be_corrected(deliver: Any, ca_file: Path) -> None:
    with Relay(server_tls("127.0.0.1"), password="right") as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(ca_file)}, user="desk:wrong@")

    assert outcome.kind == "transient"
    assert outcome.account_error is not None
    assert outcome.account_error.startswith("the login: 535")
    assert "wrong" not in outcome.detail
    assert relay.taken == []


def test_a_server_without_a_login_that_we_know_is_the_accounts_trouble(deliver: Any, ca_file: Path) -> None:
    with Relay(server_tls("127.0.0.1"), password="right", mechanisms_off=("PLAIN", "LOGIN")) as relay:
        outcome = deliver(relay, {"smtp_ca_file": str(ca_file)}, user="desk:right@")

    assert (outcome.kind, relay.taken) == ("transient", [])
    assert outcome.account_error == "the login: the mail server does not offer what is needed"


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("mail_answer", "535 5.7.8 authentication credentials invalid"),
        ("mail_answer", "530 5.7.0 authentication required"),
        ("mail_answer", "553 5.7.1 sender address rejected: not owned by user"),
        ("mail_answer", "550 5.1.8 the domain of the sender is unknown"),
        ("mail_answer", "550 5.7.60 the client has no permission to send as this sender"),
        ("answers", "530 5.7.57 the client was not authenticated"),
        ("answers", "550 5.7.13 the account is disabled"),
        ("answers", "535 5.7.8 log in first"),
        ("data_answer", "550 5.7.60 the client has no permission to send as this sender"),
        ("data_answer", "535 5.7.8 log in first"),
    ],
)
def test_a_refusal_of_our_login_or_address_is_the_accounts_trouble_at_every_step(
    deliver: Any, step: str, answer: str
) -> None:
    said: Any = {"ada@example.test": answer} if step == "answers" else answer
    with Relay(**{step: said}) as relay:
        outcome = deliver(relay)

    assert (outcome.kind, outcome.suppress, relay.taken) == ("transient", None, [])
    assert answer[:9] in (outcome.account_error or "")


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("mail_answer", "552 5.3.4 the message is too big"),
        ("mail_answer", "550 5.2.3 the message is too long"),
        ("data_answer", "550 5.7.1 looks like spam"),
        ("data_answer", "554 5.6.0 the content is refused"),
    ],
)
def test_a_refusal_of_the_mail_itself_is_permanent(deliver: Any, step: str, answer: str) -> None:
    replies: dict[str, Any] = {step: answer}
    with Relay(**replies) as relay:
        outcome = deliver(relay)

    assert (outcome.kind, outcome.account_error) == ("permanent", None)


COPIES = (("Bob", "bob@example.test"), ("", "carol@example.test"))


def test_readers_of_copies_get_the_same_mail(deliver: Any) -> None:
    with Relay() as relay:
        outcome = deliver(relay, copies=(*COPIES, ("Ada again", "ADA@example.test"), ("", "no address"), COPIES[0]))

    (taken,) = relay.taken
    assert outcome.kind == "accepted"
    assert outcome.detail == ""
    assert taken.recipients == ["ada@example.test", "bob@example.test", "carol@example.test"]
    assert b"\r\nCc: Bob <bob@example.test>, carol@example.test\r\n" in taken.content


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user <carol@example.test>", "450 4.2.0 greylisted"])
def test_a_refused_copy_is_reported_and_does_not_keep_the_mail_from_the_requester(deliver: Any, answer: str) -> None:
    with Relay(answers={"carol@example.test": answer}) as relay:
        outcome = deliver(relay, copies=COPIES)

    assert outcome.kind == "accepted"
    assert outcome.suppress is None
    assert outcome.detail.startswith("1 of 2 readers of a copy were refused: " + answer[:3])
    assert "carol" not in outcome.detail
    assert [one.recipients for one in relay.taken] == [["ada@example.test", "bob@example.test"]]


@pytest.mark.parametrize(
    ("answer", "kind", "suppress"),
    [
        ("450 4.2.0 greylisted, come back", "transient", None),
        ("451 4.7.1 try again later", "transient", None),
        ("550 5.1.1 no such user", "permanent", "the address does not exist"),
        ("553 5.1.3 that is no address", "permanent", "the address does not exist"),
        ("556 5.1.10 takes no mail", "permanent", "the address does not exist"),
        ("550 5.1.8 we do not know the domain that you write from", "permanent", None),
        ("552 5.2.2 mailbox full", "permanent", None),
        ("550 5.7.1 we do not like you", "permanent", None),
    ],
)
def test_the_requesters_refusal_decides_and_nobody_gets_a_copy_alone(
    deliver: Any, answer: str, kind: str, suppress: str | None
) -> None:
    with Relay(answers={"ada@example.test": answer}) as relay:
        outcome = deliver(relay, copies=COPIES)

    assert (outcome.kind, outcome.suppress) == (kind, suppress)
    assert answer in outcome.detail
    assert relay.taken == []


def test_a_mail_that_the_relay_says_it_will_not_take_is_not_sent_first(deliver: Any) -> None:
    with Relay(size_max=100_000) as relay:
        outcome = deliver(relay, attachments=(file("big.bin", b"x" * 100_000),))

    assert outcome.kind == "permanent"
    assert outcome.detail == "the mail has 0.1 MiB with its files; the mail server takes 0.1 MiB"
    assert relay.heard == []


def test_a_relay_without_smtputf8_takes_what_can_be_written_without(deliver: Any) -> None:
    with Relay(smtputf8=False) as relay:
        for_ada = deliver(relay, copies=(("", "чарли@example.test"), ("Bob", "bob@example.test")))
        for_charlie = deliver(relay, address="чарли@example.test")

    assert for_ada.kind == "accepted"
    assert "letters beyond ASCII" in for_ada.detail
    assert [one.recipients for one in relay.taken] == [["ada@example.test", "bob@example.test"]]
    assert (for_charlie.kind, for_charlie.suppress) == ("permanent", None)


def test_a_relay_with_smtputf8_takes_any_letters(deliver: Any) -> None:
    with Relay() as relay:
        outcome = deliver(relay, copies=(("Чарли", "чарли@example.test"),))

    (taken,) = relay.taken
    assert outcome.kind == "accepted"
    assert taken.recipients == ["ada@example.test", "чарли@example.test"]
    assert "Cc: Чарли <чарли@example.test>".encode() in taken.content


def test_dots_and_long_mails_arrive_as_they_were(deliver: Any) -> None:
    content = b"".join(b".%d\r\n" % number for number in range(200_000))
    with Relay() as relay:
        outcome = deliver(relay, body=".\n..\n.x\n", attachments=(file("dots.txt", content),))

    (taken,) = relay.taken
    read = email.message_from_bytes(taken.content, policy=email.policy.default)
    (attached,) = read.iter_attachments()
    body = read.get_body()
    assert outcome.kind == "accepted"
    assert attached.get_payload(decode=True) == content
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == ".\n..\n.x\n"


def test_the_authorities_are_read_once_and_again_when_the_file_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    first, second = client_context(str(path)), client_context(str(path))

    trustme.CA().cert_pem.write_to_path(str(path))
    os.utime(path, ns=(1, 1))

    assert first is second
    assert client_context(str(path)) is not first
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.check_hostname
