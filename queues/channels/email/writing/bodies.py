"""What a message says, as the text and the HTML of its mail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from models.channels.accounts import ChannelAccount
from models.kernel.text import clean
from models.ports.outbound import OutgoingAttachment, OutgoingMessage
from queues.channels.email.content.clean_html import sanitise
from queues.channels.email.replies.reply_above import marker_html, marker_line
from queues.channels.email.writing import markdown_html
from queues.channels.email.writing.outgoing_parts import usable_content_id
from queues.channels.html_text import html_to_text

_PICTURE = re.compile(r'(<img\b[^<>]*?)data-cid="')


@dataclass(frozen=True)
class Bodies:
    """`html` is empty where text is enough. `shown`: the pictures that the HTML shows; all other files are attached."""

    text: str
    html: str
    shown: tuple[OutgoingAttachment, ...]


def bodies(message: OutgoingMessage, account: ChannelAccount) -> Bodies:
    """Text alone for text; text and HTML for Markdown, for HTML, and where pictures come with the text."""
    source = clean(message.body)
    pictures = [one for one in message.attachments if one.inline and usable_content_id(one)]
    cids = frozenset(one.content_id or "" for one in pictures)
    if message.body_format == "markdown":
        text, html = markdown_html.to_text(source), markdown_html.to_html(source, cids=cids)
    elif message.body_format == "html":
        text, html = html_to_text(source), _safe_html(source)
    else:
        text, html = source, ""
        if pictures:
            html = markdown_html.text_to_html(source) + "".join(
                f'<p><img src="cid:{escape(one.content_id or "")}" alt="{escape(one.filename)}"></p>\n'
                for one in pictures
            )
    shown = tuple(one for one in pictures if f"cid:{one.content_id}" in html)
    if account.config.get("reply_marker") is True:
        text = f"{marker_line(message.locale)}\n\n{text}"
        html = html and f"{marker_html(message.locale)}\n{html}"
    return Bodies(text, html and _document(html), shown)


def _safe_html(source: str) -> str:
    """What an agent or an automation wrote, as we would let a stranger write it; too deep a nesting leaves the text alone."""
    cleaned = sanitise(source, remote=True).html
    return _PICTURE.sub(r'\1src="cid:', cleaned)


def _document(html: str) -> str:
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{html}</body></html>\n'
