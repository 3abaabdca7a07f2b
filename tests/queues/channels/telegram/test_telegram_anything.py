"""Whatever an agent writes and attaches is taken by the Bot API, shown as it was meant, changed, and taken back."""

from __future__ import annotations

import json
import random

import pytest

from models.ports.outbound import Button
from queues.channels.telegram.writing import carrier
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels.telegram.conftest import SendTo, attachment

_PIECES = (
    "**",
    "_",
    "~~",
    "`",
    "```\n",
    "> ",
    "- ",
    "1. ",
    "# ",
    "\n",
    "\n\n",
    "[x](https://x.test/é)",
    "word ",
    "🔥",
    "👩‍👩‍👧",
    "[",
    "](tg://user?id=1)",
    "\\",
    "e\u0301",
    "  ",
    "\t",
    "&amp;",
    "<b>",
    "</b>",
    "<pre>",
    "</pre>",
    "<blockquote>",
    "</blockquote>",
    "<li>",
    "x" * 50 + " ",
    "\ud800",
    "\x00",
    "\u00a0",
)
_TYPES = ("image/jpeg", "image/gif", "video/mp4", "audio/ogg", "audio/mpeg", "text/plain", "application/pdf")


def _body(chance: random.Random) -> str:
    return "start " + "".join(chance.choice(_PIECES) for _ in range(chance.choice((3, 30, 300, 1_500))))


@pytest.mark.parametrize("seed", range(20))
def test_it_is_accepted_part_by_part(
    send_to: SendTo, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(carrier, "_wait", lambda seconds: None)
    chance = random.Random(seed)
    files = tuple(
        attachment(f"{number}.bin", chance.choice(_TYPES), bytes([number + 1]) * chance.randint(1, 2_000))
        for number in range(chance.choice((0, 0, 1, 2, 5, 13)))
    )
    buttons = tuple(
        Button(chance.choice(("a", "🔥" * 80, "")), "tok", chance.choice(("", "5")), row=chance.randint(0, 2))
        for _ in range(chance.choice((0, 3)))
    )
    body_format = chance.choice(("text", "markdown", "html"))
    told = {"body_format": body_format, "attachments": files, "buttons": buttons}

    sent = send_to(body=_body(chance), **told)
    shown = sandbox.outbox("telegram")
    edited = send_to(body=_body(chance), operation="edit", sent_ids=sent.external_ids, **told)
    deleted = send_to(operation="delete", sent_ids=edited.external_ids, **told)

    assert (sent.kind, edited.kind, deleted.kind) == ("accepted", "accepted", "accepted")
    assert [f"700100:{entry['message_id']}" for entry in shown] == list(sent.external_ids)
    assert len(sent.file_ids) == len(files)
    for entry in shown:  # nothing was cut, moved or dropped on the way
        raw, message = entry["raw"], entry["message"]
        assert raw.get("text", raw.get("caption", "")) == entry["text"]
        asked = json.loads(raw.get("entities") or raw.get("caption_entities") or "[]")
        assert asked == (message.get("entities") or message.get("caption_entities") or [])
