"""The one reader of our Markdown: CommonMark with ~~strikethrough~~, no raw HTML.

Mail and Telegram make different things of it; if they read it differently, people would see two different answers.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("strikethrough")


def parse(text: str) -> list[Token]:
    """The text as markdown-it-py's tokens (https://markdown-it-py.readthedocs.io): blocks, with `children` of `inline` ones."""
    return _parser().parse(text)
