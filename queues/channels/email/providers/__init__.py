"""Providers that carry mail over HTTP, one folder each, found by name: inbound mail, outbound mail, receipts.

The `__init__.py` of a folder names the credentials that an account needs (`inbound_needs`, `outbound_needs`, each a
tuple of alternatives). `ingress.py` authenticates a request and names its events. `parse.py` reads an event: a mail,
receipts, or an event to ignore. The optional `fetch.py` fetches the content that an event refers to, and the optional
`send.py` sends mail. A folder may have a description in YAML (`description.yaml`) in place of code. A new provider
needs its folder, its name in `account.py`, and its recordings in the tests' conformance suite.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from functools import cache
from pathlib import Path
from typing import cast

from models.channels.accounts import ChannelAccount
from models.kernel import imports
from models.kernel.errors import ConfigurationError
from models.ports.inbound import Ignored, Receipts
from queues.channel_port import Fetcher, Ingress
from queues.channels.email.providers.port import Carrier, Described, EventParser, KeyCheck, Mail

# Raw mail from a script or a mail server; an event that names no provider is such a mail.
PLAIN = "raw"
# The folder that reads a description: of a provider's folder, or the account's own.
DESCRIBED = "described"
DESCRIPTION_FILE = "description.yaml"


@cache
def names() -> frozenset[str]:
    """Return the names of the providers: folders with code, and folders with a description."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg) | with_description()


@cache
def with_description() -> frozenset[str]:
    """Return the providers whose folder has a description in YAML (`described/README.md`) in place of code."""
    return frozenset(file.parent.name for file in Path(__path__[0]).glob(f"*/{DESCRIPTION_FILE}"))


def _folder(provider: str) -> str:
    """Return the folder with the code of a provider."""
    return DESCRIBED if provider in with_description() else provider


def declared(provider: str) -> Described:
    """Return the keys that an account of the provider needs."""
    return cast(Described, imports.load(f"{__name__}.{_folder(provider)}"))


def ingress(provider: str) -> Ingress:
    return cast(Ingress, imports.load(f"{__name__}.{_folder(provider)}.ingress"))


def fetcher(provider: str) -> Fetcher | None:
    """Return the provider's `fetch.py`, or None when its events are complete."""
    return cast(Fetcher | None, _optional(provider, "fetch"))


def sender(provider: str) -> Carrier | None:
    """Return the provider's `send.py`, or None when it only receives."""
    return cast(Carrier | None, _optional(provider, "send"))


def key_checks(account: ChannelAccount) -> list[KeyCheck]:
    """Return the API tests of the account's providers, if the account has a key."""
    named = dict.fromkeys(str(account.config.get(key) or "") for key in ("provider", "outbound"))
    found = [_optional(one, "reach") for one in named if one in names() and account.config.get("api_key")]
    return [cast(KeyCheck, one) for one in found if one is not None]


def carrier_of(account: ChannelAccount) -> Carrier | None:
    """Return the HTTP sender of the account; None for SMTP. Raises ConfigurationError for a receive-only provider."""
    provider = str(account.config.get("outbound", "smtp"))
    if provider == "smtp":
        return None
    found = sender(provider) if provider in names() else None
    if found is None:
        raise ConfigurationError(f"channel account {account.name}: outbound: {provider!r} sends no mail")
    return found


def provider_of(envelope: dict[str, str]) -> str:
    """Return the provider of an event."""
    provider = envelope.get("provider", PLAIN)
    return provider if provider in names() else PLAIN


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """Parse an event. Raises Unparseable."""
    parser = cast(EventParser, imports.load(f"{__name__}.{_folder(provider_of(envelope))}.parse"))
    return parser.parse(raw, envelope, account)


def _optional(provider: str, part: str) -> object:
    name = f"{__name__}.{_folder(provider)}.{part}"
    return None if importlib.util.find_spec(name) is None else imports.load(name)
