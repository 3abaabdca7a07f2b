"""The texts of messages as HTML for a page: plain text with links, and our Markdown.

The HTML of a mail is another matter: it is shown in a frame of its own (mail_frames.py).
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from models.kernel import imports

_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'`]{1,2000}", re.IGNORECASE)
# A sentence may end behind an address.
_BEHIND: Final = ".,;:!?)]}»”…"
_SCHEMES: Final = ("http://", "https://", "mailto:", "tel:")
_REL: Final = "noopener noreferrer nofollow"


def plain(text: str) -> str:
    """Return paragraphs and line breaks of a plain text, with links for addresses of pages."""
    paragraphs = [one for one in re.split(r"\n{2,}", text.strip("\n")) if one.strip()]
    return "".join(f"<p>{'<br>'.join(_linked(line) for line in one.split(chr(10)))}</p>" for one in paragraphs)


def _linked(line: str) -> str:
    out, at = [], 0
    for match in _ADDRESS.finditer(line):
        address = match[0].rstrip(_BEHIND)
        out += [escape(line[at : match.start()]), _link(address)]
        at = match.start() + len(address)
    out.append(escape(line[at:]))
    return "".join(out)


def _link(address: str) -> str:
    shown = escape(address)
    return f'<a href="{shown}" rel="{_REL}" target="_blank">{shown}</a>'


def markdown(text: str) -> str:
    """Return the HTML of our Markdown. A picture is shown as a link to it: a page loads nothing from other hosts."""
    imports.load("queues.channels.markdown")
    from queues.channels import markdown as ours  # loaded at the first page that shows Markdown

    tokens = ours.parse(text)
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                child.type, child.tag, child.nesting = "text", "", 0
                child.content = child.content or str(child.attrs.get("src", ""))
                child.children = None
            elif child.type == "link_open":
                address = str(child.attrs.get("href", ""))
                child.attrs = {"rel": _REL, "target": "_blank"}
                if address.lower().startswith(_SCHEMES):
                    child.attrs["href"] = address
    return ours.render(tokens)
