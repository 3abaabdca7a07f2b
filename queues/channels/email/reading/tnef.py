"""Reader of Outlook's winmail.dat (MS-OXTNEF): the files and the text in it, as far as they were read whole.

A damaged one gives what stands before the damage; `is_whole` is False then. Each count and length is checked against
the bytes that are there; no memory is allocated by a claimed length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from queues.channels.email import limits
from queues.channels.email.reading import rtf
from queues.channels.email.reading.charset import decode

_SIGNATURE = 0x223E9F78
_PADDING = b"\0\r\n "
# Attributes (MS-OXTNEF section 2.1.3.2), without their type.
_SUBJECT, _BODY, _RENDER, _TITLE, _DATA, _ATTACHMENT, _CODE_PAGE, _PROPERTIES = (
    0x8004,
    0x800C,
    0x9002,
    0x8010,
    0x800F,
    0x9005,
    0x9007,
    0x9003,
)
# MAPI properties (MS-OXPROPS).
_P_SUBJECT, _P_BODY, _P_RTF, _P_HTML, _P_CPID = 0x0037, 0x1000, 0x1009, 0x1013, 0x3FDE
_P_DATA, _P_EXTENSION, _P_SHORT_NAME, _P_LONG_NAME, _P_MIME, _P_CID, _P_NAME = (
    0x3701,
    0x3703,
    0x3704,
    0x3707,
    0x370E,
    0x3712,
    0x3001,
)
_FIXED = {
    0x0002: 4,
    0x0003: 4,
    0x0004: 4,
    0x0005: 8,
    0x0006: 8,
    0x0007: 8,
    0x000A: 4,
    0x000B: 4,
    0x0014: 8,
    0x0040: 8,
    0x0048: 16,
}
_VARIABLE = frozenset([0x000D, 0x001E, 0x001F, 0x0102])
_STRING, _UNICODE, _OBJECT, _MANY = 0x001E, 0x001F, 0x000D, 0x1000
# IID_IMessage: an attached message is TNEF again.
_MESSAGE_IID = bytes.fromhex("0703020000000000c000000000000046")

# By property id: the type and the bytes of the first value.
Properties = dict[int, tuple[int, bytes]]


class _Broken(ValueError):
    """The bytes do not match the format."""


@dataclass(frozen=True, slots=True)
class TnefFile:
    """A file in a winmail.dat."""

    name: str
    content: bytes
    content_type: str
    content_id: str | None


@dataclass(slots=True)
class Tnef:
    """The content of a winmail.dat. `html` and `text` may both be empty."""

    # False if the bytes are damaged or cut off, or a bound was met.
    is_whole: bool = True
    subject: str = ""
    text: str = ""
    html: str = ""
    files: list[TnefFile] = field(default_factory=list)


@dataclass(slots=True)
class _Attached:
    """The attributes of one attachment."""

    title: bytes = b""
    data: bytes | None = None
    properties: Properties = field(default_factory=dict)
    is_whole: bool = True


@dataclass(slots=True)
class _Message:
    """The attributes of the message itself, and its attachments."""

    codepage: str = "cp1252"
    subject: bytes = b""
    body: bytes = b""
    properties: Properties = field(default_factory=dict)
    attached: list[_Attached] = field(default_factory=list)
    is_whole: bool = True


def is_tnef(data: bytes) -> bool:
    """Return True if the bytes begin as a winmail.dat."""
    return len(data) >= 6 and struct.unpack_from("<I", data)[0] == _SIGNATURE


def read_tnef(data: bytes, *, depth: int = 0) -> Tnef | None:
    """Read a winmail.dat; None when it is something else, or when nothing to show was read whole."""
    if not is_tnef(data):
        return None
    found = _read(data, depth)
    return found if found.files or found.text.strip() or found.html.strip() else None


def _read(data: bytes, depth: int) -> Tnef:
    message = _Message()
    try:
        _read_attributes(data, message)
    except (_Broken, struct.error):
        message.is_whole = False
    if message.attached and not _has_content(message.attached[-1]):
        # Its bytes were cut off.
        message.attached.pop()
        message.is_whole = False
    subject = _text(message.properties, _P_SUBJECT, message.codepage) or _decoded(message.subject, message.codepage)
    found = Tnef(message.is_whole, subject=subject)
    _read_body(found, message.properties, message.body, message.codepage)
    for one in message.attached:
        _add_files(found, one, message.codepage, depth)
    return found


def _has_content(attached: _Attached) -> bool:
    return attached.data is not None or _P_DATA in attached.properties


def _read_attributes(data: bytes, message: _Message) -> None:
    """Record the attributes. Raises _Broken at the first damaged one; those before it are recorded."""
    for level, attribute, content in _attributes(data):
        if attribute == _RENDER:
            if len(message.attached) >= limits.attachments_max:
                raise _Broken
            message.attached.append(_Attached())
        elif not _set_of_message(message, level, attribute, content) and message.attached:
            _set_of_attached(message.attached[-1], attribute, content)


def _set_of_message(message: _Message, level: int, attribute: int, content: bytes) -> bool:
    """Record an attribute of the message; False when it is none."""
    if attribute == _CODE_PAGE and len(content) >= 4:
        message.codepage = f"cp{struct.unpack_from('<I', content)[0]}"
    elif attribute == _SUBJECT:
        message.subject = content
    elif attribute == _BODY:
        message.body = content
    elif attribute == _PROPERTIES and level == 1:
        message.properties, is_whole = _properties(content)
        message.is_whole = message.is_whole and is_whole
    else:
        return False
    return True


def _set_of_attached(attached: _Attached, attribute: int, content: bytes) -> None:
    if attribute == _TITLE:
        attached.title = content
    elif attribute == _DATA:
        attached.data = content
    elif attribute == _ATTACHMENT:
        attached.properties, attached.is_whole = _properties(content)


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (level, id, bytes) of each attribute. Raises _Broken at a damaged one, and if there are too many.

    NUL bytes and line ends behind the last attribute are padding.
    """
    at = 6
    for _ in range(limits.tnef_attributes_max):
        if _ends(data, at):
            return
        if at + 9 > len(data):
            raise _Broken
        level, attribute, length = struct.unpack_from("<BII", data, at)
        at += 9
        if level not in (1, 2) or length > len(data) - at:
            raise _Broken
        yield level, attribute & 0xFFFF, data[at : at + length]
        # A checksum of two bytes follows.
        at += length + 2
    if not _ends(data, at):
        raise _Broken


