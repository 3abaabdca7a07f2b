"""E-mail: raw mail with a bearer token; the sandbox's mail catcher. The providers of e-mail have a
suite of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from queues.channels.email.judging.automatic import DESK_HEADER, desk_id
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels.golden import ROOT

CONTENT_TYPE = "message/rfc822"
UNKNOWN_IS = "ignored"


def proof(secret: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def said(text: str, number: int) -> bytes:
    return (
        f"From: Ada <ada@example.test>\r\nTo: desk@example.test\r\nSubject: Printer\r\nMessage-ID: <{number}@example.test>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


def unknown() -> bytes:
    """Every mail is a mail; the desk has no use for its own, which its mark shows."""
    mark = f"{DESK_HEADER}: {desk_id('desk@example.test')}\r\n".encode()
    return mark + (ROOT / "queues/channels/email/fixtures/own_echo.eml").read_bytes()


def malformed() -> list[bytes]:
    return [b"", b"nonsense", b"\xff\xfe\x00", b"Subject: from nobody\r\n\r\nHelp!\r\n"]


class Provider:
    """Of `tests.queues.channels.every.Provider`."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._sandbox = sandbox

    def throttle(self) -> None:
        self._sandbox.fail_mail("reject", stage="rcpt", code=450)

    def refuse(self) -> None:
        self._sandbox.fail_mail("reject", stage="rcpt", code=550)

    def stay_silent(self) -> None:
        self._sandbox.fail_mail("delay", stage="data", delay_s=1.5)

    def taken(self) -> list[str]:
        return [entry["text"].strip() for entry in self._sandbox.outbox("email")]


@contextmanager
def serve(sandbox: SandboxProcess, patch: pytest.MonkeyPatch) -> Iterator[Provider]:
    patch.setenv("NESTOR_SECRET_EMAIL_DEMO_SMTP_URL", sandbox.smtp_url)
    yield Provider(sandbox)
