"""The invented services of queues/channels/webhook/fixtures, as accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings

FIXTURES = Path("queues/channels/webhook/fixtures")
KEYS = {"lookout": "alerts", "chatterbox": "chat", "formwright": "forms"}


def body_of(service: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FIXTURES / service / "account.yaml").read_text(encoding="utf-8"))
    return found


def account_of(service: str, **changes: Any) -> ChannelAccount:
    body = body_of(service) | changes
    return ChannelAccount("webhook", body["account"], 1, body)


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with the services' credentials."""
    for name, value in {
        "LOOKOUT_SIGNING_KEY": "lookout-key",
        "LOOKOUT_API_TOKEN": "lookout-token",
        "CHATTERBOX_KEY": "chatterbox-key",
        "CHATTERBOX_REPLY_URL": "http://192.0.2.1/",
        "FORMWRIGHT_LOGIN": "form:wright",
    }.items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name}", value)
    return Settings(secret_key="forty-two characters for the tests of today", webhooks_private=True)
