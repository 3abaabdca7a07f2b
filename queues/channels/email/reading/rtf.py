"""RTF of Outlook: decompressed (MS-OXRTFCP), and read as text, or as the HTML that it encapsulates (MS-OXRTFEX).

Best effort: what Outlook writes, not all of RTF. One pass each, bounded output.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from queues.channels.email import limits
from queues.channels.email.reading.charset import decode
from queues.channels.email.reading.charset_names import codec_of

_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
# MS-OXRTFCP 2.1.2.1: what the dictionary holds at first.
DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_DICTIONARY_BYTES = 4096
_WESTERN = "cp1252"  # what Outlook writes where it names no code page
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
    """The RTF in a PR_RTF_COMPRESSED value; None when it is none. At most `rtf_bytes_max`."""
    if len(data) < 16:
        return None
    _, raw_bytes, kind, _ = struct.unpack_from("<IIII", data)
    wanted = min(raw_bytes, limits.rtf_bytes_max)
    if kind == _PLAIN:
        return data[16 : 16 + wanted]
    if kind != _COMPRESSED:
        return None
    window = bytearray(DICTIONARY.ljust(_DICTIONARY_BYTES, b"\0"))
    write = len(DICTIONARY)
    out = bytearray()
    at, end = 16, len(data)
    while at < end and len(out) < wanted:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= end or len(out) >= wanted:
                break
            if not control >> bit & 1:
                window[write] = data[at]
                out.append(data[at])
                write = (write + 1) % _DICTIONARY_BYTES
                at += 1
                continue
            if at + 1 >= end:
                return bytes(out)
            offset, length = data[at] << 4 | data[at + 1] >> 4, (data[at + 1] & 15) + 2
            at += 2
            if offset == write:
                return bytes(out)
            for step in range(length):
                byte = window[(offset + step) % _DICTIONARY_BYTES]
                window[write] = byte
                out.append(byte)
                write = (write + 1) % _DICTIONARY_BYTES
    return bytes(out)


@dataclass(slots=True)
class _Group:
    skipped: bool = False  # its text is not shown
    rtf_only: bool = False  # \\htmlrtf: not part of the HTML
    is_tag: bool = False  # {\\*\\htmltag ...}
    unicode_skip: int = 1
    starred: bool = False


@dataclass(slots=True)
class _Reader:
    """Collects the text; `bytes_` holds characters of the code page until another kind comes."""

    codepage: str = ""  # the first that is named
    guesses_left: int = limits.rtf_guesses_max
    is_html: bool = False
    out: list[str] = field(default_factory=list)
    bytes_: bytearray = field(default_factory=bytearray)
    to_skip: int = 0  # characters after \\u that repeat it for old readers

    def text(self, text: str) -> None:
        self.flush()
        self.out.append(text)

    def flush(self) -> None:
        if self.bytes_:
            self.out.append(self._decoded(bytes(self.bytes_)))
            self.bytes_.clear()

    def _decoded(self, content: bytes) -> str:
        """A document may have a symbol after each letter: each run between two would cost a guess."""
        if content.isascii() and b"\x1b" not in content:
            return content.decode("ascii")
        self.guesses_left -= 1
        if self.guesses_left >= 0:
            return decode(content, self.codepage or _WESTERN)
        if self.guesses_left == -1:
            self.codepage = codec_of(self.codepage) or _WESTERN
        return content.decode(self.codepage, "replace")


def readable(rtf: bytes) -> tuple[str, bool]:
    """The text of an RTF document, and whether it is HTML that was encapsulated."""
    reader, groups = _Reader(), [_Group()]
    for token in _TOKEN.finditer(rtf, 0, limits.rtf_bytes_max):
        word, number, escaped, symbol, brace, text = token.groups()
        group = groups[-1]
        shown = not group.skipped and not (reader.is_html and (group.rtf_only and not group.is_tag))
        if brace == b"{":
            if len(groups) >= limits.rtf_groups_max:
                break
            groups.append(_Group(group.skipped, group.rtf_only, group.is_tag, group.unicode_skip))
        elif brace == b"}":
            if len(groups) > 1:
                groups.pop()
        elif word is not None:
            _control(reader, group, word, int(number) if number else None, shown=shown)
        elif symbol is not None:
            if symbol == b"*":
                group.starred = True
            elif shown and symbol in _SYMBOLS:
                reader.text(_SYMBOLS[symbol])
        elif shown and escaped is not None:
            if reader.to_skip:
                reader.to_skip -= 1
            else:
                reader.bytes_.append(int(escaped, 16))
        elif shown and text is not None:
            reader.bytes_ += text[reader.to_skip :]
            reader.to_skip = max(0, reader.to_skip - len(text))
    reader.flush()
    joined = "".join(reader.out)
    # \\u writes half of a character outside the first plane at a time.
    whole = joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", ""), reader.is_html


def _control(reader: _Reader, group: _Group, word: bytes, number: int | None, *, shown: bool) -> None:
    if word == b"fromhtml":
        reader.is_html = True
    elif word == b"ansicpg" and number and not reader.codepage:
        reader.codepage = f"cp{number}"
    elif word == b"htmltag":
        group.is_tag, group.skipped, group.rtf_only = True, False, False
    elif word == b"htmlrtf":
        group.rtf_only = number != 0
    elif word == b"uc" and number is not None:
        group.unicode_skip = min(max(number, 0), 8)
    elif group.starred or word in _SKIPPED or word == b"mhtmltag":
        group.skipped = True
    elif not shown:
        return
    elif word == b"u" and number is not None:
        reader.text(chr(number & 0xFFFF))
        reader.to_skip = group.unicode_skip
    elif word in _CHARACTERS and not (reader.is_html and group.is_tag and word != b"par"):
        reader.text(_CHARACTERS[word])
    group.starred = False
