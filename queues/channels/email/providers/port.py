"""The protocols of the provider folders, by which the rest of the channel uses them."""

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
    """A mail in an event: its RFC 5322 bytes, original or rebuilt from the provider's fields."""

    raw: bytes = field(repr=False)


class EventParser(Protocol):
    """`parse.py`: pure, bounded."""

    def parse(self, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
        """Parse the bytes of an event, or the result of `fetch`. Raises Unparseable with a reason for people."""


class Carrier(Protocol):
    """`send.py`: one HTTP call; a provider's error becomes an outcome."""

    def send(self, message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
        """Send one mail."""


class KeyCheck(Protocol):
    """`reach.py` of a provider with an API: tests the account's key. Changes and sends nothing, never raises."""

    def test(self, account: ChannelAccount, settings: Settings) -> list[Finding]:
        """Return the findings for the operator."""


class Described(Protocol):
    """`__init__.py`: the keys of an account's file that the provider reads."""

    # Keys that an account needs, each with its alternatives.
    inbound_needs: tuple[tuple[str, ...], ...]
    # Empty, and no `send.py`, for a provider that only receives.
    outbound_needs: tuple[tuple[str, ...], ...]
    # Further keys that the provider reads.
    inbound_uses: frozenset[str]
    outbound_uses: frozenset[str]
