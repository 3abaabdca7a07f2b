"""Read mailboxes by IMAP (`provider: imap`). The reader itself is imported at the first reading."""

from __future__ import annotations

import threading

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings


def wants(account: ChannelAccount) -> bool:
    """Return True if this mailbox is read by IMAP."""
    return account.config.get("provider") == "imap"


def pull(account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
    """Store new mail, then wait for more until `stop` is set. Raises TransientFailure, ConfigurationError."""
    from queues.channels.email.imap import pulling

    pulling.pull(account, settings, stop, idle_s)
