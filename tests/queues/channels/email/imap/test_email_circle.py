"""The whole circle on real servers: a mail in the mailbox, a ticket, an answer by SMTP, and the
answer to the answer.
"""

from __future__ import annotations

from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from queues.channels.email import send as email_sender
from queues.channels.email.imap.pulling import Pulled
from scripts.sandbox.client import SandboxProcess
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.queues.channels.email.imap.mails import mail
from tests.queues.channels.email.imap.reading_once import pull_once
from tests.services.dovecot import DovecotServer, Mailbox


@pytest.fixture
def real_sender(sandbox: SandboxProcess, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> SandboxProcess:
    """The desk sends by SMTP to the catcher."""
    replace_part(monkeypatch, "sender", lambda channel: email_sender)
    monkeypatch.setenv("NESTOR_SECRET_EMAIL_DEMO_SMTP_URL", sandbox.smtp_url)
    return sandbox


def answers(sandbox: SandboxProcess, body: str) -> list[dict[str, Any]]:
    return [entry for entry in sandbox.outbox("email") if body in entry["text"]]


def test_a_talk_by_mail_stays_one_ticket_from_mailbox_to_mailbox(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    real_sender: SandboxProcess,
) -> None:
    imap_server.deliver(mailbox, mail(1))
    pull_once(account, desk.settings)
    desk.run_due()
    ticket = desk.ticket()

    desk.reply(ticket, "Pour water on it.")
    desk.run_due()
    (ours,) = answers(real_sender, "Pour water on it.")
    token_address = ours["headers"]["Reply-To"]
    answer = (
        f"Return-Path: <ada@example.test>\r\nFrom: Ada <ada@example.test>\r\nTo: {token_address}\r\nSubject: another subject\r\n"
        "Message-ID: <answer@example.test>\r\nDate: Wed, 25 Nov 2026 11:00:00 +0000\r\n\r\nIt still burns.\r\n"
    )
    copy_of_ours = ours["raw"].encode("latin-1")  # a mail program keeps what it sent in the same mailbox
    imap_server.deliver(mailbox, copy_of_ours, answer.encode())
    pulled = pull_once(account, desk.settings)
    desk.run_due()

    assert (ours["to"], ours["in_reply_to"]) == ("Ada <ada@example.test>", "<1.ada@example.test>")
    assert token_address.startswith("desk+")
    assert token_address.endswith("@example.test")
    assert pulled == Pulled(stored=2)
    assert [one.id for one in desk.tickets()] == [ticket.id]
    assert [body.strip() for body in desk.bodies(ticket)] == ["The printer 1 burns.", "It still burns."]
    assert imap_server.unseen(mailbox) == 0


def test_a_stranger_with_the_token_does_not_get_into_the_ticket(
    desk: Desk,
    account: ChannelAccount,
    imap_server: DovecotServer,
    mailbox: Mailbox,
    real_sender: SandboxProcess,
) -> None:
    imap_server.deliver(mailbox, mail(1))
    pull_once(account, desk.settings)
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket, "Pour water on it.")
    desk.run_due()
    (ours,) = answers(real_sender, "Pour water on it.")

    stranger = mail(2, sender="eve@example.test").replace(
        b"To: desk@example.test", b"To: " + ours["headers"]["Reply-To"].encode()
    )
    imap_server.deliver(mailbox, stranger)
    pull_once(account, desk.settings)
    desk.run_due()

    assert [body.strip() for body in desk.bodies(ticket)] == ["The printer 1 burns."]
    assert len(desk.tickets()) == 2
