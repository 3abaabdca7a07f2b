"""The download of a file that an event names by its URL. A stranger chose the URL, so our own network is refused unless
allowed.
"""

from __future__ import annotations

from typing import BinaryIO

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.settings import Settings
from queues.channels.webhook.send import may_be_private
from queues.outside import safe_http

bytes_max = limits.fetched_bytes_max
# Within the time limit of the fetching task, 110 s.
_download_s_max = 90.0


def download(provider_id: str, account: ChannelAccount, settings: Settings) -> BinaryIO:
    """Open the file as a stream at its beginning; the caller closes it. `provider_id` is the file's URL.

    Raises TooLarge, TransientFailure, PermanentFailure (also for an address of a private network).
    """
    return safe_http.download(
        provider_id,
        headers={},
        private=may_be_private(provider_id, settings),
        bytes_max=bytes_max,
        total_s=_download_s_max,
    )
