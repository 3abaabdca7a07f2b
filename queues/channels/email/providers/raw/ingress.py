"""Requests with raw mail, authenticated by a bearer token, basic authentication, or our own signature."""

from __future__ import annotations

from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import IngressRequest, Received
from queues.channels.email.providers import auth, desk_signature, raw_request


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Check the token or password if the account has one. A signature is checked over the body. Raises
    Unauthenticated.
    """
    signs = bool(account.config.get("signing_key"))
    return auth.by_header(headers, account, settings, required=not signs) and not signs


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Raises Unauthenticated."""
    desk_signature.verify(request.headers, request.body, account, settings)


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Receive the mail of the request. Raises UnsupportedMediaType."""
    return raw_request.receive(request)
