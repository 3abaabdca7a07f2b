"""One signer for subscriptions and life-cycle calls."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

from models.events import signing

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RAW = b"0123456789abcdef0123456789abcdef"
GENERATED = "whsec_" + base64.b64encode(RAW).decode()


def expected(key: bytes) -> str:
    digest = hmac.new(key, f"msg-1.{int(AT.timestamp())}.".encode() + b"{}", hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def test_a_generated_secret_signs_with_its_decoded_bytes() -> None:
    headers = signing.headers("msg-1", AT, b"{}", [signing.subscription_key(GENERATED)])

    assert headers["webhook-id"] == "msg-1"
    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert headers["webhook-signature"] == expected(RAW)


def test_an_operators_secret_signs_with_its_text_even_when_it_looks_generated() -> None:
    """Receivers of life-cycle calls hold the text as their key; decoding it would break them."""
    for secret in ("a plain secret", GENERATED):
        headers = signing.headers("msg-1", AT, b"{}", [signing.operator_key(secret)])

        assert headers["webhook-signature"] == expected(secret.encode())


def test_two_keys_give_two_signatures_in_order() -> None:
    headers = signing.headers("msg-1", AT, b"{}", [b"new", b"old"])

    assert headers["webhook-signature"] == f"{expected(b'new')} {expected(b'old')}"


def test_outgoing_calls_are_signed_in_one_place() -> None:
    """650d475 had two copies, in subscriptions and in the life cycle."""
    signers = [
        str(path)
        for folder in ("models", "queues", "functions")
        for path in Path(folder).rglob("*.py")
        if '"webhook-signature":' in path.read_text(encoding="utf-8")
    ]

    assert signers == ["models/events/signing.py"]
