"""Machines are told from people, bounces from delays and complaints."""

from __future__ import annotations

import pytest

from models.ports.inbound import Ignored, InboundMessage
from queues.channels.email.judging.automatic import DESK_HEADER, desk_id
from queues.channels.email.parse import read_mail
from tests.queues.channels import golden

OURS = "nestor.12." + "a1" * 16 + "." + "b2" * 8


def parse(
    headers: str, body: str = "text", *, sender: str = "ada@example.test", subject: str = "x"
) -> InboundMessage | Ignored:
    raw = f"From: {sender}\nSubject: {subject}\n{headers}\n{body}".encode()
    return read_mail(raw, {}, golden.EMAIL)


def kind(headers: str, body: str = "text", *, sender: str = "ada@example.test", subject: str = "x") -> str | None:
    parsed = parse(headers, body, sender=sender, subject=subject)
    assert isinstance(parsed, InboundMessage)
    return parsed.automatic


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("", None),
        ("Auto-Submitted: no\n", None),
        ("Auto-Submitted: No (a person)\n", None),
        ("Auto-Submitted: auto-replied (zimbra; vacation)\n", "auto_reply"),
        ("Auto-Submitted: auto-replied; owner-email=x\n", "auto_reply"),
        ("Auto-Submitted: auto-notified\n", "auto_reply"),
        ("Auto-Submitted: no\nAuto-Submitted: auto-replied\n", "auto_reply"),
        ("X-Auto-Response-Suppress: None\n", None),
        ("X-Auto-Response-Suppress: DR, RN, NRN\n", None),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply\n", "auto_reply"),
        ("X-Auto-Response-Suppress: All\n", "auto_reply"),
        ("X-Autoreply: yes\n", "auto_reply"),
        ("X-Autorespond: vacation\n", "auto_reply"),
        ("X-Loop: x\n", "auto_reply"),
        ("Precedence: auto_reply\n", "auto_reply"),
        ("Precedence: Auto-Reply\n", "auto_reply"),
        ("X-Precedence: auto_reply\n", "auto_reply"),
        ("X-POST-MessageClass: 9; Autoresponder\n", "auto_reply"),
        ("Delivered-To: Autoresponder\n", "auto_reply"),
        ("Return-Path: <>\n", "auto_reply"),
        ("Return-Path: <ada@example.test>\n", None),
        ("Precedence: bulk\n", "bulk"),
        ("Precedence: junk (really)\n", "bulk"),
        ("Precedence: list\n", "bulk"),
        ("Precedence: first-class\n", None),
        ("List-Unsubscribe: <mailto:x@y>\n", "bulk"),
        ("X-BeenThere: l@x\n", "bulk"),
        (f"Message-ID: <{OURS}@example.test>\n", "own"),
        (f"Message-ID: <{OURS}@other.test>\n", None),
        ("Message-ID: <12.colleague@example.test>\n", None),
        ("X-Nestor-Desk: forged\n", None),
    ],
)
def test_headers_tell_machines_from_people(headers: str, expected: str | None) -> None:
    assert kind(headers) == expected


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("no-reply@x.test", "bulk"),
        ("noreply@x.test", "bulk"),
        ("do-not-reply+1@x.test", "bulk"),
        ("shop.noreply@x.test", "bulk"),
        ("autoreply@x.test", "auto_reply"),
        ("MAILER-DAEMON@x.test", "bounce"),
        ("postmaster@x.test", "bounce"),
        ("bounces+17@x.test", "bounce"),
        ("noreen@x.test", None),
        ("replying@x.test", None),
        ("Desk <DESK@example.test>", "own"),
    ],
)
def test_the_sender_alone_can_tell(sender: str, expected: str | None) -> None:
    assert kind("", sender=sender) == expected


def test_an_alias_is_ours_as_well_and_so_is_our_mark() -> None:
    account = golden.EMAIL.__class__("email", "demo", 1, golden.EMAIL.config | {"aliases": ["Help@example.test"]})
    by_alias = read_mail(b"From: help@example.test\n\nx", {}, account)
    by_mark = read_mail(f"From: a@b.test\n{DESK_HEADER}: {desk_id('desk@example.test')}\n\nx".encode(), {}, account)

    assert isinstance(by_alias, InboundMessage)
    assert isinstance(by_mark, InboundMessage)
    assert (by_alias.automatic, by_mark.automatic) == ("own", "own")


