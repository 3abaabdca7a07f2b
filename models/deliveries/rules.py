"""Decisions about attempts; pure."""

from __future__ import annotations

# How many attempts of unknown outcome are followed by another one. E-mail keeps its Message-ID, so the receiving side can drop a
# repeat; Telegram has no idempotency key, so a person's message is repeated once, marked as possibly doubled, and no more.
_RETRIES_AFTER_UNKNOWN = {"email": 10, "telegram": 1}


def retries_after_unknown(channel: str) -> int:
    """How many times a send of unknown outcome is repeated; channels without a rule never repeat."""
    return _RETRIES_AFTER_UNKNOWN.get(channel, 0)
