"""Channel adapters, one folder each, found by name.

A folder has `ingress.py` (authenticate a request, name its event key), `parse.py` (raw bytes to a message; pure), `send.py` (network) and
its README. Functions load only `ingress`; workers load the rest when the first task of the channel comes.
Adding a channel touches its folder and nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from functools import cache
from typing import Protocol, cast

from models.channels.accounts import ChannelAccount
from models.deliveries.port import OutgoingMessage, SendOutcome
from models.inbox.port import EventKey, Ignored, InboundMessage, IngressRequest
from models.kernel.settings import Settings
from models.tasks.rates import Bucket


class Ingress(Protocol):
    """`ingress.py`: runs in the webhook function, so it imports nothing heavy.

    A provider proves itself by its headers, before a byte of its body is read. A channel whose provider signs the body has to
    declare so here (a `signed_body_bytes_max`, kept small, because strangers can then make us read as much); none does yet.
    """

    body_bytes_max: int

    def authenticate(self, headers: Mapping[str, str], account: ChannelAccount, settings: Settings) -> None:
        """Raise Unauthenticated unless the headers (names in lower case) prove that the provider calls.

        Constant time; says the same for each fault.
        """

    def identify(self, request: IngressRequest, account: ChannelAccount) -> EventKey:
        """Name the event; never raises for a strange body. Raises UnsupportedMediaType for a wrong content type."""


class Parser(Protocol):
    """`parse.py`: pure, bounded in time and memory."""

    def parse(
        self, raw: bytes, envelope: dict[str, str], account: ChannelAccount
    ) -> InboundMessage | Ignored:
        """Read a raw event. Raises Unparseable with a reason for people."""


class Sender(Protocol):
    """`send.py`: the only network; returns an outcome instead of raising for what a provider can do."""

    def send(self, message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
        """Carry one message. Unexpected exceptions count as `unknown` when they rise from here."""

    def buckets(self, account: ChannelAccount, address: str) -> list[Bucket]:
        """The rate limits that one send uses a slot of."""


@cache
def names() -> frozenset[str]:
    """The channels that there is a folder for."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def ingress(channel: str) -> Ingress:
    return cast(Ingress, importlib.import_module(f"{__name__}.{channel}.ingress"))


def parser(channel: str) -> Parser:
    return cast(Parser, importlib.import_module(f"{__name__}.{channel}.parse"))


def sender(channel: str) -> Sender:
    return cast(Sender, importlib.import_module(f"{__name__}.{channel}.send"))


def close_senders() -> None:
    """Close the connections that the loaded adapters keep (an optional `close()` in send.py); for a worker's shutdown."""
    for channel in names():
        module = sys.modules.get(f"{__name__}.{channel}.send")
        close = getattr(module, "close", None)
        if close is not None:
            close()
