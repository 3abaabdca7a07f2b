"""Header values as text, addresses, message ids and instants (RFC 5322, RFC 2047).

Python's email package is not used: its modern policy raises on real headers (cpython#83281), its address parser
recurses into comments, and both are slow on hostile headers.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from models.kernel import limits
from models.kernel.text import one_line
from queues.channels.email import limits as mime_limits
from queues.channels.email.reading.charset import decode, decode_header

# An encoded word as senders write it: with blanks and question marks inside, or without its end. It stops at the next
# `=?`, so the search is linear.
_WORD = re.compile(rb"=\?([^?\s]{0,60})\?([bBqQ])\?((?:[^?=]|=(?!\?[^=])|\?(?!=))*)(?:\?=|\Z)")
_ID = re.compile(r"<([^<>]*)>|([^\s<>,;\"]+)")
_BARE_ADDRESS = re.compile(r"[^\s<>\"(),;:\\\[\]@]{1,100}@[A-Za-z0-9\u0080-\U0010ffff][^\s<>\"(),;:@\[\]]{0,250}")
_QUOTED_LOCAL = re.compile(r'"([^"<>]{1,64})"@([^\s<>"(),;:@]{1,250})')
# RFC 5322 section 3.4: `name: mailbox, mailbox;`
_GROUP = re.compile(r'\s{0,20}(?:"[^"]{0,200}"|[^":<>@,;]{1,200}):')
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")
_NO_ADDRESS = re.compile('[\x00-\x20\x7f<>,;()"]')
_ATOM = re.compile(r"[^\s<>\"(),;:\\\[\]@]{1,64}")
_DATE_CHARS_MAX = 100
# A date outside comes from a broken clock, and the mail would always sort wrongly.
_YEARS = range(1980, 2200)
# Each state of reading a mailbox list, with the characters that it takes as they are.
_WORDS, _QUOTED, _COMMENT, _ANGLE = "words", "quoted", "comment", "angle"
_RUNS = {
    _WORDS: re.compile(r'[^"(<,;]+'),
    _QUOTED: re.compile(r'[^\\"]+'),
    _COMMENT: re.compile(r"[^\\()]+"),
    _ANGLE: re.compile(r"[^<>]+"),
}
_TURNS = {
    (_WORDS, '"'): _QUOTED,
    (_WORDS, "("): _COMMENT,
    (_WORDS, "<"): _ANGLE,
    (_QUOTED, '"'): _WORDS,
    (_ANGLE, "<"): _ANGLE,
    (_ANGLE, ">"): _WORDS,
}


_NOT_VISIBLE = re.compile(r"[^!-~]")
_NO_DIGITS = bytes(
    byte for byte in range(256) if not (chr(byte).isascii() and chr(byte).isalnum()) and byte not in b"+/-_"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: the display name and the address."""

    name: str
    # Lower case.
    address: str


def text_of(value: bytes, *, raw_charset: str | None = None) -> str:
    """Decode a header value: encoded words (RFC 2047), and 8-bit bytes by the charset ladder.

    `raw_charset` is the charset of the mail's text: senders that break the rules with 8-bit headers mostly use the same
    charset.
    """
    if b"=?" not in value:
        return decode_header(value, raw_charset) if value else ""
    return "".join(
        decode_header(content, raw_charset) if charset is None else decode(content, charset)
        for content, charset in _pieces(value)
        if content
    )


def _pieces(value: bytes) -> list[tuple[bytes, str | None]]:
    """Return the bytes of a value with their charset (None outside encoded words). Words of one charset are joined."""
    pieces: list[tuple[bytes, str | None]] = []
    # `digits` are those of the last word when its base64 ended within a byte.
    at, digits = 0, b""
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        if between.strip() or not pieces:
            pieces.append((between, None))
        # RFC 2231 section 5: charset*language.
        charset = word[1].partition(b"*")[0].decode("ascii", "replace").lower()
        before, written = b"", word[3]
        if pieces[-1][1] == charset:
            # A character may be cut between two words. It is whole again when they are joined before decoding.
            before = pieces.pop()[0]
            if digits and word[2] in b"bB":
                before = before[: len(before) - len(lenient_base64(digits))]
                written = digits + written
        pieces.append((before + _word_bytes(word[2], written), charset))
        digits = _open_digits(word[2], written)
        at = word.end()
    pieces.append((value[at:], None))
    return pieces


