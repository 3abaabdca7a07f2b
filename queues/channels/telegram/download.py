"""The download of a file that an update only names (the `Files` protocol)."""

from __future__ import annotations

from typing import BinaryIO

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.settings import Settings
from queues.channels.telegram.bot_api import files

bytes_max = limits.telegram_download_bytes_max


def download(provider_id: str, account: ChannelAccount, settings: Settings) -> BinaryIO:
    """Open a file by its file_id. Raises what `files.fetch` raises, and ConfigurationError without a token."""
    return files.fetch(account.credential("token", settings), provider_id, api_url=settings.telegram_api_url)
