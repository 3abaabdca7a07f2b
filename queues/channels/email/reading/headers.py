"""Header values as text, addresses, ids, instants.

Our own readers: the email package's modern policy raises on real headers (cpython#83281), its address parser recurses into
comments, and both are slow on hostile ones.
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
from queues.channels.email.reading.charset import decode

# An encoded word as people send it: blanks and question marks inside, the end missing. It stops at the next `=?`, so the search is linear.
_WORD = re.compile(rb"=\?([^?\s]{0,60})\?([bBqQ])\?((?:[^?=]|=(?!\?[^=])|\?(?!=))*)(?:\?=|\Z)")
_ID = re.compile(r"<([^<>]*)>|([^\s<>,;\"]+)")
_BARE_ADDRESS = re.compile(r"[^\s<>\"(),;:\\\[\]@]{1,100}@[A-Za-z0-9\u0080-\U0010ffff][^\s<>\"(),;:@\[\]]{0,250}")
_QUOTED_LOCAL = re.compile(r'"([^"<>]{1,64})"@([^\s<>"(),;:@]{1,250})')
_GROUP = re.compile(r'\s{0,20}(?:"[^"]{0,200}"|[^":<>@,;]{1,200}):')  # RFC 5322 3.4: name: mailbox, mailbox;
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")
_ATOM = re.compile(r"[^\s<>\"(),;:\\\[\]@]{1,64}")
_DATE_CHARS_MAX = 100
_YEARS = range(1980, 2200)  # a date outside is a broken clock's; it would sort wrongly for ever


_NO_DIGITS = bytes(
    byte for byte in range(256) if not (chr(byte).isascii() and chr(byte).isalnum()) and byte not in b"+/-_"
)


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    address: str  # lower case


def text_of(value: bytes, *, raw_charset: str | None = None) -> str:
    """A header value as text: encoded words (RFC 2047) decoded, 8-bit bytes by the charset ladder.

    `raw_charset` is the charset of the mail's text: who writes 8-bit headers, against the rules, writes them in the same one.
    """
    pieces: list[tuple[bytes, str | None]] = []  # bytes and their charset; neighbours of one charset are joined
    at, digits = 0, b""  # digits: of the last word, when its base64 ended within a byte
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        if between.strip() or not pieces:
            pieces.append((between, None))
        charset = word[1].partition(b"*")[0].decode("ascii", "replace").lower()  # RFC 2231: charset*language
        before, written = b"", word[3]
        if pieces[-1][1] == charset:
            # A character may be cut between two words; joined before they are decoded, it is whole again.
            before = pieces.pop()[0]
            if digits and word[2] in b"bB":
                before = before[: len(before) - len(lenient_base64(digits))]
                written = digits + written
        pieces.append((before + _word_bytes(word[2], written), charset))
        digits = written if word[2] in b"bB" and len(written) % 4 and b"=" not in written else b""
        at = word.end()
    pieces.append((value[at:], None))
    return "".join(
        decode(content, charset if charset is not None or _is_utf8(content) else raw_charset)
        for content, charset in pieces
        if content
    )


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _word_bytes(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"qQ":
        return binascii.a2b_qp(content.rstrip(b"?") if content.endswith(b"=?") else content, header=True)
    return lenient_base64(content)


def lenient_base64(content: bytes) -> bytes:
    """Base64 with foreign characters and wrong padding passed over."""
    digits = content.translate(bytes.maketrans(b"-_", b"+/"), _NO_DIGITS)
    return binascii.a2b_base64(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")


def addresses(value: bytes, *, raw_charset: str | None = None) -> list[Address]:
    """The usable addresses of a From-like header, at most `mime_limits.addresses_max`; `raw_charset` as in text_of."""
    text = value.decode("latin-1")
    found = _readable(text, raw_charset)
    if not found and b"=?" in value:
        # Some senders encode the whole header, address and all.
        text = text_of(value)
        found = _readable(text, raw_charset)
    if not found:  # brackets, quotes or comments without end
        bare = _BARE_ADDRESS.search(text)
        spec = _spec(bare[0]) if bare else None
        found = [Address("", spec)] if spec else []
    return found


def _readable(text: str, raw_charset: str | None) -> list[Address]:
    quoted = _QUOTED_LOCAL.match(text.strip()) if "<" not in text else None
    if quoted is not None and (spec := _spec(quoted[0])) is not None:
        return [Address("", spec)]
    group = _GROUP.match(text) if text.rstrip().endswith(";") else None
    found: list[Address] = []
    before = ""  # "Lovelace, Ada <ada@x>": a name with its comma outside quotes
    for words, angle, comment in _mailboxes(text[group.end() :] if group else text):
        if angle is None and "@" not in words and "@" not in comment:
            before = f"{words.strip()}, " if words.strip() and not found else ""
            continue
        address = _address(before + words.lstrip() if angle is not None else words, angle, comment, raw_charset)
        before = ""
        if address is not None:
            found.append(address)
    return found


def _mailboxes(text: str) -> Iterator[tuple[str, str | None, str]]:
    """(words, what stands in angle brackets, comment) of each mailbox: one pass, no recursion."""
    words: list[str] = []
    angle: list[str] | None = None
    comment: list[str] = []
    depth, quoted, in_angle, escaped, count = 0, False, False, False, 0
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and (quoted or depth):
            escaped = True
            continue
        elif character == '"' and not depth and not in_angle:
            quoted = not quoted
            continue
        elif not quoted and not in_angle and character == "(":
            depth += 1
            continue
        elif depth and character == ")":
            depth -= 1
            comment.append(" ")
            continue
        elif not quoted and not depth and character == "<":
            in_angle, angle = True, [] if angle is None else angle
            continue
        elif in_angle and character == ">":
            in_angle = False
            continue
        elif not quoted and not depth and not in_angle and character in ",;":
            yield "".join(words), None if angle is None else "".join(angle), "".join(comment)
            words, angle, comment = [], None, []
            count += 1
            if count >= mime_limits.addresses_max:
                return
            continue
        if in_angle:
            assert angle is not None
            angle.append(character)
        else:
            (comment if depth else words).append(character)
    yield "".join(words), None if angle is None else "".join(angle), "".join(comment)


def _address(words: str, angle: str | None, comment: str, raw_charset: str | None) -> Address | None:
    spec, name = angle, words
    if spec is None or "@" not in spec:
        bare = _BARE_ADDRESS.search(words)
        spec = bare[0] if bare else next((word for word in words.split() if "@" in word), "")
        name = words.replace(spec, " ", 1) if spec else words
        name = name.rpartition(":")[2]  # "undisclosed: a@b" is a group
    spec = _spec(spec)
    if spec is None:
        return None
    shown = text_of((name.strip() or comment.strip()).encode("latin-1", "replace"), raw_charset=raw_charset)
    shown = one_line(shown, limits.name_chars_max).strip("<> ")
    if len(shown) > 2 and shown[0] == shown[-1] and shown[0] in "\"'":
        shown = shown[1:-1].strip()
    return Address(shown, spec)


def _spec(text: str) -> str | None:
    """The address itself in lower case; None when it is none."""
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
    if any(character < "!" or character == "\x7f" or character in '<>,;()"' for character in spec):
        return None
    return spec


def _recoded(text: str) -> str:
    """Bytes that were read as latin-1, as what they are; text that was decoded already stays."""
    try:
        return decode(text.encode("latin-1")) if not text.isascii() else text
    except UnicodeEncodeError:
        return text


def message_ids(value: bytes) -> list[str]:
    """The ids of Message-ID, In-Reply-To or References as `<id>`, in their order; malformed ones as well as they can be read."""
    text = decode(value)
    found = []
    for bracketed, bare in _ID.findall(text):
        inner = "".join((bracketed or (bare if "@" in bare else "")).split())
        inner = "".join(character for character in inner if "!" <= character <= "~")
        if 0 < len(inner) <= mime_limits.message_id_chars_max:
            found.append(f"<{inner}>")
    return found


def instant(value: bytes) -> datetime | None:
    """A Date header in UTC; None when it cannot be read or names an absurd year."""
    text = value[:_DATE_CHARS_MAX].decode("ascii", "replace").strip()
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
            found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return found if found.year in _YEARS else None
    return None
