"""Outlook's RTF: decompression (MS-OXRTFCP), and reading as text or as the HTML inside it (MS-OXRTFEX).

The reader covers the RTF that Outlook writes, not all of RTF. Each step is one pass with a bounded output.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from queues.channels.email import limits
from queues.channels.email.reading.charset import decode
from queues.channels.email.reading.charset_names import codec_of

_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
# MS-OXRTFCP section 2.1.2.1: the initial content of the dictionary.
DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_DICTIONARY_BYTES = 4096
# Outlook writes this code page when it names none.
_WESTERN = "cp1252"
_UNICODE_SKIP_MAX = 8
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)",
    re.DOTALL,
)
_SKIPPED = frozenset(
    [
        b"fonttbl",
        b"colortbl",
        b"stylesheet",
        b"info",
        b"pict",
        b"object",
        b"themedata",
        b"listtable",
        b"listoverridetable",
        b"rsidtbl",
        b"generator",
        b"xmlnstbl",
        b"datastore",
        b"latentstyles",
        b"header",
        b"footer",
        b"bkmkstart",
        b"bkmkend",
        b"fldinst",
    ]
)
_CHARACTERS = {
    b"par": "\n",
    b"line": "\n",
    b"tab": "\t",
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"bullet": "•",
    b"endash": "–",
    b"emdash": "—",
    b"emspace": " ",
    b"enspace": " ",
    b"cell": "\t",
    b"row": "\n",
    b"page": "\n",
    b"sect": "\n",
}
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}


def decompressed(data: bytes) -> bytes | None:
    """Decompress a PR_RTF_COMPRESSED value, at most `rtf_bytes_max`; None when the value has another format."""
    if len(data) < 16:
        return None
    _, raw_bytes, kind, _ = struct.unpack_from("<IIII", data)
    wanted = min(raw_bytes, limits.rtf_bytes_max)
    if kind == _PLAIN:
        return data[16 : 16 + wanted]
    if kind != _COMPRESSED:
        return None
    return bytes(_expanded(data, wanted))


def _expanded(data: bytes, wanted: int) -> bytearray:
    """Expand runs of eight tokens, each behind a control byte, until `wanted` bytes or the end (MS-OXRTFCP 2.1.3.2)."""
    window = _Window()
    at, end = 16, len(data)
    while at < end and len(window.out) < wanted:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= end or len(window.out) >= wanted:
                break
            if not control >> bit & 1:
                window.add(data[at])
                at += 1
            elif at + 1 < end and window.repeat(data[at], data[at + 1]):
                at += 2
            else:
                return window.out
    return window.out


class _Window:
    """The sliding dictionary of the last 4096 bytes, and the output."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._bytes = bytearray(DICTIONARY.ljust(_DICTIONARY_BYTES, b"\0"))
        self._write = len(DICTIONARY)

    def add(self, byte: int) -> None:
        self._bytes[self._write] = byte
        self.out.append(byte)
        self._write = (self._write + 1) % _DICTIONARY_BYTES

    def repeat(self, high: int, low: int) -> bool:
        """Repeat bytes of the dictionary by a reference of 12 bits offset and 4 bits length; False at the end mark."""
        offset, length = high << 4 | low >> 4, (low & 15) + 2
        if offset == self._write:
            return False
        for step in range(length):
            self.add(self._bytes[(offset + step) % _DICTIONARY_BYTES])
        return True


@dataclass(slots=True)
class _Group:
    """The state of a group in braces; an inner group begins with a copy of it."""

    # The text of the group is not shown.
    skipped: bool = False
    # Behind \\htmlrtf: not part of the HTML.
    rtf_only: bool = False
    # {\\*\\htmltag ...}
    is_tag: bool = False
    unicode_skip: int = 1
    starred: bool = False


