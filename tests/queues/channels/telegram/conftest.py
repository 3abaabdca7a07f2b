"""A message to send, and the sender against the sandbox."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from models.ports.outbound import OutgoingAttachment, OutgoingMessage, SendOutcome
from queues.channels.telegram.send import send
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden

MESSAGE = OutgoingMessage(
    delivery_id="d",
    attempt_number=1,
    address="700100",
    recipient_name="Ada",
    body="The fire is out. <b>&",
    body_format="text",
    subject=None,
    external_id=None,
    in_reply_to=None,
    references=(),
    automatic=False,
    ticket_number=7,
)

SendTo = Callable[..., SendOutcome]


@pytest.fixture
def send_to(sandbox: SandboxProcess) -> SendTo:
    """Send MESSAGE with changes."""

    def run(**changes: Any) -> SendOutcome:
        message = dataclasses.replace(MESSAGE, **changes)
        return send(message, golden.TELEGRAM, golden.settings(telegram_api_url=sandbox.bot_api_url))

    return run


def attachment(filename: str, content_type: str, content: bytes = b"bytes", **changes: Any) -> OutgoingAttachment:
    found = OutgoingAttachment(
        filename, content_type, len(content), sha256(content).hexdigest(), lambda: io.BytesIO(content)
    )
    return dataclasses.replace(found, **changes)
