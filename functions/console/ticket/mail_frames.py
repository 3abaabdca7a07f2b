"""/t/{ticket}/messages/{message}/frame: the HTML of a mail as a document of its own, for a sandboxed frame.

The HTML was sanitised when the mail came in. The document runs no script, and loads only the mail's own pictures unless
the reader asks for the others.
"""

from __future__ import annotations

from html import escape
from typing import Final

import msgspec

from functions.console.frame.pages import Pages
from functions.console.ticket.finding import message_of, ticket_of
from functions.http.operations import Answer, Call
from models.attachments import queries as files
from models.conversations import queries as conversations
from models.identity.rules import Permission
from models.kernel import settings

pages = Pages()
operations = pages.operations

_STYLE: Final = (
    "body{margin:0;font:14px/20px system-ui,sans-serif;color:#1c2430;background:#fff;overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}table{max-width:100%}"
)


class FrameQuery(msgspec.Struct, kw_only=True):
    """`remote` loads pictures of other hosts, which tells the sender that the mail is read. `whole` has the quotes."""

    remote: bool = False
    whole: bool = False


@pages.get(
    "/t/{ticket}/messages/{message}/frame", "The HTML of a mail", needs=Permission.tickets_read, query=FrameQuery
)
def show_frame(call: Call[None, FrameQuery]) -> Answer:
    """The sources of the policy: HTML Standard, section 7.1.5 (sandboxing); Content Security Policy Level 3."""
    row = message_of(call, ticket_of(call))
    whole = conversations.whole_html(row["id"]) if call.query.whole else None
    html = (whole["html"] if whole is not None else row["body_html"]) or escape(row["body"])
    if call.query.remote:
        html = (whole["html_remote"] if whole is not None else row["body_html_remote"]) or html
    for name, url in files.cid_links(row["id"], settings.current()).items():
        html = html.replace(f'data-cid="{escape(name)}"', f'src="{escape(url)}"')
    pictures = "img-src 'self' data: https: http:" if call.query.remote else f"img-src data: {_own_files()}"
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; {pictures}; form-action 'none'; base-uri 'none';"
        " frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
    document = (
        f'<!doctype html><html><head><meta charset="utf-8"><base target="_blank"><title>Mail</title>'
        f"<style>{_STYLE}</style></head><body>{html}</body></html>"
    )
    return Answer(
        raw=document.encode(),
        content_type="text/html; charset=utf-8",
        headers={
            "Content-Security-Policy": policy,
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "private, no-store",
        },
    )


def _own_files() -> str:
    """Return the sources of the desk's own files: this origin, and the origin of files if it is another one."""
    other = settings.current().files_url
    return f"'self' {other.rstrip('/')}" if other else "'self'"
