"""Find the author of a mail. The author is From; anybody can write any address into Reply-To."""

from __future__ import annotations

import re

from models.ports.inbound import Unparseable
from queues.channels.email.reading.header_block import Headers, all_values, first_value
from queues.channels.email.reading.headers import Address, addresses

_MBOX_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,100}>?From ([^\s:]{3,320}) ")


def sender_of(
    raw: bytes, headers: Headers, envelope: dict[str, str], *, raw_charset: str | None = None
) -> tuple[Address, bool]:
    """Return the author, and whether a mailing list names them in other headers. Raises Unparseable without an author.

    A list that rewrites From because of DMARC puts the author into X-Original-From and into Reply-To; both must name
    the same address. If From is missing or unreadable, the author is in Sender, Return-Path, the envelope, or the line
    of an mbox file.
    """
    author = _author_behind_a_list(headers)
    if author is not None:
        return author, True
    mbox = _MBOX_LINE.match(raw[:1_000])
    candidates = (
        *all_values(headers, b"from"),
        *all_values(headers, b"sender"),
        *all_values(headers, b"x-original-sender"),
        *all_values(headers, b"return-path"),
        envelope.get("from", "").encode("utf-8", "replace"),
        *all_values(headers, b"resent-from"),
        *all_values(headers, b"x-envelope-from"),
        mbox[1] if mbox else b"",
    )
    for value in candidates:
        found = addresses(value, raw_charset=raw_charset) if value else []
        if found:
            return found[0], False
    raise Unparseable("no sender: From, Return-Path and the envelope hold no e-mail address")


def _author_behind_a_list(headers: Headers) -> Address | None:
    is_list = first_value(headers, b"list-id") is not None or first_value(headers, b"x-beenthere") is not None
    original, answer_to = first_value(headers, b"x-original-from"), first_value(headers, b"reply-to")
    if not is_list or original is None or answer_to is None:
        return None
    named = addresses(original)
    if len(named) != 1 or named[0].address not in {one.address for one in addresses(answer_to)}:
        return None
    return named[0]
