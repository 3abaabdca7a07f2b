"""Find the author of a mail and the address for answers.

The author is the single mailbox of the single From. Other headers name an author only where From cannot be a person;
anybody can write any address into them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from models.channels.accounts import ChannelAccount
from models.ports.author_proof import Source
from models.ports.inbound import Unparseable
from queues.channels.email import limits
from queues.channels.email.judging import recipients
from queues.channels.email.judging.automatic import NO_REPLY_FROM
from queues.channels.email.reading.header_block import Headers, all_values, first_value
from queues.channels.email.reading.headers import Address, addresses

_MBOX_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,100}>?From ([^\s:]{3,320}) ")
_PLAIN = re.compile(r'[^"(\\]+')
_AT = re.compile(r"\s*@")
_WORD = re.compile(r"[\s<>,]+")

NO_SENDER = "no sender: From, Reply-To, Return-Path and the envelope hold no e-mail address"
# The author of a bounce that names none. The domain exists nowhere (RFC 2606 section 2).
NOBODY = Address("Mail Delivery System", "nobody@unknown.invalid")


@dataclass(frozen=True, slots=True)
class Author:
    """The author. `source`: the header that names the author. `single`: the only mailbox of the only From; None if
    From is missing, unreadable, or names several. `reply_to`: the first address of Reply-To that is not the desk's.
    `from_header`: the first address of From, where another header names the author.
    """

    mailbox: Address
    source: Source
    single: Address | None
    reply_to: Address | None
    from_header: Address | None = None


def author_of(
    raw: bytes,
    headers: Headers,
    envelope: dict[str, str],
    account: ChannelAccount,
    *,
    raw_charset: str | None = None,
    may_be_missing: bool = False,
) -> Author:
    """Find the author. Raises Unparseable if no header names one, unless it `may_be_missing`: mailers leave it out.

    A list that rewrites From because of DMARC puts the author into X-Original-From and into Reply-To; both must name
    the same address. Where From is a no-reply address, an address of the desk, an address of the account's
    `author_from`, or no address, the author is in Reply-To. Without From and Reply-To, the author is in Sender,
    Return-Path, the envelope, or the line of an mbox file.
    """
    ours = recipients.own_addresses(account)
    written = [
        (value, addresses(value, raw_charset=raw_charset) if value else []) for value in all_values(headers, b"from")
    ]
    single = _single_mailbox(headers, written)
    named = next((found[0] for _, found in written if found), None)
    reply_to = _reply_to(headers, ours, raw_charset, sender=named)
    behind_list = _author_behind_a_list(headers)
    if behind_list is not None:
        return Author(behind_list, "list", single, None, named)
    if reply_to is not None and (named is None or _is_no_person(named.address, ours, account)):
        return Author(reply_to, "reply_to", single, None, named)
    if named is not None:
        return Author(named, "from", single, None if reply_to == named else reply_to)
    found = _first(_other_values(raw, headers, envelope), raw_charset)
    if found is None and may_be_missing:
        return Author(NOBODY, "header", None, None)
    if found is None:
        raise Unparseable(NO_SENDER)
    return Author(found, "header", None, None)


def _other_values(raw: bytes, headers: Headers, envelope: dict[str, str]) -> Iterable[bytes]:
    mbox = _MBOX_LINE.match(raw[:1_000])
    return (
        *all_values(headers, b"sender"),
        *all_values(headers, b"x-original-sender"),
        *all_values(headers, b"return-path"),
        envelope.get("from", "").encode("utf-8", "replace"),
        *all_values(headers, b"resent-from"),
        *all_values(headers, b"x-envelope-from"),
        mbox[1] if mbox else b"",
    )


def _first(values: Iterable[bytes], raw_charset: str | None) -> Address | None:
    for value in values:
        found = addresses(value, raw_charset=raw_charset) if value else []
        if found:
            return found[0]
    return None


def _is_no_person(address: str, ours: Collection[str], account: ChannelAccount) -> bool:
    """Return True if other people write the mails from this From address: a web form, a shop, the desk's own site."""
    listed = {str(one).strip().lower() for one in (account.config.get("author_from") or {}).get("reply_to") or ()}
    domain = f"@{address.rpartition('@')[2]}"
    return address in ours or address in listed or domain in listed or NO_REPLY_FROM.match(address) is not None


def _reply_to(
    headers: Headers, ours: tuple[str, ...], raw_charset: str | None, *, sender: Address | None
) -> Address | None:
    """Return the first address of Reply-To that is not the desk's. If From is among them, an answer goes to From."""
    found = [
        one
        for value in all_values(headers, b"reply-to")
        for one in (addresses(value, raw_charset=raw_charset) if value else [])
        if not recipients.is_own(one.address, ours)
    ]
    if sender is not None and sender.address in {one.address for one in found}:
        return sender
    return found[0] if found else None


def _single_mailbox(headers: Headers, written: list[tuple[bytes, list[Address]]]) -> Address | None:
    """Return the mailbox of From if there is one From with one mailbox that every reader finds; else None.

    The judge reads From with a parser of its own. If From has one address outside of quotes and comments, all parsers
    agree on it. A block of more headers than the parser reads may have another From.

    `written`: each From with the addresses that were read from it.
    """
    if len(written) != 1 or len(headers) >= limits.headers_max:
        return None
    [(value, found)] = written
    visible = _visible(value)
    if len(found) != 1 or visible is None or ";" in visible:
        return None
    words = [word for word in _WORD.split(visible) if "@" in word]
    address = found[0].address
    if not words:
        return None
    if len(words) == 1:
        is_same = words[0].count("@") == 1 and _folded(words[0]).rpartition("@")[2] == address.rpartition("@")[2]
    else:
        is_same = all(_folded(word) == address for word in words)
    return found[0] if is_same else None


def _folded(word: str) -> str:
    return word.lower().removeprefix("mailto:").strip(".':")


def _visible(value: bytes) -> str | None:
    """Return a header without its comments and its quoted strings, except a quoted local part; None if one of them
    does not end.
    """
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    out: list[str] = []
    at = 0
    while at < len(text):
        plain = _PLAIN.match(text, at)
        if plain is not None:
            out.append(plain[0])
            at = plain.end()
            continue
        is_quoted = text[at] == '"'
        if text[at] == "\\":
            end: int | None = at + 2
        else:
            end = _end_of_quoted(text, at) if is_quoted else _end_of_comment(text, at)
        if end is None:
            return None
        out.append("q" if is_quoted and _AT.match(text, end) else " ")
        at = end
    return "".join(out)


def _end_of_quoted(text: str, start: int) -> int | None:
    at = start + 1
    while at < len(text):
        if text[at] == '"':
            return at + 1
        at += 2 if text[at] == "\\" else 1
    return None


def _end_of_comment(text: str, start: int) -> int | None:
    at, depth = start, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
        if not depth:
            return at
    return None


def _author_behind_a_list(headers: Headers) -> Address | None:
    is_list = first_value(headers, b"list-id") is not None or first_value(headers, b"x-beenthere") is not None
    original, answer_to = first_value(headers, b"x-original-from"), first_value(headers, b"reply-to")
    if not is_list or original is None or answer_to is None:
        return None
    named = addresses(original)
    if len(named) != 1 or named[0].address not in {one.address for one in addresses(answer_to)}:
        return None
    return named[0]
