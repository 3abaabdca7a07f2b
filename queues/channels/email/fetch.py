"""Fetch the content that a provider's event only refers to: a mail in a bucket or behind an API, a file by a token."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import Ignored
from queues.channels.email import providers


def fetch(raw: bytes, envelope: dict[str, str], account: ChannelAccount, settings: Settings) -> bytes | Ignored | None:
    """Return the mail; None when the event contains it. Raises TransientFailure, Unparseable."""
    fetcher = providers.fetcher(providers.provider_of(envelope))
    return None if fetcher is None else fetcher.fetch(raw, envelope, account, settings)
