"""A service of pigeons, for the suite of all channels (`tests.queues.channels.every.Manners`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from scripts.sandbox.client import SandboxProcess
from tests.queues.channels.manners.webhook import Provider
from tests.servers import Say, receiving

CONTENT_TYPE = "application/json"
UNKNOWN_IS = "ignored"


def proof(secret: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def said(text: str, number: int) -> bytes:
    return json.dumps({"id": str(number), "from": "ada", "text": text}).encode()


def unknown() -> bytes:
    return b'{"kind": "the weather", "degrees": 7}'


def malformed() -> list[bytes]:
    return [b"", b"nonsense", b"\xff\xfe\x00", b"[" * 50_000]


@contextmanager
def serve(sandbox: SandboxProcess, patch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with receiving() as receiver:
        receiver.otherwise = Say(200, body=b'{"id": "answer-1"}')
        patch.setenv("NESTOR_SECRET_PIGEON_DEMO_REPLY_URL", receiver.url)
        patch.setenv("WEBHOOKS_PRIVATE", "true")
        yield Provider(receiver)
