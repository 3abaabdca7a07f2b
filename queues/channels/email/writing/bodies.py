"""Make the text body and the HTML body of a mail from a message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    """The bodies of a mail."""

    text: str
    # Empty when text is enough.
    html: str
    # The pictures that the HTML shows; all other files are attached.
    shown: tuple[OutgoingAttachment, ...]


def bodies(message: OutgoingMessage, account: ChannelAccount) -> Bodies:
    """Make text and HTML for Markdown, for HTML and for text with inline pictures; text alone for other text."""
    pictures = [one for one in message.attachments if one.inline and usable_content_id(one)]
    text, html = _converted(message.body_format, clean(message.body), pictures)
    text, html = _signed(text, html, message.details.get("signature"))
    shown = tuple(one for one in pictures if f"cid:{one.content_id}" in html)
    if message.reply_above:
        text = f"{marker_line(message.reply_above)}\n\n{text}"
        html = html and f"{marker_html(message.reply_above)}\n{html}"
    return Bodies(text, html and _document(html), shown)


def _converted(body_format: str, source: str, pictures: Sequence[OutgoingAttachment]) -> tuple[str, str]:
    """Return the text and the HTML of a body."""
    if body_format == "markdown":
        cids = frozenset(one.content_id or "" for one in pictures)
        return markdown_html.to_text(source), markdown_html.to_html(source, cids=cids)
    if body_format == "html":
        return html_to_text(source), _safe_html(source)
    if not pictures:
        return source, ""
    images = "".join(
        f'<p><img src="cid:{escape(one.content_id or "")}" alt="{escape(one.filename)}"></p>\n' for one in pictures
    )
    return source, markdown_html.text_to_html(source) + images


def _signed(text: str, html: str, signature: Mapping[str, str] | None) -> tuple[str, str]:
    """Add the author's signature below the separator that mail programs know (RFC 3676 section 4.3)."""
    if not signature:
        return text, html
    signed_text, signed_html = _converted(signature["format"], clean(signature["text"]), ())
    if html or signed_html:
        html = html or markdown_html.text_to_html(text)
        html += f'<div class="signature">-- <br>\n{signed_html or markdown_html.text_to_html(signed_text)}</div>\n'
    return f"{text.rstrip()}\n\n-- \n{signed_text.strip()}\n", html


def _safe_html(source: str) -> str:
    """Sanitise the HTML of an agent or an automation as that of a stranger; empty when it is nested too deep."""
    cleaned = sanitise(source, remote=True).html
    return _PICTURE.sub(r'\1src="cid:', cleaned)


def _document(html: str) -> str:
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{html}</body></html>\n'