@pytest.mark.parametrize(
    ("subject", "headers", "body", "expected"),
    [
        ("Automatic reply: printer", "", "Thanks", None),
        ("Automatic reply: printer", "In-Reply-To: <a@b>\n", "Thanks", "auto_reply"),
        ("Out of office", "", "I am out of the office until Monday", "auto_reply"),
        ("Out of office chairs", "", "Four more, please", None),
        ("Réponse automatique : x", "References: <a@b>\n", "Bonjour", "auto_reply"),
        ("Автоматический ответ: x", "In-Reply-To: <a@b>\n", "В отпуске", "auto_reply"),
        ("Undeliverable: your parcel", "", "The parcel could not be delivered", None),
        ("Undeliverable: hello", "", "550 5.1.1 user unknown", "bounce"),
        ("Undeliverable: hello", "Return-Path: <>\n", "Sorry", "bounce"),
    ],
)
def test_a_subject_counts_only_with_another_sign(subject: str, headers: str, body: str, expected: str | None) -> None:
    assert kind(headers, body, subject=subject) == expected


def report(kind: str, *parts: str) -> str:
    pieces = "".join(f"--r\n{part}\n" for part in ("\nFor people.\n", *parts))
    return f'Content-Type: multipart/report; report-type={kind}; boundary="r"\n\n{pieces}--r--\n'


def status(action: str, code: str = "5.1.1") -> str:
    lines = [
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; x",
        "",
        "Final-Recipient: rfc822; bob@x.test",
    ]
    lines += [f"Action: {action}"] if action else []
    return "\n".join([*lines, f"Status: {code}", f"Diagnostic-Code: smtp; 550 {code} no such user"])


RETURNED = "Content-Type: message/rfc822\n\nMessage-ID: <ours@example.test>\nSubject: x\n\nhello"


def test_a_report_names_the_mail_the_reason_and_the_recipient() -> None:
    parsed = parse(report("delivery-status", status("failed"), RETURNED))

    assert isinstance(parsed, InboundMessage)
    assert parsed.failure is not None
    assert (parsed.automatic, parsed.references[:1]) == ("bounce", ("<ours@example.test>",))
    assert (parsed.failure.kind, parsed.failure.status, parsed.failure.diagnostic) == (
        "bounce",
        "5.1.1",
        "550 5.1.1 no such user",
    )
    assert parsed.details["failed_recipient"] == "bob@x.test"


@pytest.mark.parametrize(
    "part",
    [
        status("delayed", "4.4.1"),
        status("relayed", "2.0.0"),
        status("delivered", "2.0.0"),
        status("", "4.2.2"),
    ],
)
def test_what_is_late_or_was_delivered_has_not_failed(part: str) -> None:
    assert isinstance(parse(report("delivery-status", part, RETURNED)), Ignored)


def test_a_delay_without_a_report_has_not_failed() -> None:
    parsed = parse(
        "",
        "will keep trying for 2 days",
        sender="mailer-daemon@x.test",
        subject="Warning: message delayed 4 hours",
    )

    assert isinstance(parsed, Ignored)


def test_a_report_wrapped_by_a_relay_is_still_one() -> None:
    wrapped = f'Content-Type: multipart/mixed; boundary="w"\n\n--w\n{report("delivery-status", status("failed"), RETURNED)}\n--w--\n'

    parsed = parse(wrapped)

    assert isinstance(parsed, InboundMessage)
    assert (parsed.automatic, parsed.failure is not None) == ("bounce", True)


@pytest.mark.parametrize(
    ("feedback", "is_complaint"),
    [("abuse", True), ("fraud", True), ("not-spam", False), ("auth-failure", False)],
)
def test_a_feedback_report_is_a_complaint_when_it_complains(feedback: str, is_complaint: bool) -> None:
    part = f"Content-Type: message/feedback-report\n\nFeedback-Type: {feedback}\nVersion: 1\nOriginal-Rcpt-To: <bob@x.test>"

    parsed = parse(report("feedback-report", part, RETURNED))

    assert isinstance(parsed, InboundMessage)
    assert (parsed.failure is not None and parsed.failure.kind == "complaint") == is_complaint
    assert (parsed.references[:1] == ("<ours@example.test>",)) == is_complaint


def test_a_read_receipt_is_no_failure_and_names_our_mail() -> None:
    fields = "Original-Message-ID: <ours@example.test>\nDisposition: manual-action/MDN-sent-manually; displayed"
    part = f"Content-Type: message/disposition-notification\n\n{fields}"

    parsed = parse(report("disposition-notification", part))

    assert isinstance(parsed, InboundMessage)
    assert (parsed.automatic, parsed.failure, parsed.references) == (
        "auto_reply",
        None,
        ("<ours@example.test>",),
    )
    assert parsed.details["read_receipt"] == "displayed"


def test_a_bounce_to_a_reply_address_brings_its_token() -> None:
    parsed = read_mail(b"From: mailer-daemon@x.test\n\nSorry", {"to": "<desk+T0ken@example.test>"}, golden.EMAIL)

    assert isinstance(parsed, InboundMessage)
    assert parsed.reply_token == "t0ken"
