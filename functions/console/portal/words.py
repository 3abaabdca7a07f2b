"""The text of a message as a page shows it.

A plain text is escaped, and its addresses become links. Markdown and HTML of an agent become a few harmless elements:
no pictures, no styles, no scripts, and links only to the web and to mail addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from models.kernel import imports

_TAGS: Final = frozenset(
    {"a", "b", "blockquote", "br", "code", "del", "em", "i", "li", "ol", "p", "pre", "strong", "u", "ul"}
)
_SCHEMES: Final = frozenset({"http", "https", "mailto"})


@dataclass(frozen=True, slots=True)
class Words:
    """A text, or markup that is safe to show."""

    text: str
    markup: Any = None


def words_of(row: Mapping[str, Any]) -> Words:
    """Return the words of a message. Of a requester's mail it is the visible reply as text."""
    if row["direction"] == "inbound" or row["body_format"] == "text":
        return Words(row["body"])
    html = _of_markdown(row["body"]) if row["body_format"] == "markdown" else row["body"]
    imports.load("nh3")
    import nh3

    clean = nh3.clean(
        html, tags=set(_TAGS), attributes={"a": {"href"}}, url_schemes=set(_SCHEMES), link_rel="noopener nofollow"
    )
    return Words(row["body"], imports.load("markupsafe").Markup(clean))


def _of_markdown(text: str) -> str:
    imports.load("markdown_it")
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": False, "breaks": True}).render(text))
