"""The one parser of our Markdown: CommonMark with ~~strikethrough~~, without raw HTML.

Mail, Telegram and the console render the same tokens; with two parsers, people would see two different answers. Only
workers and the console load this module.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from models.kernel import limits

# Deeper lists and quotations are read as text. The reference parser in JavaScript has the same limit.
_DEPTH_MAX = 20


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "maxNesting": _DEPTH_MAX}).enable("strikethrough")


def parse(text: str) -> list[Token]:
    """Return the text as markdown-it-py's tokens (https://markdown-it-py.readthedocs.io): blocks, with `children` of
    `inline` ones.

    The worst known text of 100,000 characters (50,000 times `![`) takes a second. A longer text, which no person
    writes, is not parsed as Markdown: it becomes one paragraph.
    """
    if len(text) > limits.message_body_chars_max:
        return _one_paragraph(text)
    return _parser().parse(text)


def render(tokens: list[Token]) -> str:
    """Return the tokens as HTML without styles."""
    parser = _parser()
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html


def _one_paragraph(text: str) -> list[Token]:
    words = Token("text", "", 0, content=text)
    return [
        Token("paragraph_open", "p", 1, block=True),
        Token("inline", "", 0, content=text, children=[words], block=True),
        Token("paragraph_close", "p", -1, block=True),
    ]
