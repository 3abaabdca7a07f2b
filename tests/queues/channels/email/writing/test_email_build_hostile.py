"""A stranger's words in our mails' header: what reads as an encoded word adds no header."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from queues.channels.email.writing.build import BadAddress, build
from tests.queues.channels.email.messages import MESSAGE
from tests.queues.channels.email.writing.test_email_build import account

EVIL = "=?utf-8?q?x=0d=0aBcc:_evil@x.example=0d=0a=0d=0aPhish?="


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": EVIL},
        {"recipient_name": EVIL},
        {"copies": ((EVIL, "grace@example.com"),)},
        {"author_name": EVIL},
        {"in_reply_to": f"<{EVIL}@x>"},
        {"references": (f"<{EVIL}@x>", "<2@x>")},
        {"subject": EVIL.replace("=0d=0a", "=0a")},
    ],
)
def test_what_reads_as_an_encoded_word_adds_no_header(changes: dict[str, Any]) -> None:
    raw = build(dataclasses.replace(MESSAGE, **changes), account(show_agent_name=True))

    head, _, body = raw.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert b"bcc" not in names
    assert names.count(b"message-id") == 1
    assert b"content-type" in names
    assert not body.startswith(b"Phish")
    assert b"\n" not in head.replace(b"\r\n", b"")


def test_an_address_that_reads_as_an_encoded_word_is_refused() -> None:
    with pytest.raises(BadAddress):
        build(dataclasses.replace(MESSAGE, address="=?utf-8?q?a=0d=0aBcc:_b?=@x.example"), account())


def test_an_id_with_what_reads_as_an_encoded_word_is_answered_as_it_is() -> None:
    odd = "<=?utf-8?q?a?=@x.example>"

    raw = build(dataclasses.replace(MESSAGE, in_reply_to=odd), account())

    assert f"In-Reply-To: {odd}\r\n".encode() in raw
