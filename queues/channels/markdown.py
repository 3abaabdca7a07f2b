"""The one reader of our Markdown: CommonMark with ~~strikethrough~~, no raw HTML.

Mail and Telegram make different things of it; if they read it differently, people would see two different answers. Workers only:
functions do not load it.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from models.kernel import limits

# Deeper lists and quotes are read as text. CommonMark's own bound, of the reference parser in JavaScript, is the same.
_DEPTH_MAX = 20


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "maxNesting": _DEPTH_MAX}).enable("strikethrough")


def parse(text: str) -> list[Token]:
    """The text as markdown-it-py's tokens (https://markdown-it-py.readthedocs.io): blocks, with `children` of `inline` ones.

    The worst of 100,000 characters that we know takes a second (50,000 times `![`). A longer text, which no person writes, is not
    read as Markdown: it is one paragraph as it stands.
    """
    if len(text) > limits.message_body_chars_max:
        return _one_paragraph(text)
    return _parser().parse(text)


def _one_paragraph(text: str) -> list[Token]:
    words = Token("text", "", 0, content=text)
    return [
        Token("paragraph_open", "p", 1, block=True),
        Token("inline", "", 0, content=text, children=[words], block=True),
        Token("paragraph_close", "p", -1, block=True),
    ]
