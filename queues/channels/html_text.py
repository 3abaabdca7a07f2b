"""The conversion of HTML to text, in one pass.

html.parser is not used: an unfinished comment or tag makes it scan the rest again and again (CVE-2025-6069). Here each
`find` starts where the last one ended, so the time is linear in any input.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

# "a < b" is text.
_TAG = re.compile(r"<(?=/?[a-zA-Z]|[!?])")
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
_SKIPPED = {
    name: re.compile(rf"</{name}\b", re.I) for name in ("script", "style", "title", "template", "textarea", "svg")
}
# The largest reference is &#1114111; or &#x10ffff;; leading zeros are allowed.
_ENDLESS_NUMBER = re.compile(r"&#(?:[0-9]{100,}|[xX][0-9a-fA-F]{100,});?")
# A character or a character reference.
_PIECE = re.compile(r"&(?:#[xX]?[0-9a-fA-F]{1,20}|[a-zA-Z][a-zA-Z0-9]{1,40});?|.", re.S)
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
# The text of an <hr>; a mail's reader does not take it for a signature's delimiter.
RULE = "_" * 20
# Deeper quotations are shown at this depth.
_QUOTE_DEPTH_MAX = 10
# The number of `>` inside quoted attributes that are skipped.
_TAG_EXTENSIONS_MAX = 3
# The texts that start tags write.
_BEGINNINGS = {"li": "- ", "hr": RULE}


@dataclass(frozen=True, slots=True)
class HtmlLine:
    """A line of the text, and the place of its words in the source, in characters."""

    text: str
    start: int
    end: int


class Writer:
    """The writer of text lines; prefixes quotations with `> `. A subclass may extend `tag` to follow the structure."""

    def __init__(self) -> None:
        self.lines: list[HtmlLine] = []
        self._line: list[str] = []
        self._start = -1
        self._end = 0
        self.quote_depth = 0
        self.pre_depth = 0
        self._last_depth = 0

    def write(self, text: str, start: int, end: int) -> None:
        if self._start < 0 and text.strip():
            self._start = start
        self._line.append(text)
        self._end = end

    def end_line(self, at: int, *, always: bool = False) -> None:
        line = " ".join("".join(self._line).split())
        self._line = []
        if line or always:
            prefix = "> " * min(self.quote_depth, _QUOTE_DEPTH_MAX)
            start, end = (self._start, self._end) if self._start >= 0 else (at, at)
            self.lines.append(HtmlLine((prefix + line).rstrip(), start, end))
            self._last_depth = self.quote_depth
            self.line_ended()
        self._start = -1

    def line_ended(self) -> None:
        """Called after a line was added; a subclass may inspect it."""

    def end_paragraph(self, at: int) -> None:
        self.end_line(at)
        if self.lines and self.lines[-1].text.strip("> ") and self._last_depth == self.quote_depth:
            self.end_line(at, always=True)

    def tag(self, name: str, start: int, end: int, *, is_end: bool) -> None:
        """Handle a tag at `start` to `end` of the source."""
        self._break(name, start, end, is_end=is_end)
        if name == "pre":
            self.pre_depth = max(0, self.pre_depth + (-1 if is_end else 1))
        elif name == "blockquote":
            self.quote_depth = max(0, self.quote_depth + (-1 if is_end else 1))
        elif not is_end and name in _BEGINNINGS:
            self.write(_BEGINNINGS[name], start, end)
            if name == "hr":
                self.end_line(start)

    def _break(self, name: str, start: int, end: int, *, is_end: bool) -> None:
        """End the line, paragraph or cell before the tag."""
        if name == "br":
            self.end_line(start, always=True)
        elif name in ("td", "th") and is_end:
            self.write(" ", start, end)
        elif name in _PARAGRAPHS:
            self.end_paragraph(start)
        elif name in _LINES:
            self.end_line(start)


def _unescaped(text: str) -> str:
    """Replace the character references. A reference of too many digits names no character: int() refuses more than
    4,300 digits.
    """
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text))


def html_to_text(source: str) -> str:
    """Return the readable text of an HTML document or fragment; blocks become lines, quotations begin with `> `."""
    writer = Writer()
    read(source, writer)
    return "\n".join(line.text for line in writer.lines).strip("\n")


def read(source: str, writer: Writer) -> None:
    """Pass all text and tags of the source to the writer, in order."""
    at = 0
    for name, is_end, opened, closed in tags(source):
        if opened > at:
            _write(source, writer, at, opened)
        at = closed
        if name:
            writer.tag(name, opened, closed, is_end=is_end)
    if at < len(source):
        _write(source, writer, at, len(source))
    writer.end_line(len(source))


def _write(source: str, writer: Writer, start: int, end: int) -> None:
    """Pass text to the writer; preformatted text line by line."""
    while writer.pre_depth and (line_end := source.find("\n", start, end)) >= 0:
        writer.write(_unescaped(source[start:line_end]), start, line_end)
        writer.end_line(line_end, always=True)
        start = line_end + 1
    writer.write(_unescaped(source[start:end]), start, end)


def place_of(source: str, start: int, end: int, chars: int) -> int:
    """Return the place in `source[start:end]` behind the first `chars` characters of its text, without white space.

    A tag right behind them belongs to the text that follows.
    """
    at = start
    for name, is_end, opened, closed in tags(source, start, end):
        found, chars = _within(source, at, opened, chars)
        if not chars:
            return found
        at = closed
        if not is_end and name in _BEGINNINGS:
            chars -= min(chars, len(_BEGINNINGS[name].strip()))
    return _within(source, at, end, chars)[0]


def _within(source: str, start: int, end: int, chars: int) -> tuple[int, int]:
    """Return the place behind the first `chars` characters of a text, and how many of them are not in it."""
    for piece in _PIECE.finditer(source, start, end) if chars else ():
        chars -= min(chars, len("".join(_unescaped(piece[0]).split())))
        if not chars:
            return piece.end(), 0
    return (end if chars else start), chars


def tags(source: str, start: int = 0, end: int | None = None) -> Iterator[tuple[str, bool, int, int]]:
    """Yield tags and comments from `start` on: the name (empty for a comment), whether it is an end tag, and its place.

    Skipped content, such as a script, belongs to the place of its start tag.
    """
    at, last = start, len(source) if end is None else end
    while (tag := _TAG.search(source, at, last)) is not None:
        opened = tag.start()
        if source.startswith("<!--", opened):
            closed = source.find("-->", opened + 4)
            at = last if closed < 0 else min(closed + 3, last)
            yield "", False, opened, at
            continue
        closed = _tag_end(source, opened)
        if closed < 0:
            # No tag ends after this, so the rest is text.
            return
        at = closed + 1
        found = _NAME.match(source, opened + 1)
        if found is None:
            yield "", False, opened, at
            continue
        name, is_end = found[1].lower(), found[0].startswith("/")
        if name in _SKIPPED and not is_end:
            skipped = _SKIPPED[name].search(source, at)
            at = last if skipped is None else skipped.start()
        yield name, is_end, opened, at


def _tag_end(source: str, opened: int) -> int:
    """Return the place of the tag's end; a `>` inside a quoted attribute is not the end."""
    closed = source.find(">", opened)
    for _ in range(_TAG_EXTENSIONS_MAX):
        if closed < 0 or source.count('"', opened, closed) % 2 == 0:
            return closed
        following = source.find(">", closed + 1, closed + 1000)
        if following < 0:
            return closed
        closed = following
    return closed
