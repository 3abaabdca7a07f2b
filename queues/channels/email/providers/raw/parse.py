"""Parse raw mail."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from queues.channels.email.providers.port import Mail


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail:
    """Return the bytes as the mail."""
    return Mail(raw)
