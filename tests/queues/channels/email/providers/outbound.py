"""What the suite looks at in a provider's API call, whatever its form: who gets which mail, under which id, by which
key.
"""

from __future__ import annotations

import base64
import email
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from types import ModuleType

from tests.queues.channels.email.providers.fake_api import Call
from tests.queues.channels.email.providers.recorded import FOLDERS, NAMES, manners

RIGHT_KEY = "the-right-key"


@dataclass(frozen=True)
class Seen:
    """A mail as an API was told of it."""

    key: str
    to: list[str]
    subject: str
    text: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)
    once: str | None = None  # the idempotency key, where the provider has one


CARRIERS = [name for name in NAMES if (FOLDERS / name / "send.py").is_file()]


def carrier(provider: str) -> ModuleType:
    """The manners of a provider that sends."""
    found = manners(provider)
    assert isinstance(found, ModuleType)
    return found


def form_of(call: Call) -> dict[str, list[bytes]]:
    """The fields of a multipart/form-data call, read by the standard library."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    found: dict[str, list[bytes]] = {}
    for part in email.message_from_bytes(head + call.body, policy=default).iter_parts():
        name = part.get_param("name", header="content-disposition")
        is_mail = part.get_content_type() == "message/rfc822"
        content = part.get_content().as_bytes() if is_mail else part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found.setdefault(str(name), []).append(content)
    return found


def basic_of(call: Call) -> str:
    """The user and password of a call."""
    return base64.b64decode(call.headers["authorization"].removeprefix("Basic ")).decode()


def seen_in_mail(raw: bytes, *, key: str, to: list[str]) -> Seen:
    """A raw mail as an API gets it, read by the standard library."""
    mail = email.message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    assert body is not None
    headers = {name: str(value) for name, value in mail.items()}
    return Seen(key, to, str(mail["Subject"]), body.get_content(), str(mail["Message-ID"]), headers)
