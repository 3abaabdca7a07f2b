"""Chatterbox, an invented chat product, as it calls the desk's webhook function."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import yaml
from falcon import testing

from models.definitions import store
from models.publishing import publishing
from models.publishing.catalogue import Found
from tests.functions.callers import Caller

FIXTURES = Path("queues/channels/webhook/fixtures")


def account_body(**changes: Any) -> dict[str, Any]:
    """What its account's file says."""
    body: dict[str, Any] = yaml.safe_load((FIXTURES / "chat/account.yaml").read_text(encoding="utf-8"))
    return body | {"workflow": "support"} | changes


def publish(body: dict[str, Any]) -> None:
    publishing.apply([Found("channel", "webhook.chatterbox", body, "", Path("x"))], by="tests")
    store.forget()


def event(name: str = "said", **changes: Any) -> bytes:
    found = json.loads((FIXTURES / f"chat/{name}.json").read_text(encoding="utf-8"))
    found["message"]["files"] = []
    return json.dumps(found | changes).encode()


def post(provider: Caller, raw: bytes, *, key: str = "secret-chatterbox", **headers: str) -> testing.Result:
    digest = base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()
    told = {"X-Chatterbox-Hmac": f"sha256={digest}", "Content-Type": "application/json"} | headers
    return provider.post("/webhooks/webhook/chatterbox", raw=raw, headers=told)


def said_in(
    room: str, by: int, text: str, *, kind: str = "said", number: str = "1", answers: str | None = None
) -> bytes:
    """A message of a service that numbers its messages anew in each room."""
    changes: dict[str, Any] = {
        "id": f"{room}:{kind}:{text}",
        "kind": kind,
        "room": {"id": room},
        "from": {"id": by, "robot": False},
        "message": {"id": number, "text": text, "answers": answers, "files": []},
    }
    return event(**changes)
