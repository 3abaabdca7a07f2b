"""Join the HTML parts of a mail into one document."""

from __future__ import annotations

import html

from queues.channels.email.reading.body_text import Texts
from queues.channels.email.reading.structure import Block, Structure


def joined_html(structure: Structure, texts: Texts) -> str | None:
    """Join the HTML parts of a mail and the plain text between them, in order; None when the mail has no HTML."""
    if not any(block.html for block in structure.blocks):
        return None
    return "\n".join(_html_of(block, texts) for block in structure.blocks)


def _html_of(block: Block, texts: Texts) -> str:
    documents = [texts.of(part) for part in block.html]
    if any(document.strip() for document in documents):
        return "\n".join(documents)
    text = texts.of_block(block).strip()
    return f"<div>{html.escape(text, quote=False).replace(chr(10), '<br>')}</div>" if text else ""
