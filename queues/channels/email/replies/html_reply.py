"""What a person has newly written in an HTML mail: by the marks of mail programs first, then by the words.

The source is read once, by the reader of `html_text.py`. Each line of its text gets a letter from the element that it stands in
(`html_marks.py`), where there is such an element; all other letters, and what follows from them, are those of plain text. So
answers between quotes, below the quote, or above our own line are found by the same rules. What is hidden is then cut out of the
source; tags that the cut would leave open stay. Linear, without recursion: 200,000 nested quotes are a loop over 200,000 tags.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from queues.channels.email.replies import html_marks
from queues.channels.email.replies.html_marks import (
    ATTRIBUTION,
    BORDER,
    FORWARD,
    MARKER,
    QUOTE,
    REST,
    SIGNATURE,
)
from queues.channels.email.replies.reply_lines import Lines
from queues.channels.email.replies.visible_reply import hidden_lines, split_lines
from queues.channels.html_text import Writer, read, tags

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_END_TAG = re.compile(r"\s{0,100}</([a-zA-Z][a-zA-Z0-9]{0,20})\s{0,10}>")
_NEAR_CHARS = 100  # more white space than that parts any two words
_OPENS_BLOCK = (REST, FORWARD, MARKER, BORDER)


@dataclass(frozen=True, slots=True)
class HtmlCut:
    """An HTML mail parted into what is shown and what is folded away."""

    html: str  # not sanitised: the source without the hidden parts; all of it when nothing is hidden
    text: str  # the same as text; empty when the reply is a picture
    hidden: str  # the text folded away, without the signature
    hidden_at: int  # where in the source, in characters, the first hidden part begins; its length when none is hidden
    signature: str | None  # as text
    reason: str  # the rule that cut, as in visible_reply.Split


@dataclass(slots=True)
class _Quote:
    """An outermost quote of a mail program. Within it, but outside its blockquotes, people write answers."""

    lines: list[int] = field(default_factory=list)  # outside any blockquote
    first_quoted: int = -1


class _Reader(Writer):
    """Notes the letter of each line that a mail program's mark gives it, and where the mark began."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source
        self._stack: list[tuple[str, str]] = []
        self._open: Counter[str] = Counter()
        self._roles: Counter[str] = Counter()
        self._next = ""  # the letter of the next line with text
        self._next_at = -1
        self._rule = False
        self._picture = -1
        self._begin, self._begin_depth = -1, 0
        self._quote: _Quote | None = None
        self._quotes: list[_Quote] = []
        self.letters: dict[int, str] = {}
        self.begins: dict[int, int] = {}  # a line's own mark stands before its words
        self.pictures: list[int] = []

    def tag(self, name: str, start: int, end: int, *, is_end: bool) -> None:
        if name == "hr" and not is_end:
            self.end_line(start)
            self._rule = True
        super().tag(name, start, end, is_end=is_end)
        if is_end:
            self._close(name)
            return
        if name == "img" and not self._roles[QUOTE] and not self.quote_depth:
            self._picture = start
        role = html_marks.role_of(name, self._source[start:end]) if end - start > len(name) + 4 else ""
        if role in _OPENS_BLOCK:
            letter = {REST: "o", FORWARD: "f", MARKER: "R", BORDER: "b"}[role]
            if self._next not in ("R", "o") and not self.quote_depth:
                self.end_line(start)
                self._next, self._next_at = letter, start
        if name in _VOID:
            return
        if role == QUOTE and not self._roles[QUOTE] and (self.quote_depth == 0 or name == "blockquote"):
            self._quote = _Quote()
            self._quotes.append(self._quote)
        self._stack.append((name, role))
        self._open[name] += 1
        if self._begin < 0 and (name == "blockquote" or role in (QUOTE, ATTRIBUTION, SIGNATURE)):
            self._begin, self._begin_depth = start, len(self._stack)
        if role:
            self._roles[role] += 1

    def _close(self, name: str) -> None:
        """Pop to the element that the tag ends; each element is popped once."""
        if not self._open[name]:
            return
        while True:
            opened, role = self._stack.pop()
            self._open[opened] -= 1
            if role:
                self._roles[role] -= 1
                if role == QUOTE and not self._roles[QUOTE]:
                    self._quote = None
            if opened == name:
                break
        if len(self._stack) < self._begin_depth:
            self._begin, self._begin_depth = -1, 0  # it had no words

    def end_line(self, at: int, *, always: bool = False) -> None:
        super().end_line(at, always=always or self._picture >= 0)

    def line_ended(self) -> None:
        index = len(self.lines) - 1
        line = self.lines[index]
        if self._rule:
            self._rule = False
            self.letters[index] = "r"
            return
        if self._picture >= 0:
            if not line.text and not self._next:
                self.pictures.append(index)
                self.begins[index] = self._picture
            self._picture = -1
        if not line.text.strip("> "):
            return
        if self._begin >= 0:
            self.begins[index] = self._begin
            self._begin, self._begin_depth = -1, 0
        if self._next and not self.quote_depth:
            if self._next != "b" or ":" in line.text[:40]:
                self.letters[index] = self._next
                self.begins[index] = self._next_at
            self._next = ""
            return
        if self._roles[SIGNATURE] and not self._roles[QUOTE] and not self.quote_depth:
            self.letters[index] = "z"
        elif self._roles[ATTRIBUTION] and not self.quote_depth:
            self.letters[index] = "a"
        elif self._quote is not None:
            if not self.quote_depth:
                self._quote.lines.append(index)
            elif self._quote.first_quoted < 0:
                self._quote.first_quoted = index

    def finish(self) -> None:
        """Decide what the lines of each quote outside its blockquotes are."""
        for quote in self._quotes:
            for index in quote.lines:
                if quote.first_quoted < 0:
                    self.letters[index] = "q"
                elif index < quote.first_quoted:
                    self.letters[index] = "a"


