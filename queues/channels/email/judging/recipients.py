"""Read the recipients of a mail: the token in our reply address, and the other readers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Participant
from queues.channels.email import limits
from queues.channels.email.reading.header_block import Headers, all_values
from queues.channels.email.reading.headers import Address, addresses

_SERVER_HEADERS = (b"delivered-to", b"x-original-to", b"envelope-to", b"x-envelope-to", b"x-forwarded-to")
_WRITTEN_HEADERS = (b"to", b"cc")
_NUMBER = re.compile(r"\[#(\d{1,9})\]")


def own_addresses(account: ChannelAccount) -> tuple[str, ...]:
    """Return the account's addresses in lower case; the first is the one that it sends from."""
    found = [account.config.get("address", ""), *(account.config.get("aliases") or [])]
    return tuple(str(address).strip().lower() for address in found if address)


def is_own(address: str, ours: tuple[str, ...]) -> bool:
    """Return True if the address is one of the account's addresses, with or without a token."""
    return address in ours or _token(address, ours) is not None


def reply_token(headers: Headers, envelope: dict[str, str], ours: tuple[str, ...]) -> str | None:
    """Find the token of desk+<token>@... in the envelope, in headers that servers add, or in To and Cc."""
    return next((token for _, token in _tokens(headers, envelope, ours)), None)


def token_header(headers: Headers, envelope: dict[str, str], ours: tuple[str, ...]) -> str | None:
    """Return the header in which the author wrote the reply token: To or Cc. None if only servers named it."""
    wanted = reply_token(headers, envelope, ours)
    written = (name for name, token in _tokens(headers, envelope, ours) if name in _WRITTEN_HEADERS and token == wanted)
    return next((name.decode() for name in written), None)


def copies(headers: Headers, *, author: str, ours: tuple[str, ...]) -> tuple[Participant, ...]:
    """Return each address in To and Cc once, without ours and the author's."""
    found: dict[str, Participant] = {}
    for name in (b"to", b"cc"):
        for value in all_values(headers, name):
            for one in addresses(value):
                if not is_own(one.address, ours) and one.address != author:
                    found.setdefault(one.address, Participant(one.name, one.address))
    return tuple(found.values())[: limits.addresses_max]


def subject_number(subject: str) -> int | None:
    """Return the ticket number that a subject claims ([#123])."""
    match = _NUMBER.search(subject)
    return int(match[1]) if match else None


def _tokens(headers: Headers, envelope: dict[str, str], ours: tuple[str, ...]) -> Iterator[tuple[bytes, str]]:
    """Yield the tokens in the order of trust, each with the name of its header; the envelope's name is empty."""
    values = [(b"", envelope.get("to", "").encode("utf-8", "replace"))]
    values += [(name, value) for name in (*_SERVER_HEADERS, *_WRITTEN_HEADERS) for value in all_values(headers, name)]
    for name, value in values[: limits.recipient_headers_max]:
        for one in _found(value):
            token = _token(one.address, ours)
            if token:
                yield name, token


def _found(value: bytes) -> list[Address]:
    """Return the addresses of a value that may hold a token; an encoded word may hide the plus."""
    return addresses(value) if b"+" in value or b"=?" in value else []


def _token(address: str, ours: tuple[str, ...]) -> str | None:
    """Return the token after the plus of one of our addresses."""
    local, _, domain = address.rpartition("@")
    base, plus, token = local.partition("+")
    return token if plus and f"{base}@{domain}" in ours else None
