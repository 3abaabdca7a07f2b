"""Clean the HTML of imported messages as the HTML of a mail is cleaned."""

from __future__ import annotations

from models.imports.context import CleanHtml
from models.kernel import imports

_USED = ("queues.channels.email.content.clean_html", "nh3")


def sanitise(html: str) -> CleanHtml:
    """Return the HTML without scripts, forms and remote pictures, and the same with remote pictures if it has some."""
    imports.load(*_USED)
    from queues.channels.email.content import clean_html  # memory: a part of the mail channel, for imports alone

    clean = clean_html.sanitise(html)
    remote = clean_html.sanitise(html, remote=True).html if clean.blocked_remote else None
    return CleanHtml(clean.html, remote)