def cut_html(html: str, *, subject: str = "") -> HtmlCut:
    """Part an HTML mail. Never raises; linear in the length of the source."""
    reader = _Reader(html)
    read(html, reader)
    reader.finish()
    text = "\n".join(line.text for line in reader.lines)
    lines = Lines(text, known=reader.letters, pictures=reader.pictures)
    found = hidden_lines(lines, subject=subject)
    split = split_lines(lines, text.strip("\n"), found)
    ranges = _ranges(html, reader, found.hidden | found.signature) if split.hidden or split.signature else []
    return HtmlCut(
        html=_without(html, ranges),
        text=split.visible,
        hidden=split.hidden,
        hidden_at=ranges[0][0] if ranges else len(html),
        signature=split.signature,
        reason=split.reason,
    )


def _ranges(html: str, reader: _Reader, hidden: frozenset[int]) -> list[tuple[int, int]]:
    """The hidden lines as places in the source; the last one takes all that follows, pictures of a signature for example."""
    ranges: list[tuple[int, int]] = []
    previous = -2
    for index in sorted(hidden):
        line = reader.lines[index]
        start = min(reader.begins.get(index, line.start), line.start)
        if previous == index - 1 and ranges:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], line.end))
        else:
            # Not before the end of what is shown above, whatever began there.
            above = reader.lines[index - 1].end if index else 0
            ranges.append((max(start, above), line.end))
        previous = index
    if ranges and previous == len(reader.lines) - 1:
        ranges[-1] = (ranges[-1][0], len(html))
    return ranges


def _without(html: str, ranges: list[tuple[int, int]]) -> str:
    """The source without these places, but with those of their tags that belong to what stays."""
    kept: list[str] = []
    at = 0
    for start, end in ranges:
        kept.append(html[at:start])
        tags_kept, at = _unmatched(html, start, end)
        kept.extend(tags_kept)
        if not tags_kept and _is_text_around(html, start, at):
            kept.append("<br>")
    kept.append(html[at:])
    return "".join(kept)


def _is_text_around(html: str, start: int, end: int) -> bool:
    """Whether words would run into each other where this place was: "<" and "b" would even become a tag."""
    above = html[max(0, start - _NEAR_CHARS) : start].rstrip()
    below = html[end : end + _NEAR_CHARS].lstrip()
    return above != "" and below != "" and above[-1] != ">" and below[0] != "<"


def _unmatched(html: str, start: int, end: int) -> tuple[list[str], int]:
    """End tags of elements opened before `start`, then start tags of those that end after `end`; and the end, moved behind the end
    tags right there of elements that lose all."""
    ends: list[str] = []
    stack: list[tuple[str, int, int]] = []
    opened: Counter[str] = Counter()
    for name, is_end, tag_start, tag_end in tags(html, start, end):
        if not name or name in _VOID:
            continue
        if not is_end:
            stack.append((name, tag_start, tag_end))
            opened[name] += 1
        elif not opened[name]:
            ends.append(html[tag_start:tag_end])
        else:
            while stack:
                last = stack.pop()[0]
                opened[last] -= 1
                if last == name:
                    break
    if end == len(html):
        return ends, end
    while stack and (found := _END_TAG.match(html, end)) is not None and found[1].lower() == stack[-1][0]:
        end = found.end()
        stack.pop()
    return ends + [html[tag_start:tag_end] for _, tag_start, tag_end in stack], end
