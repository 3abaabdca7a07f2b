"""HTML mail as text, in one pass.

Not html.parser: an unfinished comment or tag makes it look through the rest again and again (CVE-2025-6069). Here each `find`
starts where the last one ended, so a hostile megabyte costs what a friendly one does.
"""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<(?=/?[a-zA-Z]|[!?])")  # "a < b" is text
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
_SKIPPED = {
    name: re.compile(rf"</{name}\b", re.I)
    for name in ("script", "style", "title", "template", "textarea", "svg")
}
# The largest is &#1114111; or &#x10ffff;; zeros before it are allowed.
_ENDLESS_NUMBER = re.compile(r"&#(?:[0-9]{100,}|[xX][0-9a-fA-F]{100,});?")
_LINES = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tr",
        "ul",
    ]
)
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"])
_QUOTE_DEPTH_MAX = 10  # deeper quotes are shown at this depth
_TAG_EXTENSIONS_MAX = 3  # how many `>` inside quoted attributes are passed over


class _Writer:
    """Lines of text, with `> ` before what stands in a blockquote."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self.quote_depth = 0
        self._last_depth = 0

    def write(self, text: str) -> None:
        self._line.append(text)

    def end_line(self, *, always: bool = False) -> None:
        line = " ".join("".join(self._line).split())
        self._line = []
        if line or always:
            prefix = "> " * min(self.quote_depth, _QUOTE_DEPTH_MAX)
            self._lines.append((prefix + line).rstrip())
            self._last_depth = self.quote_depth

    def end_paragraph(self) -> None:
        self.end_line()
        if self._lines and self._lines[-1].strip("> ") and self._last_depth == self.quote_depth:
            self.end_line(always=True)

    def text(self) -> str:
        self.end_line()
        return "\n".join(self._lines).strip("\n")


def _unescaped(text: str) -> str:
    """The text with its character references replaced. One of too many digits names no character: int() refuses over 4,300."""
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text))


def html_to_text(source: str) -> str:
    """The readable text of an HTML document or fragment; blocks are lines, blockquotes are quoted with `> `."""
    writer = _Writer()
    at = 0
    while (tag := _TAG.search(source, at)) is not None:
        opened = tag.start()
        if opened > at:
            writer.write(_unescaped(source[at:opened]))
        if source.startswith("<!--", opened):
            closed = source.find("-->", opened + 4)
            at = len(source) if closed < 0 else closed + 3
            continue
        name = _NAME.match(source, opened + 1)
        closed = _tag_end(source, opened)
        if closed < 0:
            # No tag ends after this: what is left is text.
            writer.write(_unescaped(source[opened:]))
            at = len(source)
            break
        at = closed + 1
        if name is not None:
            at = _tag(writer, source, name[1].lower(), name[0].startswith("/"), at)
    writer.write(_unescaped(source[at:]))
    return writer.text()


def _tag_end(source: str, opened: int) -> int:
    """Where the tag ends; a `>` inside a quoted attribute is not the end."""
    closed = source.find(">", opened)
    for _ in range(_TAG_EXTENSIONS_MAX):
        if closed < 0 or source.count('"', opened, closed) % 2 == 0:
            return closed
        following = source.find(">", closed + 1, closed + 1000)
        if following < 0:
            return closed
        closed = following
    return closed


def _tag(writer: _Writer, source: str, name: str, is_end: bool, at: int) -> int:
    """Act on a tag; returns where to go on."""
    if name in _SKIPPED and not is_end:
        end = _SKIPPED[name].search(source, at)
        return len(source) if end is None else end.start()
    if name == "br":
        writer.end_line(always=True)
    elif name in ("td", "th") and is_end:
        writer.write(" ")
    elif name in _PARAGRAPHS:
        writer.end_paragraph()
    elif name in _LINES:
        writer.end_line()
    if name == "li" and not is_end:
        writer.write("- ")
    elif name == "hr" and not is_end:
        writer.write("_" * 20)
        writer.end_line()
    elif name == "blockquote":
        writer.quote_depth = max(0, writer.quote_depth + (-1 if is_end else 1))
    return at
