"""What the providers' folders have in common: the shapes that the rest of the mail channel knows them by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import Ignored, Receipts
from models.ports.outbound import OutgoingMessage, SendOutcome
from queues.channel_port import Finding


@dataclass(frozen=True, slots=True)
class Mail:
    """An event is a mail: its RFC 5322 bytes, as the provider got them or put together again from what it tells."""

    raw: bytes = field(repr=False)


class Teller(Protocol):
    """`parse.py`: pure, bounded."""

    def parse(self, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
        """What the event's bytes (or what `fetch` got for them) are. Raises Unparseable with a reason for people."""


class Carrier(Protocol):
    """`send.py`: one HTTP call; an outcome instead of raising for what a provider can do."""

    def send(self, message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
        """Hand one mail over."""


class Trier(Protocol):
    """`reach.py`, where there is an API: try the account's key, for operators; changes nothing, sends nothing, never raises."""

    def test(self, account: ChannelAccount, settings: Settings) -> list[Finding]:
        """What was found."""


class Described(Protocol):
    """`__init__.py`: the keys of an account's file that the provider needs, each with its alternatives."""

    inbound_needs: tuple[tuple[str, ...], ...]
    outbound_needs: tuple[tuple[str, ...], ...]  # empty and without a `send.py`: receives only
