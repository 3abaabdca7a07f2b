"""The mail system between desks: a real SMTP relay that both send to, which hands each mail on as its address says.

On the way it may take headers off a mail, as careless relays, ticket systems and mailing lists do. It carries one mail
at a time, so a test is the same each time it runs.
"""

from __future__ import annotations

import base64
import email
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.policy import SMTP
from pathlib import Path
from typing import Any

from tests.queues.channels.email.writing.relay import Relay

ROOT = Path(__file__).resolve().parents[2]
hops_max = 400  # mails that one `carry` hands on; more is a loop without end
_end_s = 20.0

# (mail, envelope sender) -> (envelope sender, recipient, mail) of each that it sends.
Mailbox = Callable[[bytes, str], list[tuple[str, str, bytes]]]
Road = Callable[[Message], None]


def environment(database: Path, smtp_url: str, **more: str) -> dict[str, str]:
    """Of one desk: its own database and its own key, so that no desk knows the other's marks."""
    return {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": f"sqlite:///{database}",
        "BROKER_URL": "embedded://",
        "BLOB_URL": f"file:{database.parent / 'blobs'}",
        "SECRET_KEY": f"a key of forty-two characters for {database.stem:.<20}",
        "NESTOR_SECRET_EMAIL_DEMO_BEARER": "demo-secret",
        "NESTOR_SECRET_EMAIL_DEMO_SMTP_URL": smtp_url,
        **more,
    }


@dataclass
class DeskProcess:
    """A running `mail_desk`."""

    process: subprocess.Popen[bytes]

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One command, answered when all that it caused is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the desk ended while it was to {do}; its words are above"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def desk_process(database: Path, smtp_url: str) -> Iterator[DeskProcess]:
    command = [sys.executable, "-m", "tests.end_to_end.mail_desk"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(database, smtp_url), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield DeskProcess(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(_end_s)
        process.stdout.close()


@dataclass
class PostOffice:
    """`desks` and `mailboxes` by address (a desk takes address+anything as well); `road` changes each mail between two
    of them.
    """

    relay: Relay
    desks: dict[str, DeskProcess] = field(default_factory=dict)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    road: Road | None = None
    hop_s: float = 1.0
    carried: list[tuple[str, str]] = field(default_factory=list)  # sender's address in From, recipient
    _at: int = 0

    def carry(self) -> int:
        """Hand on what was sent, and what that causes, until nobody sends any more; how many mails it were."""
        waiting: list[tuple[str, str, bytes]] = []
        begun = len(self.carried)
        while True:
            for mail in self.relay.taken[self._at :]:
                waiting += [(mail.sender, recipient, mail.content) for recipient in mail.recipients]
            self._at = len(self.relay.taken)
            if not waiting:
                return len(self.carried) - begun
            assert len(self.carried) - begun < hops_max, "a mail loop without end"
            sender, recipient, content = waiting.pop(0)
            raw = self._changed(content)
            self.carried.append((str(email.message_from_bytes(raw)["From"]), recipient))
            for desk in self.desks.values():
                desk.ask("advance", seconds=self.hop_s)
            local, _, domain = recipient.partition("@")
            address = f"{local.partition('+')[0]}@{domain}"
            if address in self.desks:
                told = {"raw": base64.b64encode(raw).decode(), "sender": sender, "recipient": recipient}
                assert self.desks[address].ask("receive", **told) == {"status": 200}
                continue
            waiting += self.mailboxes[recipient](raw, sender)

    def _changed(self, content: bytes) -> bytes:
        if self.road is None:
            return content
        mail = email.message_from_bytes(content)
        self.road(mail)
        return mail.as_bytes(policy=SMTP.clone(linesep="\r\n"))


def without_telling_headers(mail: Message) -> None:
    """Nothing says any more that a machine wrote it; ids stay."""
    for name in list(mail.keys()):
        if name.lower().startswith(("x-", "auto-submitted", "precedence", "list-", "return-path")):
            del mail[name]


def without_anything_to_know_it_by(mail: Message) -> None:
    """As a ticket system that writes each mail anew: no ids, no address with a token, no number in the subject."""
    without_telling_headers(mail)
    for name in ("Message-ID", "In-Reply-To", "References", "Reply-To", "Date"):
        del mail[name]
    subject = str(mail["Subject"]).partition("[")[0].strip()
    del mail["Subject"]
    mail["Subject"] = subject


def through_a_list(address: str) -> Road:
    """As a group that takes the mails for an address and hands them on to its readers."""

    def road(mail: Message) -> None:
        without_anything_to_know_it_by(mail)
        mail["List-Id"] = f"<{address.replace('@', '.')}>"
        mail["List-Post"] = f"<mailto:{address}>"
        mail["Precedence"] = "list"

    return road


def as_news(mail: Message) -> None:
    """As a service that sends one mail to many readers."""
    without_anything_to_know_it_by(mail)
    mail["List-Unsubscribe"] = "<https://news.example/u>"
    mail["Precedence"] = "bulk"


def as_a_list_of_its_own(address: str) -> Road:
    """As a list that writes each mail anew under its own address."""

    def road(mail: Message) -> None:
        without_anything_to_know_it_by(mail)
        mail.replace_header("From", address)

    return road
