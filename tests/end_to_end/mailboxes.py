"""Mailboxes that answer by themselves: each gets a mail and its envelope's sender, and gives what it sends."""

from __future__ import annotations

import base64
import email
import itertools
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from tests.end_to_end.post_office import Mailbox

_numbers = itertools.count(1)
_REPORT = """\
From: Mail Delivery System <mailer-daemon@{domain}>
To: {sender}
Subject: Undelivered mail returned to sender
Message-ID: <{number}@{domain}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=cut

--cut
Content-Type: text/plain

No such mailbox here: {address} ({number})
--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.{domain}

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox

--cut
Content-Type: text/rfc822-headers

{headers}

--cut--
"""


def written(sender: str, recipient: str, subject: str, text: str = "It beeps.") -> EmailMessage:
    """A mail as anybody's program writes it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
    mail["Message-ID"] = f"<{next(_numbers)}@{sender.partition('@')[2]}>"
    mail.set_content(f"{text} ({mail['Message-ID']})")  # no mail is the bytes of another
    return mail


def handed_over(mail: EmailMessage, sender: str, recipient: str) -> dict[str, Any]:
    """The arguments of a desk's `receive`."""
    return {
        "raw": base64.b64encode(mail.as_bytes()).decode(),
        "sender": sender,
        "recipient": recipient,
    }


def on_vacation(address: str) -> Mailbox:
    """Answers each mail that it may answer by RFC 3834's form: its own header, the id of what it answers, no sender in
    the envelope.
    """

    def answer(raw: bytes, sender: str) -> list[tuple[str, str, bytes]]:
        asked = email.message_from_bytes(raw)
        mail = written(address, sender, f"Away: {asked['Subject']}", "I am at the sea until Monday.")
        mail["Auto-Submitted"] = "auto-replied"
        if asked["Message-ID"]:
            mail["In-Reply-To"] = mail["References"] = str(asked["Message-ID"])
        return [("", sender, mail.as_bytes())]

    return answer


def bounces(address: str) -> Mailbox:
    """Reports each mail as undeliverable (RFC 3464), with its headers, from the null sender."""

    def answer(raw: bytes, sender: str) -> list[tuple[str, str, bytes]]:
        domain = address.partition("@")[2]
        report = _REPORT.format(
            number=next(_numbers),
            domain=domain,
            sender=sender,
            address=address,
            headers=raw.partition(b"\r\n\r\n")[0].decode("ascii", "replace"),
        )
        return [("", sender, report.replace("\r\n", "\n").replace("\n", "\r\n").encode())]

    return answer


def says_that_nobody_is_there(clerk: str) -> Mailbox:
    """Answers as a person would, from an address of its own."""

    def answer(raw: bytes, sender: str) -> list[tuple[str, str, bytes]]:
        return [
            (
                clerk,
                sender,
                written(clerk, sender, "Your letter", "Nobody of that name works here.").as_bytes(),
            )
        ]

    return answer


def hands_on_to(recipient: str) -> Mailbox:
    """A list with one reader; what the road makes of the mail is its form."""
    return lambda raw, sender: [("bounces@list.example", recipient, raw)]
