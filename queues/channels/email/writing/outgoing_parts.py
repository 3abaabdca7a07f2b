"""The parts of an outgoing mail: texts by the standard library, files streamed as base64, multiparts around them.

The standard library holds a file some six times while it writes it. Here a mail with 25 MB of files costs its own size
once.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import MIMEPart
from email.policy import EmailPolicy
from typing import BinaryIO, Protocol
from urllib.parse import quote

from models.kernel.text import one_line
from models.ports.outbound import OutgoingAttachment
from queues.channels.email import limits

_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,60}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,80}")
_CHARSET = re.compile(r"""charset\s{0,4}=\s{0,4}"?([A-Za-z0-9._-]{1,40})(?:["\s;]|\Z)""", re.IGNORECASE)
_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$&'*+/=?^_{|}~.@-]{1,200}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$&+,.;@^_`{}~()\[\]=-]{1,60}")
_END = b"\r\n"


class Part(Protocol):
    """A MIME part: Content- headers, an empty line, content."""

    def headers(self) -> bytes:
        """Return the Content- header lines, each with its line end."""

    def write(self, out: bytearray) -> None:
        """Append the content."""


@dataclass(frozen=True)
class TextPart:
    """A text or HTML body."""

    text: str
    subtype: str
    policy: EmailPolicy

    def headers(self) -> bytes:
        return self._halves()[0]

    def write(self, out: bytearray) -> None:
        out += self._halves()[1]

    def _halves(self) -> tuple[bytes, bytes]:
        part = MIMEPart(policy=self.policy)
        part.set_content(self.text, subtype=self.subtype)
        head, _, body = part.as_bytes().partition(_END + _END)
        return head + _END, body


@dataclass(frozen=True)
class FilePart:
    """A file; `inline` when the HTML shows it."""

    attachment: OutgoingAttachment
    inline: bool = False

    def headers(self) -> bytes:
        name = one_line(self.attachment.filename, limits.filename_sent_chars_max) or "file"
        lines = [
            f"Content-Type: {content_type(self.attachment.content_type)}",
            f"Content-Disposition: {'inline' if self.inline else 'attachment'};",
            *_filename(name),
            "Content-Transfer-Encoding: base64",
        ]
        if self.inline:
            lines.append(f"Content-ID: <{self.attachment.content_id}>")
        return "".join(f"{line}\r\n" for line in lines).encode("ascii")

    def write(self, out: bytearray) -> None:
        with self.attachment.open() as stream:
            while chunk := _read_full(stream, limits.base64_sent_bytes):
                out += base64.encodebytes(chunk).replace(b"\n", _END)


@dataclass(frozen=True)
class MultiPart:
    """A multipart around other parts."""

    subtype: str
    parts: Sequence[Part]
    boundary: str = field(default_factory=lambda: f"=_nestor_{secrets.token_hex(12)}")

    def headers(self) -> bytes:
        # Neither base64 nor quoted-printable has "=_", so the boundary is in no part (RFC 2045 section 6.7).
        return f'Content-Type: multipart/{self.subtype};\r\n boundary="{self.boundary}"\r\n'.encode("ascii")

    def write(self, out: bytearray) -> None:
        for part in self.parts:
            out += b"--" + self.boundary.encode("ascii") + _END + part.headers() + _END
            part.write(out)
            # This line end belongs to the boundary (RFC 2046 section 5.1.1), so a text keeps its own last one.
            out += _END
        out += b"--" + self.boundary.encode("ascii") + b"--" + _END


def content_type(claimed: str) -> str:
    """Return a type that may be base64. A mail or a multipart may not (RFC 2046 section 5.2.1) and is sent as bytes."""
    plain, _, parameters = claimed.partition(";")
    plain = plain.strip().lower()
    if not _TYPE.fullmatch(plain) or plain.startswith(("message/", "multipart/")):
        return "application/octet-stream"
    charset = _CHARSET.search(parameters[:200]) if plain.startswith("text/") else None
    return plain if charset is None else f"{plain}; charset={charset[1]}"


def usable_content_id(attachment: OutgoingAttachment) -> bool:
    """Return True if the file can be named by `cid:`."""
    return attachment.content_id is not None and _CONTENT_ID.fullmatch(attachment.content_id) is not None


def _filename(name: str) -> list[str]:
    """Return the filename parameter, by RFC 2231 unless it is plain and short; lines have at most 78 characters."""
    if _PLAIN_NAME.fullmatch(name):
        return [f' filename="{name}"']
    encoded = "UTF-8''" + quote(name.encode("utf-8"), safe="")
    # The cut is between encoded characters, because some programs show only one piece.
    pieces = re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,20}", encoded)
    if len(pieces) == 1:
        return [f" filename*={encoded}"]
    return [
        f" filename*{number}*={piece}{'' if number == len(pieces) - 1 else ';'}" for number, piece in enumerate(pieces)
    ]


def _read_full(stream: BinaryIO, count: int) -> bytes:
    """Read `count` bytes, fewer only at the end of the stream; a network stream may return fewer at a time."""
    chunk = stream.read(count)
    while chunk and len(chunk) < count:
        more = stream.read(count - len(chunk))
        if not more:
            break
        chunk += more
    return chunk
