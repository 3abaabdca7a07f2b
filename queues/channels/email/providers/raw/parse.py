"""Raw mail is a mail."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from queues.channels.email.providers.port import Mail


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail:
    """The bytes as they are."""
    return Mail(raw)
