"""Turns a recorded update into a request, for `python -m scripts.channels replay`."""

from __future__ import annotations

import json
import secrets

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError

needs_account = False


def credential(account: ChannelAccount | None) -> str | None:
    """Return the name of the account's secret token."""
    reference = {} if account is None else account.config.get("secret_token") or {}
    return reference.get("secret")


def headers(account: ChannelAccount | None, raw: bytes, *, secret: str) -> dict[str, str]:
    """Return the headers of Telegram's requests (Bot API, setWebhook)."""
    return {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}


def with_new_key(account: ChannelAccount | None, raw: bytes) -> bytes:
    """Give the update an id that Telegram has not reached. Raises ConfigurationError."""
    try:
        update = json.loads(raw)
    except ValueError as error:
        raise ConfigurationError(f"--new-key: the fixture is not JSON: {error}") from error
    if not isinstance(update, dict):
        raise ConfigurationError("--new-key: expected a JSON object with update_id")
    update["update_id"] = 2**40 + secrets.randbelow(2**40)
    for member in update.values():
        if isinstance(member, dict) and "message_id" in member and "edit_date" not in member:
            # A chat's message that came before is recognised by its id.
            member["message_id"] = 2**30 + secrets.randbelow(2**30)
    return json.dumps(update, ensure_ascii=False).encode()
