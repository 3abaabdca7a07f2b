"""Facts that a channel declares and the domain decides by: how its addresses compare, whether it has copies.

A channel's `Channel` object has them. `queues.channels` registers the reader of these objects when it is imported, so
the domain names no channel and imports no adapter. A process that never imports `queues.channels` gets an error instead
of wrong answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.kernel.errors import Conflict

Config = Mapping[str, Any]


def _itself(address: str) -> str:
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """Facts about one channel. The defaults describe a chat whose ids belong to one account."""

    # The name that people read.
    title: str = ""
    # Addresses are e-mail addresses (RFC 5322 addr-spec). A requester's `email` in the API is an address of this
    # channel.
    addresses_are_emails: bool = False
    # Two addresses that differ only in case are one address.
    addresses_fold_case: bool = False
    # The desk's own addresses in an account's file. A message from one of them is the desk's own; none of them gets a
    # copy.
    own_addresses: Callable[[Config], Iterable[str]] | None = None
    # `desk+token@example.test` reaches the mailbox `desk@example.test` (RFC 5233).
    has_subaddresses: bool = False
    # A message names further readers, and an answer can go to them as well.
    has_copies: bool = False
    # A reply ends with the signature of its author.
    has_signatures: bool = False
    # The parser judges whether a message's sender is genuine (`InboundMessage.verdict`).
    authenticates_senders: bool = False
    # A message's id is unique over all accounts (RFC 5322 3.6.4), and the desk chooses the ids of its own messages.
    message_ids_are_global: bool = False
    # Makes the link that opens a chat with an account and hands over a token; None while the account's file lacks what
    # it needs.
    deep_link: Callable[[Config, str], str | None] | None = None
    # The author's address whose own place a chat's address is: the private chat with a person, a person's talk in a
    # group. A place of several people is nobody's, and is returned as it is.
    person_of: Callable[[str], str] = _itself

    def comparable(self, address: str) -> str:
        """Return the form in which two addresses of the channel are compared."""
        address = address.strip().replace("\x00", "")
        return address.lower() if self.addresses_fold_case else address


_UNKNOWN = ChannelFacts()  # "api", "console", and a channel whose folder was removed
_registered: list[tuple[Callable[[], Iterable[str]], Callable[[str], ChannelFacts]]] = []
_known: dict[str, ChannelFacts] = {}


def register(names: Callable[[], Iterable[str]], read: Callable[[str], ChannelFacts]) -> None:
    """Say which channels there are and how their facts are read. `queues.channels` calls this; the last call holds."""
    _registered[:] = [(names, read)]
    _known.clear()


def of(channel: str) -> ChannelFacts:
    """Return a channel's facts; the defaults for a name that is no channel. Reads the facts of this channel only."""
    if channel not in _known:
        known_names, read = _source()
        _known[channel] = read(channel) if channel in known_names() else _UNKNOWN
    return _known[channel]


def with_emails() -> str:
    """Return the channel whose addresses are e-mail addresses, the first by name.

    Raises Conflict when there is none.
    """
    found = next((channel for channel in names() if of(channel).addresses_are_emails), None)
    if found is None:
        raise Conflict("no channel of this desk has e-mail addresses")
    return found


def with_deep_links() -> str | None:
    """Return the channel whose chats are opened by a link, the first by name; None when there is none."""
    return next((channel for channel in names() if of(channel).deep_link is not None), None)


def names() -> list[str]:
    """Return the names of the channels, sorted."""
    return sorted(_source()[0]())


def _source() -> tuple[Callable[[], Iterable[str]], Callable[[str], ChannelFacts]]:
    if not _registered:
        raise RuntimeError("no channels are registered; this process must import queues.channels")
    return _registered[0]
