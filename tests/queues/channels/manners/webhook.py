"""The service that the demo's account file describes: JSON with a bearer token; answers go to a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from models.channels import accounts
from models.definitions import store
from models.kernel.storage import database
from scripts.sandbox.client import SandboxProcess
from tests.servers import HttpReceiver, Say, receiving

CONTENT_TYPE = "application/json"
UNKNOWN_IS = "failed"  # a rule is missing: added, the event can be replayed


def proof(secret: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def said(text: str, number: int) -> bytes:
    return json.dumps({"id": str(number), "from": {"id": "ada", "name": "Ada"}, "text": text}).encode()


def unknown() -> bytes:
    return b'{"kind": "the weather", "degrees": 7}'


def malformed() -> list[bytes]:
    return [b"", b"nonsense", b"\xff\xfe\x00", b"[" * 50_000]


class Provider:
    """Of `tests.queues.channels.every.Provider`."""

    def __init__(self, receiver: HttpReceiver) -> None:
        self._receiver = receiver
        self._refused: set[int] = set()

    def throttle(self) -> None:
        self._refuse_with(Say(429, headers={"retry-after": "7"}))

    def refuse(self) -> None:
        """A 404 would concern the account's URL, so the answer would wait (`queues/channels/http_status.py`)."""
        self._refuse_with(Say(422))

    def _refuse_with(self, say: Say) -> None:
        self._refused.add(len(self._receiver.got) + len(self._receiver.answers))
        self._receiver.answers.append(say)

    def stay_silent(self) -> None:
        self._receiver.answers.append(Say(hang=True))

    def taken(self) -> list[str]:
        took = (got for number, got in enumerate(self._receiver.got) if number not in self._refused)
        return [json.loads(got.body)["text"].strip() for got in took]


def _publish_an_impatient_account() -> None:
    """The demo's file, but it waits for an answer for two seconds only."""
    with database.connection():
        body = dict(accounts.find("webhook", "demo").config)
    body["reply"] = {**body["reply"], "timeout_s": 2}
    with database.transaction():
        store.publish("channel", "webhook.demo", body, source="tests", by="tests")
    store.forget()


@contextmanager
def serve(sandbox: SandboxProcess, patch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with receiving() as receiver:
        receiver.otherwise = Say(200, body=b'{"id": "answer-1"}')
        patch.setenv("NESTOR_SECRET_WEBHOOK_DEMO_REPLY_URL", receiver.url)
        patch.setenv("WEBHOOKS_PRIVATE", "true")
        _publish_an_impatient_account()
        yield Provider(receiver)
