"""Read the text of a mail from its text parts: charset, flowed lines, uuencoded files, all within `text_bytes_max`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from models.kernel import limits
from models.kernel.text import clean
from queues.channels.email import limits as mime_limits
from queues.channels.email.reading import transfer, uuencode
from queues.channels.email.reading.charset import declared_in_html, decode
from queues.channels.email.reading.charset_names import codec_of
from queues.channels.email.reading.flowed import unflowed
from queues.channels.email.reading.mime import Part
from queues.channels.email.reading.structure import Block, Structure
from queues.channels.html_text import html_to_text

_TOO_MUCH = f"more than {mime_limits.text_bytes_max // limits.MIB} MB of text"
_STAND_IN = re.compile(r"\bhtml\b", re.IGNORECASE)
# A shorter plain text with the word HTML is no text if there is an HTML form: "Your mail program cannot show HTML".
_STAND_IN_CHARS_MAX = 300
_DOUBLY = re.compile(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n){2,}[A-Za-z0-9+/]{0,76}={0,2}\s*")


@dataclass(slots=True)
class Texts:
    """Decodes each text part once. `files` are the uuencoded files in the texts, as (name, bytes)."""

    leave_out: Callable[[str], None]
    files: list[tuple[bytes, bytes]] = field(default_factory=list)
    _known: dict[int, str] = field(default_factory=dict)
    _room: int = mime_limits.text_bytes_max

    def of(self, part: Part) -> str:
        """Return the text of a part with `\\n` as line end and without NUL; cut when the mail's
        text exceeds the bound.
        """
        known = self._known.get(id(part))
        if known is None:
            known = self._known[id(part)] = self._read(part)
        return known

    def plain(self, structure: Structure) -> str:
        """Return the whole text without HTML: the blocks one below the other."""
        return self.joined([self.of_block(block) for block in structure.blocks])

    def of_block(self, block: Block) -> str:
        """Return the plain form, or the HTML form as text if the plain one is empty or only says that there is HTML."""
        plain = self.joined(list(dict.fromkeys(self.of(part).strip("\n") for part in block.plain)))
        if plain.strip() and not (block.html and len(plain) < _STAND_IN_CHARS_MAX and _STAND_IN.search(plain)):
            return plain
        html = self.joined([html_to_text(self.of(part)) for part in block.html])
        return html if len(html.strip()) > len(plain.strip()) else plain

    @staticmethod
    def joined(texts: list[str]) -> str:
        return "\n".join(text for text in texts if text.strip()).strip("\n")

    def _read(self, part: Part) -> str:
        content = self._content(part)
        if len(content) > self._room:
            self.leave_out(_TOO_MUCH)
            content = content[: self._room]
        self._room -= len(content)
        charset = part.parameters.get("charset")
        if part.content_type == "text/html" and codec_of(charset) in (None, "ascii"):
            charset = declared_in_html(content) or charset
        text = clean(decode(content, charset).replace("\0", ""))
        if part.content_type == "text/plain" and part.parameters.get("format", "").lower() == "flowed":
            text = unflowed(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
        return text

    def _content(self, part: Part) -> bytes:
        """Return the decoded bytes; only the beginning of a huge text, unless it has files in it."""
        body_start = part.source[part.start : min(part.end, part.start + mime_limits.encoding_sample_bytes)]
        if part.encoding == "base64" and not transfer.is_base64_text(body_start):
            return part.source[part.start : min(part.end, part.start + mime_limits.text_encoded_bytes_max)]
        if part.content_type == "text/plain" and part.source.find(b"begin ", part.start, part.end) >= 0:
            content, files = uuencode.extract(part.content())
            self.files += files
            return content
        if part.encoded_bytes > mime_limits.text_encoded_bytes_max:
            self.leave_out(_TOO_MUCH)
        content = part.content(mime_limits.text_encoded_bytes_max)
        if part.encoding and _DOUBLY.fullmatch(content):
            # A relay encoded an encoded body once more.
            again = transfer.from_base64(content)
            return again if b"\0" not in again else content
        return content
