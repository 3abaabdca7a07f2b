"""Mailboxes that have to be asked: accounts with `provider: imap`. Light: the reading itself is loaded when it begins."""

from __future__ import annotations

import threading

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings


def wants(account: ChannelAccount) -> bool:
    """Whether this mailbox is read by IMAP."""
    return account.config.get("provider") == "imap"


def pull(account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
    """Store what is new, then wait for more until `stop`. Raises TransientFailure, ConfigurationError."""
    from queues.channels.email.imap import pulling

    pulling.pull(account, settings, stop, idle_s)