def _ends(data: bytes, at: int) -> bool:
    """Return True if only padding follows. The first byte of an attribute is none, so the rest is searched once."""
    return at >= len(data) or (data[at] in _PADDING and not data[at:].strip(_PADDING))


def _properties(data: bytes) -> tuple[Properties, bool]:
    """Read the MAPI properties of a message or an attachment, up to the first damaged one; False if there is one."""
    found: Properties = {}
    if len(data) < 4:
        return found, not data
    at = 4
    (count,) = struct.unpack_from("<I", data)
    for _ in range(min(count, limits.tnef_properties_max)):
        try:
            kind, name = struct.unpack_from("<HH", data, at)
            at = _after_name(data, at + 4, name)
            value, at = _value(data, at, kind)
        except (struct.error, _Broken):
            return found, False
        found.setdefault(name, (kind & ~_MANY, value))
    return found, count <= limits.tnef_properties_max


def _after_name(data: bytes, at: int, name: int) -> int:
    """Return the offset after the name of a named property: a GUID, and a number or a text."""
    if name < 0x8000:
        return at
    (kind,) = struct.unpack_from("<I", data, at + 16)
    if kind == 0:
        return at + 24
    (length,) = struct.unpack_from("<I", data, at + 20)
    return at + 24 + _padded(length)


def _value(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """Return the first value of a property, and the offset of the next property."""
    single = kind & ~_MANY
    if single in _FIXED:
        size, count = _FIXED[single], 1
        if kind & _MANY:
            (count,) = struct.unpack_from("<I", data, at)
            at += 4
        if count * size > len(data) - at:
            raise _Broken
        return data[at : at + size], at + count * size
    if single not in _VARIABLE:
        raise _Broken
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    first: bytes | None = None
    for _ in range(count):
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
        if length > len(data) - at:
            raise _Broken
        first = data[at : at + length] if first is None else first
        at += _padded(length)
    return first or b"", at


def _padded(length: int) -> int:
    return length + -length % 4


def _text(properties: Properties, name: int, codepage: str) -> str:
    kind, value = properties.get(name, (0, b""))
    return _decoded(value, "utf-16-le" if kind == _UNICODE else codepage) if kind in (_STRING, _UNICODE) else ""


def _decoded(value: bytes, codepage: str) -> str:
    return decode(value, codepage).rstrip("\0").replace("\0", "")


def _read_body(found: Tnef, properties: Properties, body: bytes, codepage: str) -> None:
    """Read the text in its best form: HTML, HTML in RTF, RTF, plain."""
    _, cpid = properties.get(_P_CPID, (0, b""))
    page = f"cp{struct.unpack_from('<I', cpid)[0]}" if len(cpid) >= 4 else codepage
    kind, html = properties.get(_P_HTML, (0, b""))
    if html:
        found.html = _decoded(html, "utf-16-le" if kind == _UNICODE else page)
    found.text = _text(properties, _P_BODY, page) or _decoded(body, codepage)
    _, compressed = properties.get(_P_RTF, (0, b""))
    document = rtf.decompressed(compressed) if compressed and not (found.html or found.text.strip()) else None
    if document is not None:
        text, is_html = rtf.readable(document)
        if is_html:
            found.html = text
        else:
            found.text = text


def _add_files(found: Tnef, one: _Attached, codepage: str, depth: int) -> None:
    """Add the file of an attachment, or the files of an attached message."""
    found.is_whole = found.is_whole and one.is_whole
    kind, content = one.properties.get(_P_DATA, (0, one.data or b""))
    if kind == _OBJECT and content.startswith(_MESSAGE_IID):
        inner = read_tnef(content[16:], depth=depth + 1) if depth < limits.tnef_depth_max else None
        if inner is not None:
            found.is_whole = found.is_whole and inner.is_whole
            found.files += _files_of_message(inner)
            return
    elif kind == _OBJECT and len(content) > 16:
        content = content[16:]
    content = content or one.data or b""
    name = _file_name(one, codepage)
    # An attachment without name and content was cut off in transit.
    if name or content:
        found.files.append(_file(one, name, content, codepage))


def _file(one: _Attached, name: str, content: bytes, codepage: str) -> TnefFile:
    extension = _text(one.properties, _P_EXTENSION, codepage)
    if extension and "." not in name:
        name += extension
    cid = _text(one.properties, _P_CID, codepage).strip("<> ")
    return TnefFile(name, content, _text(one.properties, _P_MIME, codepage).lower(), cid or None)


def _files_of_message(inner: Tnef) -> Iterator[TnefFile]:
    """Yield an attached message as a text file, and its files."""
    if inner.text.strip():
        text = inner.text.encode("utf-8", "replace")
        yield TnefFile(f"{inner.subject or 'message'}.txt", text, "text/plain", None)
    yield from inner.files


def _file_name(one: _Attached, codepage: str) -> str:
    names = (_text(one.properties, name, codepage) for name in (_P_LONG_NAME, _P_NAME, _P_SHORT_NAME))
    return next((found for found in names if found), "") or _decoded(one.title, codepage)
