"""Authentication of providers that sign nothing: basic or bearer credentials, or a secret path."""

from __future__ import annotations

from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.errors import Unauthenticated
from models.kernel.settings import Settings
from models.ports.inbound import IngressRequest
from queues.channels.email.providers import auth


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Check the credential. Raises Unauthenticated."""
    return auth.by_header(headers, account, settings, required=True)


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Refuse: a request without a valid credential has no other proof."""
    raise Unauthenticated("this webhook needs the channel account's secret")
