"""Clean the HTML of imported messages as the HTML of a mail is cleaned."""

from __future__ import annotations

from models.imports.context import CleanHtml
from queues.channels.email.content import clean_html


def sanitise(html: str) -> CleanHtml:
    """Return the HTML without scripts, forms and remote pictures, and the same with remote pictures if it has some."""
    clean = clean_html.sanitise(html)
    remote = clean_html.sanitise(html, remote=True).html if clean.blocked_remote else None
    return CleanHtml(clean.html, remote)
