"""What the demo's webhook account answers is caught, once for each Idempotency-Key; by the desk's real sender."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage
from queues.channels.webhook import send
from scripts.sandbox.client import SandboxProcess

MESSAGE = OutgoingMessage(
    delivery_id="d-1",
    attempt_number=1,
    address="demo:ada",
    recipient_name="Ada",
    body="Water it.",
    body_format="text",
    subject=None,
    external_id=None,
    in_reply_to=None,
    references=(),
    automatic=False,
    ticket_number=7,
)


def test_an_answer_of_the_demo_account_stands_in_the_outbox_once(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = yaml.safe_load(Path("workflow_defs/channels/webhook.demo.yaml").read_text(encoding="utf-8"))
    account = ChannelAccount("webhook", "demo", 1, body)
    monkeypatch.setenv("NESTOR_SECRET_WEBHOOK_DEMO_REPLY_URL", f"{sandbox.control_url}/hooks")
    config = Settings(sandbox_url=sandbox.control_url)

    first, again = send.send(MESSAGE, account, config), send.send(MESSAGE, account, config)
    other = send.send(replace(MESSAGE, delivery_id="d-2"), account, config)

    assert {first.kind, again.kind, other.kind} == {"accepted"}
    assert first.external_id == again.external_id != other.external_id
    [caught, _] = sandbox.outbox("webhook")
    assert caught["body"] == {"to": "ada", "text": "Water it.", "subject": None, "ticket": 7, "files": []}
    assert sandbox.outbox("email") == []
