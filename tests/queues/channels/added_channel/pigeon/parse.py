"""Reads a raw event. The port cleans and bounds the texts (`models/ports/guards.py`)."""

from __future__ import annotations

import json

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
    if not author.strip() or not text.strip():
        return Ignored("no message: its author or its text is empty")
    return InboundMessage(
        author_address=author,
        author_name=author,
        contact_address=author,
        conversation_address=author,
        body=text,
        external_id=event_id or None,
    )


def people(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> tuple[str, ...]:
    """Return the author of an event that makes no message."""
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        return ()
    author = event.get("from") if isinstance(event, dict) else None
    return (author,) if isinstance(author, str) and author.strip() else ()
