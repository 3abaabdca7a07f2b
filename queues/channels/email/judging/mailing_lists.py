"""Read the headers of mailing lists (RFC 2369, RFC 2919): whose list a mail came by, and whether it was meant for us.

Many desks have a group or a list as their public address. A mail that comes by it is a mail to the desk.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from queues.channels.email.reading.header_block import Headers, all_values, first_value
from queues.channels.email.reading.headers import addresses

_ID = re.compile(r"<([^<>\s]{1,255})>")
_MAILTO = re.compile(r"<mailto:([^<>?\s]{3,320})")
_LIST_OF = re.compile(r"\blist ([^\s;<>]{3,320}@[^\s;<>]{1,255})")


def has_list_headers(headers: Headers) -> bool:
    """Return True if a list or a sender of news added its headers."""
    return any(name.startswith(b"list-") or name in (b"x-beenthere", b"mailing-list") for name, _ in headers)


def list_addresses(headers: Headers) -> set[str]:
    """Return the addresses of the lists that the mail came by, in lower case."""
    found = {match[1] for value in _texts(headers, b"list-post") for match in _MAILTO.finditer(value)}
    found |= {one.address for value in all_values(headers, b"x-beenthere") for one in addresses(value)}
    # Google Groups: "list support@org.example; contact support+owners@org.example".
    return found | {match[1] for value in _texts(headers, b"mailing-list") for match in _LIST_OF.finditer(value)}


def is_ours(headers: Headers, ours: Collection[str]) -> bool:
    """Return True if the address of the list is one of `ours`."""
    return any(is_list_address(headers, one) for one in ours)


def is_list_address(headers: Headers, address: str) -> bool:
    """Return True if the address is that of a list that the mail came by.

    The id of a list is its address with a dot for the @ (Google Groups, Mailman; RFC 2919 section 3).
    """
    ids = {match[1] for value in _texts(headers, b"list-id") for match in _ID.finditer(value)}
    return address in list_addresses(headers) or address.replace("@", ".") in ids


def is_written_to_us_as_well(headers: Headers, ours: Collection[str], precedence: Collection[str]) -> bool:
    """Return True if somebody wrote to a list that people discuss on and named an address of ours in To or Cc.

    News to many readers names each of them in To as well. It has no address to write to, and a link that unsubscribes
    with one click (RFC 8058).
    """
    is_discussion = "list" in precedence or bool(list_addresses(headers))
    if not is_discussion or first_value(headers, b"list-unsubscribe-post") is not None:
        return False
    named = (one.address for name in (b"to", b"cc") for value in all_values(headers, name) for one in addresses(value))
    return any(address in ours for address in named)


def _texts(headers: Headers, name: bytes) -> Iterator[str]:
    return (value[:2_000].decode("latin-1").lower() for value in all_values(headers, name))
