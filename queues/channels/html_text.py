"""HTML as text, in one pass.

Not html.parser: an unfinished comment or tag makes it look through the rest again and again (CVE-2025-6069). Here each `find`
starts where the last one ended, so a hostile megabyte costs what a friendly one does.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(r"<(?=/?[a-zA-Z]|[!?])")  # "a < b" is text
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
_SKIPPED = {
    name: re.compile(rf"</{name}\b", re.I) for name in ("script", "style", "title", "template", "textarea", "svg")
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
RULE = "_" * 20  # an <hr>; in the text of a mail it is no signature's mark
_QUOTE_DEPTH_MAX = 10  # deeper quotes are shown at this depth
_TAG_EXTENSIONS_MAX = 3  # how many `>` inside quoted attributes are passed over


@dataclass(frozen=True, slots=True)
class HtmlLine:
    """A line of the text and where in the source, in characters, its words stand."""

    text: str
    start: int
    end: int


class Writer:
    """Lines of text, with `> ` before what stands in a blockquote. `tag` may be extended to see the structure, too."""

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
        """For who wants to know more of the line just added."""

    def end_paragraph(self, at: int) -> None:
        self.end_line(at)
        if self.lines and self.lines[-1].text.strip("> ") and self._last_depth == self.quote_depth:
            self.end_line(at, always=True)

    def tag(self, name: str, start: int, end: int, *, is_end: bool) -> None:
        """Act on a tag that stands at `start` to `end` of the source."""
        if name == "br":
            self.end_line(start, always=True)
        elif name in ("td", "th") and is_end:
            self.write(" ", start, end)
        elif name in _PARAGRAPHS:
            self.end_paragraph(start)
        elif name in _LINES:
            self.end_line(start)
        if name == "li" and not is_end:
            self.write("- ", start, end)
        elif name == "hr" and not is_end:
            self.write(RULE, start, end)
            self.end_line(start)
        elif name == "pre":
            self.pre_depth = max(0, self.pre_depth + (-1 if is_end else 1))
        elif name == "blockquote":
            self.quote_depth = max(0, self.quote_depth + (-1 if is_end else 1))


def _unescaped(text: str) -> str:
    """The text with its character references replaced. One of too many digits names no character: int() refuses over 4,300."""
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text))


def html_to_text(source: str) -> str:
    """The readable text of an HTML document or fragment; blocks are lines, blockquotes are quoted with `> `."""
    writer = Writer()
    read(source, writer)
    return "\n".join(line.text for line in writer.lines).strip("\n")


def read(source: str, writer: Writer) -> None:
    """Give the writer all text and tags of the source, in order."""
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
    """Give the writer text; where it is preformatted, line by line."""
    while writer.pre_depth and (line_end := source.find("\n", start, end)) >= 0:
        writer.write(_unescaped(source[start:line_end]), start, line_end)
        writer.end_line(line_end, always=True)
        start = line_end + 1
    writer.write(_unescaped(source[start:end]), start, end)


def tags(source: str, start: int = 0, end: int | None = None) -> Iterator[tuple[str, bool, int, int]]:
    """Tags and comments from `start` on: name (empty: no element), whether it is an end tag, and its place.

    What the reader skips, such as a script, belongs to the place of its start tag.
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
            return  # no tag ends after this: what is left is text
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
