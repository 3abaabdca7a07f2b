"""Telegram: updates with the secret token in a header; the sandbox's Bot API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from queues.channels.telegram.bot_api import bots
from scripts.sandbox.client import SandboxProcess

CONTENT_TYPE = "application/json"
UNKNOWN_IS = "ignored"
_ADA = 700_100


def proof(secret: str) -> Mapping[str, str]:
    return {"X-Telegram-Bot-Api-Secret-Token": secret}


def said(text: str, number: int) -> bytes:
    message = {
        "message_id": number,
        "date": 1_790_000_000 + number,
        "chat": {"id": _ADA, "type": "private"},
        "from": {"id": _ADA, "is_bot": False, "first_name": "Ada"},
        "text": text,
    }
    return json.dumps({"update_id": number, "message": message}).encode()


def unknown() -> bytes:
    return b'{"update_id": 77, "telepathy": {"id": 1, "thought": "help"}}'


def malformed() -> list[bytes]:
    return [b"nonsense", b"\xff\xfe\x00", b'{"message": {}}', b"[" * 50_000]


class Provider:
    """Of `tests.queues.channels.every.Provider`."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._sandbox = sandbox

    def throttle(self) -> None:
        self._sandbox.fail("429", method="sendMessage", retry_after=7)

    def refuse(self) -> None:
        self._sandbox.fail("403", method="sendMessage")

    def stay_silent(self) -> None:
        self._sandbox.fail("hang", method="sendMessage", hang_s=1.5)

    def taken(self) -> list[str]:
        return [entry["text"] for entry in self._sandbox.outbox("telegram") if entry["method"] == "sendMessage"]


@contextmanager
def serve(sandbox: SandboxProcess, patch: pytest.MonkeyPatch) -> Iterator[Provider]:
    patch.setenv("TELEGRAM_API_URL", sandbox.bot_api_url)
    yield Provider(sandbox)
    bots.close()
