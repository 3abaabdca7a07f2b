"""Our own signature over a body, for a Worker or a script that posts mail.

`X-Desk-Signature: t=<unix seconds>,v1=<hex(HMAC-SHA256(key, t + "." + body))>`; several `v1` while a key is changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channels.email.providers import auth, limits

HEADER = "x-desk-signature"


def verify(headers: Mapping[str, str], body: bytes, account: ChannelAccount, settings: Settings) -> None:
    """Check the signature and its age. Raises Unauthenticated."""
    told = [pair.strip().partition("=") for pair in headers.get(HEADER, "")[:2_000].split(",")]
    timestamp = next((value for name, _, value in told if name == "t"), "")
    given = [value.lower() for name, _, value in told if name == "v1"]
    auth.check_hmac(given, account.credential("signing_key", settings), f"{timestamp}.", body)
    auth.check_fresh(timestamp, past_s=limits.desk_signature_s)
