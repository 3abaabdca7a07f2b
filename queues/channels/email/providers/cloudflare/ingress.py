"""The Worker's requests: the raw mail, its envelope in headers, our signature over the body."""

from __future__ import annotations

from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import IngressRequest, Received
from queues.channels.email.providers import desk_signature, raw_request


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Return False: `verify` checks the signature over the body."""
    return False


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Raises Unauthenticated."""
    desk_signature.verify(request.headers, request.body, account, settings)


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Receive the mail of the request. Raises UnsupportedMediaType."""
    return raw_request.receive(request)
