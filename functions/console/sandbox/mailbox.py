"""The mailbox of Grace, and the switches that break the channels.

A new mail goes to the webhook of the desk as raw mail; the list shows the mails that the desk sent over SMTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Annotated, Final, Literal

import msgspec

from functions.console.frame.pages import Pages, see
from functions.console.sandbox import wire
from functions.http.operations import Answer, Call
from models.kernel import settings
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings

pages = Pages()
operations = pages.operations
GRACE: Final = "grace@example.test"
_DESK: Final = "desk@example.test"

# -- limits ------------------------------------------------------------------------------------------------------------
_MAILS_MAX: Final = 10  # the newest; a person reads no more here
_OUTBOX_PAGE_MAX: Final = 1_000  # of the control port
_ALWAYS: Final = 1_000_000  # how often a fault is played; the control port's maximum

Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that Grace received."""

    subject: str
    text: str


class MailForm(msgspec.Struct):
    """A new mail of Grace."""

    subject: Subject
    body: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class SwitchForm(msgspec.Struct):
    """A channel, and whether it refuses what the desk sends."""

    channel: Literal["telegram", "email"]
    broken: bool = False


def received(config: Settings) -> list[Mail]:
    """Return the newest mails to Grace, newest first."""
    since = max(0, wire.control(config, "GET", "/healthz")["sequence"] - _OUTBOX_PAGE_MAX)
    path = f"/outbox?channel=email&since={since}&limit={_OUTBOX_PAGE_MAX}"
    items = wire.control(config, "GET", path)["items"]
    mails = [one for one in items if GRACE in one["envelope_to"]]
    return [Mail(one["subject"] or "", one["text"]) for one in reversed(mails)][:_MAILS_MAX]


def broken(config: Settings) -> dict[str, bool]:
    """Return which channels this page has broken. A test programs other faults, which stay listed after their use."""
    telegram = wire.control(config, "GET", "/faults")["items"]
    mail = wire.control(config, "GET", "/mail-faults")["items"]
    return {
        "telegram": any(one["chat_id"] == wire.ADA for one in telegram),
        "email": any(one["times"] == _ALWAYS for one in mail),
    }


@pages.post("/sandbox/mail", "Write as Grace", form=MailForm, unlocked=True)
def write_as_grace(call: Call[MailForm]) -> Answer:
    """The mail takes the way of every mail: the webhook, the parser, the workers."""
    mail = EmailMessage()
    mail["From"] = Address("Grace", addr_spec=GRACE)
    mail["To"] = _DESK
    mail["Subject"] = call.body.subject
    mail["Message-ID"] = make_msgid(domain="example.test")
    mail.set_content(call.body.body)
    wire.post_mail(settings.current(), mail.as_bytes())
    return see("/sandbox")


@pages.post("/sandbox/switches", "Break or mend a channel", form=SwitchForm, unlocked=True)
def switch(call: Call[SwitchForm]) -> Answer:
    """A broken channel refuses for good: the send fails, and a person can send again after the repair."""
    config = settings.current()
    path, fault = _FAULTS[call.body.channel]
    wire.control(config, "DELETE", path)
    if call.body.broken:
        wire.control(config, "POST", path, {**fault, "times": _ALWAYS})
    return see("/sandbox")


_FAULTS: Final[dict[str, tuple[str, JsonObject]]] = {
    "telegram": ("/faults", {"kind": "400", "chat_id": wire.ADA, "description": "Bad Request: the sandbox refuses"}),
    "email": ("/mail-faults", {"kind": "reject", "stage": "rcpt", "code": 552, "text": "mailbox full"}),
}
