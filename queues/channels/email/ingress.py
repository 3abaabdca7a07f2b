"""Authenticate the requests of mail providers and read the events in them.

The inbound provider of an account calls its webhook. An outbound provider that is another one posts its receipts to the
same address with `?provider=<outbound>`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import NotFound
from models.kernel.settings import Settings
from models.kernel.text import one_line
from models.ports.inbound import IngressRequest, Received
from queues.channels.email import providers
from queues.channels.email.mail_key import mail_key

__all__ = ["authenticate", "body_bytes_max", "mail_key", "receive", "verify"]

body_bytes_max = limits.webhook_body_bytes_max


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Check the provider's credentials. Raises Unauthenticated, NotFound (the account does not name the provider)."""
    return providers.ingress(_calling(query, account)).authenticate(headers, query, account, settings)


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Check the provider's signature over the body. Raises Unauthenticated."""
    providers.ingress(_calling(request.query, account)).verify(request, account, settings)


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Read the provider's events; the envelope of each names the provider. Raises UnsupportedMediaType."""
    provider = _calling(request.query, account)
    received = providers.ingress(provider).receive(request, account)
    if provider == providers.PLAIN:
        return received
    events = tuple(
        dataclasses.replace(
            event, key=dataclasses.replace(event.key, envelope={**event.key.envelope, "provider": provider})
        )
        for event in received.events
    )
    return dataclasses.replace(received, events=events)


def _calling(query: Mapping[str, str], account: ChannelAccount) -> str:
    """Return the calling provider: the one that the address names, or the account's inbound provider."""
    named = (account.config.get("provider", providers.PLAIN), account.config.get("outbound"))
    expected = [str(name) for name in named if name in providers.names()]
    asked = query.get("provider", expected[0] if expected else "")
    only_sends = asked != account.config.get("provider", providers.PLAIN)
    if asked not in expected or (only_sends and not _can_prove(asked, account)):
        raise NotFound(f"this mailbox takes no events of the provider {one_line(asked, 40)!r}")
    return asked


def _can_prove(provider: str, account: ChannelAccount) -> bool:
    """Return True if the account has the provider's credentials; a provider that only sends may have none."""
    needs = providers.declared(provider).inbound_needs
    return all(any(account.config.get(key) for key in alternatives) for alternatives in needs)
