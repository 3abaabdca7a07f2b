"""The periodic check of a bot's webhook at Telegram, which drops undelivered updates after a day."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.settings import Settings
from queues.channel_port import Watched
from queues.channels.telegram.bot_api import setup


def inspect(account: ChannelAccount, settings: Settings) -> Watched | None:
    """Return the webhook's state; None for a polling bot, whose reader reports its state. Raises ConfigurationError,
    TransientFailure.
    """
    if account.config.get("delivery") == "polling":
        return None
    info = setup.get_webhook_info(account.credential("token", settings), settings.telegram_api_url)
    told = {
        "webhook_set": bool(info.url),
        "pending_updates": info.pending_updates,
        "last_error": info.last_error,
        "last_error_at": clock.rfc3339(info.last_error_at) if info.last_error_at else None,
    }
    if not info.url and not account.config.get("demo"):
        return Watched(told, "no webhook is set: run `python -m scripts.channels setup`")
    if info.last_error and info.pending_updates:
        return Watched(told, f"Telegram cannot deliver {info.pending_updates} updates: {info.last_error}")
    return Watched(told, None)
