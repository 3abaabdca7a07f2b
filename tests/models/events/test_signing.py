"""One signer for subscriptions and life-cycle calls."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

from models.events import signing
from models.kernel import clock

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


def test_an_operators_secret_signs_with_its_text_and_with_what_it_decodes_to() -> None:
    """Receivers that were written by hand hold the text as their key; the libraries decode it."""
    for secret, keys in (
        ("a plain secret", [b"a plain secret"]),
        ("pager123", [b"pager123"]),
        (GENERATED, [GENERATED.encode(), RAW]),
        (GENERATED.removeprefix("whsec_"), [GENERATED.removeprefix("whsec_").encode(), RAW]),
        ("whsec_not base64", [b"whsec_not base64"]),
    ):
        headers = signing.headers("msg-1", AT, b"{}", signing.operator_keys(secret))

        assert headers["webhook-signature"] == " ".join(expected(key) for key in keys)


def test_the_library_of_the_specification_verifies_a_life_cycles_call() -> None:
    from standardwebhooks.webhooks import Webhook

    now = clock.now()
    for secret in (GENERATED, GENERATED.removeprefix("whsec_"), "whsec_cGFnZXI="):
        headers = signing.headers("msg-1", now, b'{"type":"ticket.timer"}', signing.operator_keys(secret))

        assert Webhook(secret).verify(b'{"type":"ticket.timer"}', headers) == {"type": "ticket.timer"}


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
