"""Recorded requests of providers, and the story that every provider's recordings tell: Ada's printer burns.

`inbound*`: her mail. `attachment*`: the same with a picture in its text and a file. `malformed*`: bytes that are none
of the provider's. `delivered`, `bounced`, `complained`, `deferred`: what became of our answer. `unknown*`: an event
that needs nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from queues.channels.email import providers

FOLDERS = Path(providers.__file__).parent
NAMES = sorted(providers.names())
WHO, WHO_NAME, SUBJECT = "ada@example.test", "Ada Lovelace", "Printer"
TEXT = "The printer burns.\n\nPlease help."
INBOUND_ID, ATTACHMENT_ID = "<printer-1@example.test>", "<printer-2@example.test>"
SENT_ID = "<nestor.7.sent@example.test>"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # logo.png
PLAN = b"Water it.\n"  # plan.txt
RIGHT, WRONG = "the-right-value", "secret-wrong"


@dataclass(frozen=True)
class Request:
    """A request as a provider makes it."""

    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True)
class Fixture:
    """A recorded request; not yet signed."""

    provider: str
    path: Path

    @property
    def kind(self) -> str:
        return self.path.stem.partition("_")[0]

    @property
    def request(self) -> Request:
        content = self.path.read_bytes()
        if self.path.suffix == ".http":
            head, _, body = content.partition(b"\r\n\r\n")
            return Request(body, head.decode().removeprefix("Content-Type: "))
        return Request(content, {".eml": "message/rfc822", ".json": "application/json"}[self.path.suffix])

    def __str__(self) -> str:
        return f"{self.provider}/{self.path.name}"


class Manners(Protocol):
    """A provider's module in `manners`."""

    CONFIG: dict[str, Any]  # keys of the account's file, beside those that all have
    SIGNS: bool  # whether its requests carry an instant that makes a caught one too old

    def signed(self, request: Request, *, secret: str, at_s: int) -> Request:
        """The request as the provider makes it at an instant, with a secret."""

    def secrets(self) -> Mapping[str, str]:
        """The credentials that the account's file names."""


def manners(provider: str) -> Manners:
    """The provider's manners; a provider without them fails the suite by its name."""
    return cast(Manners, importlib.import_module(f"tests.queues.channels.email.providers.manners.{provider}"))


def fixtures(*kinds: str) -> list[Fixture]:
    """All providers' recordings of these kinds."""
    return [
        one
        for provider in NAMES
        for path in sorted((FOLDERS / provider / "fixtures").iterdir())
        if (one := Fixture(provider, path)).kind in kinds
    ]


def one(name: str) -> Fixture:
    """A recording by `provider/file`."""
    provider, _, file = name.partition("/")
    path = FOLDERS / provider / "fixtures" / file
    assert path.is_file(), path
    return Fixture(provider, path)


def config(provider: str) -> dict[str, Any]:
    """The account's file, as published."""
    return {
        "channel": "email",
        "account": provider,
        "address": "desk@example.test",
        "workflow": "support",
        "locale": "en",
        "provider": provider,
        "smtp_url": {"secret": "email_demo_smtp_url"},
        **manners(provider).CONFIG,
    }
