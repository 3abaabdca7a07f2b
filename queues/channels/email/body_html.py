"""The HTML of a mail: joined from its parts, cut like its text, cleaned. It can be made again from the raw mail at any time,
with remote pictures for a reader who asks for them."""

from __future__ import annotations

import html

from queues.channels.email.body_text import Texts
from queues.channels.email.clean_html import CleanHtml, sanitise
from queues.channels.email.header_block import first_value
from queues.channels.email.headers import text_of
from queues.channels.email.html_reply import cut_html
from queues.channels.email.mime import Reader
from queues.channels.email.structure import Block, Structure, structure_of


def shown_html(raw: bytes, *, remote: bool, whole: bool = False) -> CleanHtml | None:
    """The HTML of a raw mail, cleaned; None when it has none. `remote` keeps the addresses of remote pictures; `whole` keeps quotes."""
    reader = Reader(raw)
    root = reader.read()
    structure, texts = structure_of(root), Texts(reader.leave_out)
    source = joined_html(structure, texts)
    if source is None:
        return None
    subject = text_of(first_value(root.headers, b"subject") or b"")
    return sanitise(source if whole else cut_html(source, subject=subject).html, remote=remote)


def joined_html(structure: Structure, texts: Texts) -> str | None:
    """The mail's HTML documents and what stands between them as plain text; None when it has no HTML."""
    if not any(block.html for block in structure.blocks):
        return None
    return "\n".join(_html_of(block, texts) for block in structure.blocks)


def _html_of(block: Block, texts: Texts) -> str:
    documents = [texts.of(part) for part in block.html]
    if any(document.strip() for document in documents):
        return "\n".join(documents)
    text = texts.of_block(block).strip()
    return f"<div>{html.escape(text, quote=False).replace(chr(10), '<br>')}</div>" if text else ""
