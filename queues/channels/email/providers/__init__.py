"""Who carries mail for us over HTTP, one folder each, found by name: what comes in, what leaves, and what became of it.

A folder's `__init__.py` says which credentials an account needs (`inbound_needs`, `outbound_needs`: each a tuple of
alternatives); `ingress.py` authenticates a request and names its events; `parse.py` says what an event is (a mail for
the one MIME parser, receipts, nothing); `fetch.py`, where there is one, gets what an event only points to; `send.py`,
where there is one, hands our mail over. Adding a provider touches its folder, its name in `account.py`, and its manners
in the tests' conformance suite.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from functools import cache
from typing import cast

from models.channels.accounts import ChannelAccount
from models.kernel import imports
from models.kernel.errors import ConfigurationError
from models.ports.inbound import Ignored, Receipts
from queues.channel_port import Fetcher, Ingress
from queues.channels.email.providers.port import Carrier, Described, Mail, Teller, Trier

PLAIN = "raw"  # the mail itself, from a script or a mail server; events that name no provider are mails


@cache
def names() -> frozenset[str]:
    """The providers that there is a folder for."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def described(provider: str) -> Described:
    """What an account of the provider needs."""
    return cast(Described, imports.load(f"{__name__}.{provider}"))


def ingress(provider: str) -> Ingress:
    return cast(Ingress, imports.load(f"{__name__}.{provider}.ingress"))


def fetcher(provider: str) -> Fetcher | None:
    """The provider's `fetch.py`, or None when its events hold all."""
    return cast(Fetcher | None, _optional(provider, "fetch"))


def sender(provider: str) -> Carrier | None:
    """The provider's `send.py`, or None when it only receives."""
    return cast(Carrier | None, _optional(provider, "send"))


def triers(account: ChannelAccount) -> list[Trier]:
    """Those of the account's providers that have an API for which it has a key."""
    named = dict.fromkeys(str(account.config.get(key) or "") for key in ("provider", "outbound"))
    found = [_optional(one, "reach") for one in named if one in names() and account.config.get("api_key")]
    return [cast(Trier, one) for one in found if one is not None]


def carrier_of(account: ChannelAccount) -> Carrier | None:
    """What sends the account's mail over HTTP; None: SMTP does. Raises ConfigurationError for a provider that only receives."""
    provider = str(account.config.get("outbound", "smtp"))
    if provider == "smtp":
        return None
    found = sender(provider) if provider in names() else None
    if found is None:
        raise ConfigurationError(f"channel account {account.name}: outbound: {provider!r} sends no mail")
    return found


def teller_of(envelope: dict[str, str]) -> str:
    """Which provider told an event."""
    provider = envelope.get("provider", PLAIN)
    return provider if provider in names() else PLAIN


def told(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """What an event is. Raises Unparseable."""
    teller = cast(Teller, imports.load(f"{__name__}.{teller_of(envelope)}.parse"))
    return teller.parse(raw, envelope, account)


def _optional(provider: str, part: str) -> object:
    name = f"{__name__}.{provider}.{part}"
    return None if importlib.util.find_spec(name) is None else imports.load(name)
