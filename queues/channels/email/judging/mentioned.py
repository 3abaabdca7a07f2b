"""The people whose event a mail or a provider's report is, for an event that makes no message."""

from __future__ import annotations

import json
import re
from typing import Any

from queues.channels.email.reading.header_block import all_values, mail_start, split_headers
from queues.channels.email.reading.headers import addresses

# -- limits ----------------------------------------------------------------------------------------------------
_people_max = 50  # a provider reports of some recipients at once; a mail has one author
_nodes_max = 5_000  # a provider's report has some hundred members

# A whole value that is one address. An address inside a longer text names nobody here.
_ADDRESS = re.compile(r"[^\s@<>\",;]{1,64}@[^\s@<>\",;]{1,255}")
_AUTHOR_HEADERS = (b"from", b"sender", b"reply-to", b"return-path", b"x-failed-recipients")


def people(raw: bytes, envelope: dict[str, str], *, ours: frozenset[str]) -> tuple[str, ...]:
    """Return the addresses, in lower case and without the desk's own: of a mail its authors and the recipients that a
    bounce names, of a provider's JSON every value that is an address.
    """
    if raw.lstrip()[:1] in (b"{", b"["):
        found = _in_json(raw)
    else:
        found = _in_headers(raw)
        if not found and envelope.get("from"):
            found = [envelope["from"]]
    folded = dict.fromkeys(address.strip().lower() for address in found)
    return tuple(address for address in folded if address and address not in ours)[:_people_max]


def _in_headers(raw: bytes) -> list[str]:
    headers, _ = split_headers(raw, mail_start(raw))
    return [
        address.address
        for name in _AUTHOR_HEADERS
        for value in all_values(headers, name)
        for address in addresses(value)
        if address.address
    ]


def _in_json(raw: bytes) -> list[str]:
    try:
        waiting: list[Any] = [json.loads(raw)]
    except (ValueError, RecursionError):
        return []  # bytes that nothing can be read from name nobody
    found, seen = [], 0
    while waiting and seen < _nodes_max:
        node = waiting.pop(0)
        seen += 1
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, str) and _ADDRESS.fullmatch(node.strip("<> ")):
            found.append(node.strip("<> "))
    return found
