"""Turns a recorded mail into a request of the provider `raw`, for `python -m scripts.channels replay`."""

from __future__ import annotations

import re
import secrets

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError

needs_account = False
_MESSAGE_ID = re.compile(rb"^message-id:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


def credential(account: ChannelAccount | None) -> str | None:
    """Return the name of the account's bearer token. Raises ConfigurationError for an account of another provider."""
    if account is None:
        return None
    provider = account.config.get("provider", "raw")
    if provider != "raw":
        raise ConfigurationError(
            f"{account.name} takes what {provider} sends; only raw mail can be replayed"
            " (python -m scripts.replay email ...)"
        )
    reference = account.config.get("bearer") or {}
    name: str | None = reference.get("secret")
    return name


def headers(account: ChannelAccount | None, raw: bytes, *, secret: str) -> dict[str, str]:
    """Return the headers of a request with a raw mail."""
    return {"Content-Type": "message/rfc822", "Authorization": f"Bearer {secret}"}


def with_new_key(account: ChannelAccount | None, raw: bytes) -> bytes:
    """Give the mail a new Message-ID; the rest of its bytes stays."""
    header = f"Message-ID: <replay.{secrets.token_hex(12)}@replay.example>".encode()
    end = _END_OF_HEADERS.search(raw)
    head, rest = (raw[: end.start()], raw[end.start() :]) if end else (raw, b"")
    replaced, count = _MESSAGE_ID.subn(header, head, count=1)
    if count == 0:
        replaced = header + (b"\r\n" if b"\r\n" in raw else b"\n") + head
    return replaced + rest
