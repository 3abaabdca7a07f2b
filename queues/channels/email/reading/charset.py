"""Decode bytes of a doubtful charset by a ladder: byte order mark, declaration, UTF-8, ISO-2022, guess, windows-1252.

Mail declares wrong charsets so often that each declaration is checked against the bytes. The last step always succeeds.
"""

from __future__ import annotations

import re
import unicodedata

from queues.channels.email import limits
from queues.channels.email.reading.charset_guess import fits, guess
from queues.channels.email.reading.charset_names import codec_of

# A smaller share of broken characters is damage; a larger share means another charset.
_BROKEN_SHARE_MAX = 0.02
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# How many valid UTF-8 sequences overrule another declared charset.
_UTF_8_PROOF = {"cp1252": 1, "iso8859-15": 1, "mac-roman": 1}
_PROOF_SINGLE, _PROOF_DOUBLE = 2, 4
_DOUBLE = frozenset(["gb18030", "cp949", "cp932", "cp950", "big5hkscs", "euc_jp", "euc_kr", "gb2312", "gbk", "big5"])
_STATEFUL = re.compile(r"utf-7|utf-16.*|utf-32.*|iso2022.*|hz|cp037|cp500|cp1140")
_SECOND_TRY = {
    "cp950": "big5hkscs",
    "euc_jp": "euc_jis_2004",
    "cp932": "shift_jis_2004",
    "iso8859-8": "cp1255",
}
_JIS = re.compile(rb"\x1b(\$B|\$@|\$\(D|\(B|\(J|\(I|\(H)")
_META = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s{0,5}=\s{0,5}[\"']?\s{0,5}([A-Za-z0-9._:-]{2,40})",
    re.I,
)


def decode(content: bytes, declared: str | None = None) -> str:
    """Decode the bytes; never fails. A byte order mark comes first and is removed."""
    marked = _by_mark(content)
    if marked is not None:
        return marked
    codec = codec_of(declared)
    text = None if codec in (None, "ascii") else _declared(content, str(codec))
    return (_undeclared(content) if text is None else text).removeprefix("\ufeff")


def decode_header(content: bytes, body_charset: str | None) -> str:
    """Decode the raw 8-bit bytes of a header value (RFC 5322 forbids them, so they have no declaration); never fails.

    Programs that write them mostly use the charset of the body. Others use the charset of their machine, so the body's
    charset is believed only if no other charset is clearly more plausible.
    """
    if content.isascii():
        return decode(content, body_charset)
    if _strict(content, "utf-8") is not None:
        return decode(content)
    codec = codec_of(body_charset)
    return decode(content, body_charset if codec is None or fits(content, codec) else None)


def declared_in_html(content: bytes) -> str | None:
    """Return the charset that an HTML document declares. UTF-16 is ignored: the declaration was readable as ASCII."""
    found = _META.search(content, 0, limits.charset_sample_bytes)
    name = found[1].decode("ascii") if found else None
    return None if name is None or name.lower().startswith(("utf-16", "utf-32", "unicode")) else name


def _by_mark(content: bytes) -> str | None:
    if content.startswith(b"\xef\xbb\xbf"):
        return _strict(content[3:], "utf-8") or _nearly(content[3:], "utf-8")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and len(content) % 2 == 0:
        return _strict(content, "utf-16")
    return None


def _declared(content: bytes, codec: str) -> str | None:
    """Decode by the declared codec, or by the one that the bytes prove; None when neither fits."""
    is_stateful = _STATEFUL.fullmatch(codec) is not None
    if b"\x1b$" in content and not is_stateful and (text := _escaped(content)) is not None:
        return text
    if codec == "utf-8":
        return _strict(content, codec) or _damaged_utf_8(content)
    if is_stateful:
        return _declared_stateful(content, codec)
    if _proves_utf_8(content, codec) and (text := _strict(content, "utf-8")) is not None:
        return text
    return _declared_plain(content, codec)


def _declared_stateful(content: bytes, codec: str) -> str | None:
    """Decode by a codec whose bytes depend on those before them, or that has two and four bytes a character."""
    if codec.startswith(("utf-16", "utf-32")) and b"\0" not in content and len(content) > 1:
        text = _strict(content, "utf-8")
        if text is not None:
            return text
    if codec.startswith("iso2022_jp"):
        return _strict(content, codec) or _strict(content, "iso2022_jp_2004") or _japanese_of_windows(content)
    return _strict(content, codec) or _nearly(content, codec)


