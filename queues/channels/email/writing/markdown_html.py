"""Our Markdown as the two bodies of a mail: HTML for those who see it, text for those who do not.

The text keeps what the marks mean: *strong*, _stress_, links with their address, lists and quotes by indentation. Both
are one pass over the same tokens. Only links that lead to a page, a mailbox or a telephone are links; pictures are
links to pictures, unless they come with the mail (`cid:`).
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from markdown_it.token import Token

from queues.channels import markdown

_SCHEMES = ("http://", "https://", "mailto:", "tel:")
# Marks in the text for what is an element in HTML.
_MARKS = {"strong": "*", "em": "_", "s": "~~"}
# Styles stand at the elements: many mail programs drop a style sheet.
_QUOTE_STYLE = "margin:0 0 0 8px;padding-left:10px;border-left:3px solid #ccc"
_CODE_STYLE = "font-family:monospace;white-space:pre-wrap"


def to_html(text: str, *, cids: frozenset[str] = frozenset()) -> str:
    """Safe HTML of the Markdown; `cids`: the pictures that come with the mail."""
    out: list[str] = []
    for token in markdown.parse(text):
        if token.type == "inline":
            out.extend(_inline_html(token.children or [], cids))
        elif token.type in ("fence", "code_block"):
            out.append(f'<pre style="{_CODE_STYLE}">{escape(token.content.rstrip())}</pre>\n')
        elif token.type == "hr":
            out.append("<hr>\n")
        else:
            out.append(_block_html(token))
    return "".join(out)


def to_text(text: str) -> str:
    """The Markdown as text to be read without a program that knows it."""
    writer = _TextWriter()
    for token in markdown.parse(text):
        writer.add(token)
    return writer.text()


def text_to_html(text: str) -> str:
    """Plain text as HTML that looks the same."""
    return "".join(
        f"<p>{'<br>'.join(escape(line) for line in paragraph.split(chr(10)))}</p>\n"
        for paragraph in text.strip("\n").split("\n\n")
    )


def _href(token: Token) -> str:
    return str(token.attrGet("href") or token.attrGet("src") or "")


def _address(token: Token) -> str | None:
    """Where the link leads, if it is an address that a reader may follow."""
    href = _href(token)
    return href if href.lower().startswith(_SCHEMES) else None


def _block_html(token: Token) -> str:
    if token.hidden:  # the paragraphs of a tight list
        return "" if token.nesting == 1 else "\n"
    if token.nesting == -1:
        return f"</{token.tag}>\n"
    if token.type == "blockquote_open":
        return f'<blockquote style="{_QUOTE_STYLE}">\n'
    start = token.attrGet("start") if token.type == "ordered_list_open" else None
    return f"<{token.tag}>" if start is None else f'<{token.tag} start="{int(start)}">'


def _inline_html(tokens: Iterable[Token], cids: frozenset[str]) -> Iterable[str]:
    ends: list[str] = []  # of the links that are open; an address that nobody follows is shown
    for token in tokens:
        if token.type == "link_open":
            address = _address(token)
            ends.append(f" ({escape(_href(token))})" if address is None else "</a>")
            if address is not None:
                yield f'<a href="{escape(address)}">'
        elif token.type == "link_close":
            yield ends.pop()
        elif token.type == "image":
            yield _image_html(token, cids)
        elif token.type == "code_inline":
            yield f'<code style="{_CODE_STYLE}">{escape(token.content)}</code>'
        elif token.type in ("softbreak", "hardbreak"):
            yield "<br>\n"  # who writes a message means the line that they end
        elif token.nesting:
            yield f"<{'/' if token.nesting == -1 else ''}{token.tag}>"
        else:
            yield escape(token.content)


def _image_html(token: Token, cids: frozenset[str]) -> str:
    source, words = str(token.attrGet("src") or ""), escape(token.content)
    if source.startswith("cid:") and source[4:] in cids:
        return f'<img src="{escape(source)}" alt="{words}">'
    address = _address(token)
    return words if address is None else f'<a href="{escape(address)}">{words or escape(address)}</a>'


class _TextWriter:
    """Blocks with an empty line between them, each line behind the marks of the quotes and lists that it stands in."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._prefixes: list[str] = []  # of the lines to come
        self._first: str | None = None  # of the next line only: a list's mark
        self._lists: list[int | None] = []  # the next number; None: a bullet list
        self._gap = False

    def text(self) -> str:
        return "\n".join(self._lines).strip("\n") + "\n"

    def add(self, token: Token) -> None:
        if token.type == "inline":
            self._block("".join(_inline_text(token.children or [])).split("\n"))
        elif token.type in ("fence", "code_block"):
            self._block([f"    {line}" for line in token.content.rstrip().split("\n")], gap=True)
        elif token.type == "hr":
            self._block(["-" * 40], gap=True)
        elif token.type == "blockquote_open":
            self._begin("> ", "> ")
        elif token.type in ("ordered_list_open", "bullet_list_open"):
            number = int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None
            self._lists.append(number)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            self._lists.pop()
            self._gap = True
        elif token.type == "list_item_open":
            self._item()
        elif token.type in ("list_item_close", "blockquote_close"):
            self._prefixes.pop()
            self._first = None
            self._gap = token.type == "blockquote_close" or self._gap
        elif token.type in ("paragraph_close", "heading_close"):
            self._gap = not token.hidden

    def _item(self) -> None:
        number = self._lists[-1]
        mark = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1
        self._begin(mark, " " * len(mark))

    def _begin(self, first: str, following: str) -> None:
        """A quote or an item; marks of several that begin at once stand on one line."""
        outer = self._first if self._first is not None else "".join(self._prefixes)
        self._first = outer + first
        self._prefixes.append(following)

    def _block(self, lines: list[str], *, gap: bool = False) -> None:
        following = "".join(self._prefixes)
        if self._gap and self._lines:
            outer = "".join(self._prefixes[:-1]) if self._first is not None else following
            self._lines.append(outer.rstrip())
        self._gap = gap
        for line in lines:
            prefix = following if self._first is None else self._first
            self._first = None
            self._lines.append((prefix + line).rstrip())


def _inline_text(tokens: Iterable[Token]) -> Iterable[str]:
    links: list[tuple[str, list[str]]] = []
    for token in tokens:
        piece = ""
        if token.type == "link_open":
            links.append((_href(token), []))
            continue
        if token.type == "link_close":
            address, inside = links.pop()
            piece = _link_text("".join(inside), address)
        elif token.type == "image":
            piece = _link_text(token.content, _address(token) or "")
        elif token.type == "code_inline":
            piece = f"`{token.content}`"
        elif token.type in ("softbreak", "hardbreak"):
            piece = "\n"
        elif token.nesting:
            piece = _MARKS.get(token.tag, "")
        else:
            piece = token.content
        if links:
            links[-1][1].append(piece)
        else:
            yield piece


def _link_text(words: str, address: str) -> str:
    if not address:
        return words
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    return bare if words in ("", bare, address) else f"{words} ({bare})"
