"""Convert our Markdown into the HTML body and the text body of a mail.

The text keeps the meaning of the marks: *strong*, _emphasis_, links with their address, lists and quotes by
indentation. Both conversions are one pass over the same tokens. Only addresses of pages, mailboxes and telephones
become links. A picture is a link to the picture, unless the picture comes with the mail (`cid:`).
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from markdown_it.token import Token

from queues.channels import markdown

_SCHEMES = ("http://", "https://", "mailto:", "tel:")
# Marks in the text for elements in HTML.
_MARKS = {"strong": "*", "em": "_", "s": "~~"}
# Elements have their own styles, because many mail programs drop a style sheet.
_QUOTE_STYLE = "margin:0 0 0 8px;padding-left:10px;border-left:3px solid #ccc"
_CODE_STYLE = "font-family:monospace;white-space:pre-wrap"


def to_html(text: str, *, cids: frozenset[str] = frozenset()) -> str:
    """Return safe HTML; `cids` are the pictures that come with the mail."""
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
    """Return text for a reader without a Markdown program."""
    writer = _TextWriter()
    for token in markdown.parse(text):
        writer.add(token)
    return writer.text()


def text_to_html(text: str) -> str:
    """Return HTML that looks like the plain text."""
    return "".join(
        f"<p>{'<br>'.join(escape(line) for line in paragraph.split(chr(10)))}</p>\n"
        for paragraph in text.strip("\n").split("\n\n")
    )


def _href(token: Token) -> str:
    return str(token.attrGet("href") or token.attrGet("src") or "")


def _address(token: Token) -> str | None:
    """Return the address of a link if its scheme is allowed."""
    href = _href(token)
    return href if href.lower().startswith(_SCHEMES) else None


def _block_html(token: Token) -> str:
    if token.hidden:
        # The paragraphs of a tight list.
        return "" if token.nesting == 1 else "\n"
    if token.nesting == -1:
        return f"</{token.tag}>\n"
    if token.type == "blockquote_open":
        return f'<blockquote style="{_QUOTE_STYLE}">\n'
    start = token.attrGet("start") if token.type == "ordered_list_open" else None
    return f"<{token.tag}>" if start is None else f'<{token.tag} start="{int(start)}">'


def _inline_html(tokens: Iterable[Token], cids: frozenset[str]) -> Iterable[str]:
    # The ends of the open links. An address with another scheme is shown as text.
    ends: list[str] = []
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
        else:
            yield _token_html(token)


def _token_html(token: Token) -> str:
    if token.type == "code_inline":
        return f'<code style="{_CODE_STYLE}">{escape(token.content)}</code>'
    if token.type in ("softbreak", "hardbreak"):
        # The author of a message ends a line on purpose.
        return "<br>\n"
    if token.nesting:
        return f"<{'/' if token.nesting == -1 else ''}{token.tag}>"
    return escape(token.content)


def _image_html(token: Token, cids: frozenset[str]) -> str:
    source, words = str(token.attrGet("src") or ""), escape(token.content)
    if source.startswith("cid:") and source[4:] in cids:
        return f'<img src="{escape(source)}" alt="{words}">'
    address = _address(token)
    return words if address is None else f'<a href="{escape(address)}">{words or escape(address)}</a>'


class _TextWriter:
    """Writes blocks with an empty line between them; each line begins with the marks of its quotes and lists."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        # Of the next lines.
        self._prefixes: list[str] = []
        # Of the next line only: the mark of a list.
        self._first: str | None = None
        # The next number of each open list; None for a bullet list.
        self._lists: list[int | None] = []
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
        elif token.type in ("paragraph_close", "heading_close"):
            self._gap = not token.hidden
        elif token.nesting == 1:
            self._open(token)
        elif token.nesting == -1:
            self._close(token)

    def _open(self, token: Token) -> None:
        if token.type == "blockquote_open":
            self._begin("> ", "> ")
        elif token.type == "list_item_open":
            self._item()
        elif token.type == "ordered_list_open":
            self._lists.append(int(token.attrGet("start") or 1))
        elif token.type == "bullet_list_open":
            self._lists.append(None)

    def _close(self, token: Token) -> None:
        if token.type in ("ordered_list_close", "bullet_list_close"):
            self._lists.pop()
            self._gap = True
        elif token.type in ("list_item_close", "blockquote_close"):
            self._prefixes.pop()
            self._first = None
            self._gap = token.type == "blockquote_close" or self._gap

    def _item(self) -> None:
        number = self._lists[-1]
        mark = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1
        self._begin(mark, " " * len(mark))

    def _begin(self, first: str, following: str) -> None:
        """Begin a quote or a list item; the marks of several that begin together stand on one line."""
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
