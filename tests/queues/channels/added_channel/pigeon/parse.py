"""Reads a raw event."""

from __future__ import annotations

import json

from queues.channels.text import clean, one_line

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, InboundMessage, Parsed, Unparseable


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
    """Read a message, or ignore an event of another kind."""
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unparseable("the body is not JSON") from error
    if not isinstance(event, dict):
        raise Unparseable("the body is not a JSON object")
    author, text, event_id = (event.get(name) for name in ("from", "text", "id"))
    if not (isinstance(author, str) and isinstance(text, str) and isinstance(event_id, str)):
        return Ignored("no message: from, text or id is missing")
    address = one_line(author, 100)
    if not address or not text.strip():
        return Ignored("no message: its author or its text is empty")
    return InboundMessage(
        author_address=address,
        author_name=address,
        contact_address=address,
        conversation_address=address,
        body=clean(text),
        external_id=one_line(event_id, 100) or None,
    )