def _declared_plain(content: bytes, codec: str) -> str | None:
    text = _strict(content, codec)
    if text is None and codec in _SECOND_TRY:
        text = _strict(content, _SECOND_TRY[codec])
    text = text or _nearly(content, codec)
    # windows-1258 (Vietnamese) writes accents as characters of their own.
    return unicodedata.normalize("NFC", text) if text and codec == "cp1258" else text


def _proves_utf_8(content: bytes, codec: str) -> bool:
    """Return True if the bytes have enough UTF-8 sequences to overrule the declared codec."""
    if content.isascii():
        return False
    needed = _UTF_8_PROOF.get(codec, _PROOF_DOUBLE if codec in _DOUBLE else _PROOF_SINGLE)
    return _sequences(content, needed) == needed


def _sequences(content: bytes, at_most: int) -> int:
    """Count the valid UTF-8 sequences of several bytes, up to a maximum."""
    return sum(1 for _ in zip(range(at_most), _SEQUENCE.finditer(content), strict=False))


def _damaged_utf_8(content: bytes) -> str | None:
    """Decode UTF-8 with some damage; None when most sequences are broken, so that another charset is meant."""
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return text if _sequences(content, broken) >= broken else None


def _undeclared(content: bytes) -> str:
    if b"\x1b$" in content and (text := _escaped(content)) is not None:
        return text
    for codec in (*_utf_16(content), "ascii", "utf-8"):
        text = _strict(content, codec)
        if text is not None:
            return text
    damaged = _damaged_utf_8(content)
    return _guessed(content) if damaged is None else damaged


def _utf_16(content: bytes) -> tuple[str, ...]:
    """Return the UTF-16 codec that many zero bytes suggest; empty when there are too few."""
    if not content.count(b"\0") * 3 > len(content) > 3:
        return ()
    return ("utf-16-le" if content[1::2].count(b"\0") > content[::2].count(b"\0") else "utf-16-be",)


def _guessed(content: bytes) -> str:
    guessed = guess(content)
    text = (_strict(content, guessed) or _nearly(content, guessed)) if guessed else None
    return text or content.decode("cp1252", "replace")


def _escaped(content: bytes) -> str | None:
    """Decode text that changes its alphabet by escape sequences (ISO-2022); no other charset has them."""
    if b"\x1b$)C" in content:
        return _strict(content, "iso2022_kr")
    return _strict(content, "iso2022_jp_ext") or _strict(content, "iso2022_jp_2004") or _japanese_of_windows(content)


def _japanese_of_windows(content: bytes) -> str | None:
    """Decode ISO-2022-JP with characters that only Windows has, such as circled numbers, by way of Shift_JIS."""
    if _JIS.search(content) is None:
        return None
    out, mode = [], b"(B"
    for index, piece in enumerate(_JIS.split(content)):
        if index % 2:
            mode = piece
        elif mode in (b"$B", b"$@"):
            out.append(_as_shift_jis(piece).decode("cp932", "replace"))
        elif mode == b"(I":
            out.append(bytes(byte | 0x80 for byte in piece).decode("cp932", "replace"))
        else:
            out.append(piece.decode("cp932", "replace"))
    return "".join(out)


def _as_shift_jis(pairs: bytes) -> bytes:
    out = bytearray()
    for high, low in zip(pairs[::2], pairs[1::2], strict=False):
        if not (0x21 <= high <= 0x7E and 0x21 <= low <= 0x7E):
            out += bytes((high & 0x7F, low & 0x7F))
            continue
        first = (high + 1) // 2 + (0x70 if high < 0x5F else 0xB0)
        second = low + (0x7E if high % 2 == 0 else (0x1F if low < 0x60 else 0x20))
        out += bytes((first, second))
    return bytes(out)


def _strict(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _nearly(content: bytes, codec: str) -> str | None:
    """Decode text with a few damaged characters; None when there are many.

    A character cut in half must not turn a whole mail into another alphabet.
    """
    text = content.decode(codec, "replace")
    return text if text.count("\ufffd") <= max(1, len(text) * _BROKEN_SHARE_MAX) else None