def _open_digits(encoding: bytes, written: bytes) -> bytes:
    """Return the digits of a base64 word that ends within a byte; empty for any other word."""
    return written if encoding in b"bB" and len(written) % 4 and b"=" not in written else b""


def _word_bytes(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"qQ":
        return binascii.a2b_qp(content.rstrip(b"?") if content.endswith(b"=?") else content, header=True)
    return lenient_base64(content)


def lenient_base64(content: bytes) -> bytes:
    """Decode base64; foreign characters and wrong padding are ignored."""
    digits = content.translate(bytes.maketrans(b"-_", b"+/"), _NO_DIGITS)
    return binascii.a2b_base64(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")


def addresses(value: bytes, *, raw_charset: str | None = None) -> list[Address]:
    """Read the usable addresses of a From-like header, at most `mime_limits.addresses_max`.

    `raw_charset` is that of `text_of`.
    """
    text = value.decode("latin-1")
    found = _readable(text, raw_charset)
    if not found and b"=?" in value:
        # Some senders encode the whole header, with the address.
        text = text_of(value)
        found = _readable(text, raw_charset)
    if not found:
        # Brackets, quotes or comments without end.
        bare = _BARE_ADDRESS.search(text)
        spec = _spec(bare[0]) if bare else None
        found = [Address("", spec)] if spec else []
    return found


def _readable(text: str, raw_charset: str | None) -> list[Address]:
    spec = _quoted_spec(text)
    if spec is not None:
        return [Address("", spec)]
    found: list[Address] = []
    # "Lovelace, Ada <ada@x>" has a name with a comma outside quotes: `before` is its first half.
    before = ""
    for words, angle, comment in _mailboxes(_without_group_name(text)):
        if angle is None and "@" not in words and "@" not in comment:
            before = f"{words.strip()}, " if words.strip() and not found else ""
            continue
        address = _address(before + words.lstrip() if angle is not None else words, angle, comment, raw_charset)
        before = ""
        if address is not None:
            found.append(address)
    return found


def _quoted_spec(text: str) -> str | None:
    """Return an address like `"ada lovelace"@example.test` that stands without brackets."""
    quoted = _QUOTED_LOCAL.match(text.strip()) if "<" not in text else None
    return None if quoted is None else _spec(quoted[0])


def _without_group_name(text: str) -> str:
    group = _GROUP.match(text) if text.rstrip().endswith(";") else None
    return text[group.end() :] if group else text


class _Mailbox:
    """A mailbox as it is read: the words, the text in angle brackets and the comment."""

    def __init__(self) -> None:
        self.state = _WORDS
        self._words: list[str] = []
        self._angle: list[str] | None = None
        self._comment: list[str] = []
        self._depth = 0

    def add(self, text: str) -> None:
        if self.state == _ANGLE and self._angle is not None:
            self._angle.append(text)
        else:
            (self._comment if self.state == _COMMENT else self._words).append(text)

    def turn(self, character: str) -> None:
        """Change the state at a character that opens or closes quotes, a comment or angle brackets."""
        if self.state == _COMMENT:
            self._turn_in_comment(character)
            return
        self.state = _TURNS[self.state, character]
        if self.state == _COMMENT:
            self._depth = 1
        elif self.state == _ANGLE and self._angle is None:
            self._angle = []

    def _turn_in_comment(self, character: str) -> None:
        if character == "(":
            self._depth += 1
            return
        self._depth -= 1
        self._comment.append(" ")
        if not self._depth:
            self.state = _WORDS

    def read(self) -> tuple[str, str | None, str]:
        angle = None if self._angle is None else "".join(self._angle)
        return "".join(self._words), angle, "".join(self._comment)


def _mailboxes(text: str) -> Iterator[tuple[str, str | None, str]]:
    """Yield (words, text in angle brackets, comment) of each mailbox, in one pass without recursion."""
    mailbox, at, count = _Mailbox(), 0, 0
    while at < len(text):
        run = _RUNS[mailbox.state].match(text, at)
        if run is not None:
            mailbox.add(run[0])
            at = run.end()
            continue
        character = text[at]
        at += 1
        if character == "\\":
            # A quoted pair, in quotes and comments only (RFC 5322 section 3.2.1).
            mailbox.add(text[at : at + 1])
            at += 1
        elif character in ",;":
            yield mailbox.read()
            mailbox, count = _Mailbox(), count + 1
            if count >= mime_limits.addresses_max:
                return
        else:
            mailbox.turn(character)
    yield mailbox.read()


def _address(words: str, angle: str | None, comment: str, raw_charset: str | None) -> Address | None:
    spec, name = angle, words
    if spec is None or "@" not in spec:
        spec, name = _bare_spec(words)
    spec = _spec(spec)
    if spec is None:
        return None
    shown = text_of((name.strip() or comment.strip()).encode("latin-1", "replace"), raw_charset=raw_charset)
    shown = one_line(shown, limits.name_chars_max).strip("<> ")
    if len(shown) > 2 and shown[0] == shown[-1] and shown[0] in "\"'":
        shown = shown[1:-1].strip()
    return Address(shown, spec)


def _bare_spec(words: str) -> tuple[str, str]:
    """Find an address without brackets: the address and the name beside it."""
    bare = _BARE_ADDRESS.search(words)
    spec = bare[0] if bare else next((word for word in words.split() if "@" in word), "")
    name = words.replace(spec, " ", 1) if spec else words
    # "undisclosed: a@b" is a group.
    return spec, name.rpartition(":")[2]


def _spec(text: str) -> str | None:
    """Return the address in lower case; None when the text is no address."""
    text = text_of(text.encode("latin-1", "replace")) if "=?" in text else _recoded(text)
    quoted = _QUOTED_LOCAL.search(text)
    if _UNWRITABLE.search(text):
        return None
    if quoted is not None:
        local = quoted[1] if _ATOM.fullmatch(quoted[1]) else f'"{quoted[1]}"'
        return f"{local}@{quoted[2]}".lower()
    spec = "".join(text.split()).removeprefix("mailto:").strip(".'").lower()
    local, _, domain = spec.rpartition("@")
    if not local or not domain or len(spec) > limits.email_address_chars_max:
        return None
    return None if _NO_ADDRESS.search(spec) else spec


def _recoded(text: str) -> str:
    """Decode bytes that were read as latin-1 by their real charset; decoded text stays as it is."""
    try:
        return decode(text.encode("latin-1")) if not text.isascii() else text
    except UnicodeEncodeError:
        return text


def message_ids(value: bytes) -> list[str]:
    """Read the ids of Message-ID, In-Reply-To or References as `<id>`, in their order; also malformed ids."""
    text = decode(value)
    found = []
    for bracketed, bare in _ID.findall(text):
        inner = _NOT_VISIBLE.sub("", bracketed or (bare if "@" in bare else ""))
        if 0 < len(inner) <= mime_limits.message_id_chars_max:
            found.append(f"<{inner}>")
    return found


def instant(value: bytes) -> datetime | None:
    """Read a Date header in UTC; None when it cannot be read or its year is implausible."""
    text = value[:_DATE_CHARS_MAX].decode("ascii", "replace").strip()
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
            found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return found if found.year in _YEARS else None
    return None
