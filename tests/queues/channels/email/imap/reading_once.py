"""Reads a mailbox once, as the pulling loop does at each round."""

from __future__ import annotations

import threading

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channels.email.imap.mailbox import Mailbox, server_of
from queues.channels.email.imap.pulling import Pulled, read


def pull_once(account: ChannelAccount, settings: Settings) -> Pulled:
    """Store the mails that are new now. Raises TransientFailure or ConfigurationError."""
    with Mailbox(server_of(account, settings)) as mailbox:
        return read(mailbox, account, threading.Event())