@dataclass(slots=True)
class _Reader:
    """Collects the text; `bytes_` holds characters of the code page until a character of another kind comes."""

    # The first code page that the document names.
    codepage: str = ""
    guesses_left: int = limits.rtf_guesses_max
    is_html: bool = False
    out: list[str] = field(default_factory=list)
    bytes_: bytearray = field(default_factory=bytearray)
    # Characters after \\u that repeat it for old readers.
    to_skip: int = 0
    groups: list[_Group] = field(default_factory=lambda: [_Group()])

    def is_shown(self, group: _Group) -> bool:
        return not group.skipped and not (self.is_html and group.rtf_only and not group.is_tag)

    def turn(self, brace: bytes) -> bool:
        """Open or close a group; False when too many are open."""
        if brace == b"}":
            if len(self.groups) > 1:
                self.groups.pop()
            return True
        group = self.groups[-1]
        self.groups.append(_Group(group.skipped, group.rtf_only, group.is_tag, group.unicode_skip))
        return len(self.groups) <= limits.rtf_groups_max

    def symbol(self, group: _Group, symbol: bytes) -> None:
        if symbol == b"*":
            group.starred = True
        elif symbol in _SYMBOLS and self.is_shown(group):
            self.text(_SYMBOLS[symbol])

    def escape(self, digits: bytes) -> None:
        """Add a byte of the code page by its two hexadecimal digits."""
        if self.to_skip:
            self.to_skip -= 1
        else:
            self.bytes_.append(int(digits, 16))

    def plain(self, text: bytes) -> None:
        self.bytes_ += text[self.to_skip :]
        self.to_skip = max(0, self.to_skip - len(text))

    def text(self, text: str) -> None:
        self.flush()
        self.out.append(text)

    def flush(self) -> None:
        if self.bytes_:
            self.out.append(self._decoded(bytes(self.bytes_)))
            self.bytes_.clear()

    def _decoded(self, content: bytes) -> str:
        """Decode a run of bytes. After `rtf_guesses_max` runs the named code page decides without a guess."""
        if content.isascii() and b"\x1b" not in content:
            return content.decode("ascii")
        self.guesses_left -= 1
        if self.guesses_left >= 0:
            return decode(content, self.codepage or _WESTERN)
        if self.guesses_left == -1:
            self.codepage = codec_of(self.codepage) or _WESTERN
        return content.decode(self.codepage, "replace")


def readable(rtf: bytes) -> tuple[str, bool]:
    """Return the text of an RTF document, and whether the text is HTML that the document encapsulates."""
    reader = _Reader()
    for token in _TOKEN.finditer(rtf, 0, limits.rtf_bytes_max):
        if not _take(reader, *token.groups()):
            break
    reader.flush()
    joined = "".join(reader.out)
    # \\u writes a character outside the first plane as two halves.
    whole = joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", ""), reader.is_html


def _take(
    reader: _Reader,
    word: bytes | None,
    number: bytes | None,
    escaped: bytes | None,
    symbol: bytes | None,
    brace: bytes | None,
    text: bytes | None,
) -> bool:
    """Read one token; False when the reading ends here."""
    if brace is not None:
        return reader.turn(brace)
    group = reader.groups[-1]
    if word is not None:
        _control(reader, group, word, int(number) if number else None)
    elif symbol is not None:
        reader.symbol(group, symbol)
    elif reader.is_shown(group):
        if escaped is not None:
            reader.escape(escaped)
        elif text is not None:
            reader.plain(text)
    return True


def _control(reader: _Reader, group: _Group, word: bytes, number: int | None) -> None:
    """Apply a control word: to the document, to its group, or as a character."""
    is_applied = _apply_to_document(reader, word, number) or _apply_to_group(group, word, number)
    if not is_applied and reader.is_shown(group):
        _character(reader, group, word, number)
    group.starred = False


def _apply_to_document(reader: _Reader, word: bytes, number: int | None) -> bool:
    if word == b"fromhtml":
        reader.is_html = True
        return True
    if word == b"ansicpg" and number and not reader.codepage:
        reader.codepage = f"cp{number}"
        return True
    return False


def _apply_to_group(group: _Group, word: bytes, number: int | None) -> bool:
    if word == b"htmltag":
        group.is_tag, group.skipped, group.rtf_only = True, False, False
    elif word == b"htmlrtf":
        group.rtf_only = number != 0
    elif word == b"uc" and number is not None:
        group.unicode_skip = min(max(number, 0), _UNICODE_SKIP_MAX)
    elif group.starred or word in _SKIPPED or word == b"mhtmltag":
        group.skipped = True
    else:
        return False
    return True


def _character(reader: _Reader, group: _Group, word: bytes, number: int | None) -> None:
    if word == b"u" and number is not None:
        reader.text(chr(number & 0xFFFF))
        reader.to_skip = group.unicode_skip
    elif word in _CHARACTERS and not (reader.is_html and group.is_tag and word != b"par"):
        reader.text(_CHARACTERS[word])
