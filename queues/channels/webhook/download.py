"""Fetch a file that an event only names by its URL: a stranger's word, so never from our own network unless allowed."""

from __future__ import annotations

from typing import BinaryIO

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.settings import Settings
from queues import safe_http
from queues.channels.webhook.send import may_be_private

bytes_max = limits.fetched_bytes_max
_download_s_max = 90.0  # of a file, within the fetching task's time limit of 110 s


def download(provider_id: str, account: ChannelAccount, settings: Settings) -> BinaryIO:
    """The file as a stream at its beginning, which the caller closes. `provider_id` is its URL.

    Raises TooLarge, TransientFailure, PermanentFailure (also for an address of a private network).
    """
    return safe_http.download(
        provider_id,
        headers={},
        private=may_be_private(provider_id, settings),
        bytes_max=bytes_max,
        total_s=_download_s_max,
    )
