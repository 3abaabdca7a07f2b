"""Find the visible reply of an HTML mail, first by the marks of mail programs and then by the words.

The reader of `html_text.py` reads the source once. A line in an element that a mail program marks (`html_marks.py`)
gets its letter from that mark. All other lines are classified as plain text, and the rules of plain text decide. So the
same rules find answers between quotes, below a quote and above our own line. The hidden lines are then cut out of the
source; a tag without its partner in the cut stays. The cost is linear and without recursion: 200,000 nested quotes are
a loop over 200,000 tags.
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
from queues.channels.html_text import Writer, place_of, read, tags

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_END_TAG = re.compile(r"\s{0,100}</([a-zA-Z][a-zA-Z0-9]{0,20})\s{0,10}>")
# More white space than that separates any two words.
_NEAR_CHARS = 100
# A border begins a quote only if the line has a colon near its start, as a header line has.
_BORDER_LETTER, _BORDER_COLON_CHARS_MAX = "b", 40
_BLOCK_LETTERS = {REST: "o", FORWARD: "f", MARKER: "R", BORDER: _BORDER_LETTER}
# A start tag is read for a role only if it has this many characters beside its name.
_TAG_EXTRA_CHARS_MIN = 4


@dataclass(frozen=True, slots=True)
class HtmlCut:
    """An HTML mail, divided into the part that is shown and the parts that are folded away."""

    source: str
    # The source without the hidden parts, not sanitised; the whole source when nothing is hidden.
    html: str
    # The shown part as text; empty when the reply is a picture.
    text: str
    # The folded part as text, without the signature.
    hidden: str
    # Offset of the first hidden part in the source, in characters; the length of the source when nothing is hidden.
    hidden_at: int
    # As text.
    signature: str | None
    # The rule that decided, as in visible_reply.Split.
    reason: str


@dataclass(slots=True)
class _Quote:
    """An outermost quote of a mail program. People write answers inside it, between its blockquotes."""

    # Lines outside any blockquote.
    lines: list[int] = field(default_factory=list)
    first_quoted: int = -1


class _Reader(Writer):
    """Records the letters that the marks of mail programs give to lines, and where these marks begin."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source
        self._stack: list[tuple[str, str]] = []
        self._open: Counter[str] = Counter()
        self._roles: Counter[str] = Counter()
        # The letter of the next line with text.
        self._next = ""
        self._next_at = -1
        self._rule = False
        self._picture = -1
        self._begin, self._begin_depth = -1, 0
        self._quote: _Quote | None = None
        self._quotes: list[_Quote] = []
        self.letters: dict[int, str] = {}
        # Offsets of the marks of lines; a mark stands before the words of its line.
        self.begins: dict[int, int] = {}
        self.pictures: list[int] = []

    def tag(self, name: str, start: int, end: int, *, is_end: bool) -> None:
        if name == "hr" and not is_end:
            self.end_line(start)
            self._rule = True
        super().tag(name, start, end, is_end=is_end)
        if is_end:
            self._close(name)
            return
        if name == "img":
            self._see_picture(start)
        is_bare = end - start <= len(name) + _TAG_EXTRA_CHARS_MIN
        role = "" if is_bare else html_marks.role_of(name, self._source[start:end])
        if role in _BLOCK_LETTERS and self._next not in ("R", "o") and not self.quote_depth:
            self.end_line(start)
            self._next, self._next_at = _BLOCK_LETTERS[role], start
        if name not in _VOID:
            self._push(name, role, start)

    def _see_picture(self, start: int) -> None:
        if not self._roles[QUOTE] and not self.quote_depth:
            self._picture = start

    def _push(self, name: str, role: str, start: int) -> None:
        """Open an element that has an end tag."""
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
        """Close the elements up to the one that the tag ends. Each element is closed once."""
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
            # The marked element had no words.
            self._begin, self._begin_depth = -1, 0

    def end_line(self, at: int, *, always: bool = False) -> None:
        super().end_line(at, always=always or self._picture >= 0)

    def line_ended(self) -> None:
        index = len(self.lines) - 1
        line = self.lines[index]
        if self._rule:
            self._rule = False
            self.letters[index] = "r"
            return
        self._record_picture(index, line.text)
        if not line.text.strip("> "):
            return
        if self._begin >= 0:
            self.begins[index] = self._begin
            self._begin, self._begin_depth = -1, 0
        if self._next and not self.quote_depth:
            self._begin_block(index, line.text)
        else:
            self._set_letter(index)

    def _record_picture(self, index: int, text: str) -> None:
        if self._picture >= 0 and not text and not self._next:
            self.pictures.append(index)
            self.begins[index] = self._picture
        self._picture = -1

    def _begin_block(self, index: int, text: str) -> None:
        """Give the line the letter of the block that a tag before it has opened."""
        if self._next != _BORDER_LETTER or ":" in text[:_BORDER_COLON_CHARS_MAX]:
            self.letters[index] = self._next
            self.begins[index] = self._next_at
        self._next = ""

    def _set_letter(self, index: int) -> None:
        """Give the line the letter of the elements that are open."""
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
        """Set the letters of the lines in quotes outside their blockquotes: above the first is an attribution."""
        for quote in self._quotes:
            for index in quote.lines:
                if quote.first_quoted < 0:
                    self.letters[index] = "q"
                elif index < quote.first_quoted:
                    self.letters[index] = "a"


def cut_html(html: str, *, subject: str = "") -> HtmlCut:
    """Divide an HTML mail. Never raises; linear in the length of the source."""
    reader = _Reader(html)
    read(html, reader)
    reader.finish()
    text = "\n".join(line.text for line in reader.lines)
    lines = Lines(text, known=reader.letters, pictures=reader.pictures)
    found = hidden_lines(lines, subject=subject)
    split = split_lines(lines, text.strip("\n"), found)
    hidden = found.hidden | found.signature if split.hidden or split.signature else frozenset()
    ranges = _ranges(html, _places(html, reader, lines), hidden) if hidden else []
    return HtmlCut(
        source=html,
        html=_without(html, ranges),
        text=split.visible,
        hidden=split.hidden,
        hidden_at=ranges[0][0] if ranges else len(html),
        signature=split.signature,
        reason=split.reason,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a line in the source."""

    # Its mark may stand before its words.
    mark: int
    start: int
    end: int


def _places(html: str, reader: _Reader, lines: Lines) -> list[_Place]:
    """Return the places of the lines. A line that was split takes two places."""
    places: list[_Place] = []
    number = 0
    for index in range(len(lines.raw)):
        if index in lines.continued:
            whole = places.pop()
            chars = sum(map(len, lines.raw[index - 1].split()))
            at = place_of(html, whole.start, whole.end, chars)
            places += [_Place(whole.mark, whole.start, at), _Place(at, at, whole.end)]
        else:
            line = reader.lines[number]
            places.append(_Place(min(reader.begins.get(number, line.start), line.start), line.start, line.end))
            number += 1
    return places


def _ranges(html: str, places: list[_Place], hidden: frozenset[int]) -> list[tuple[int, int]]:
    """Return the places of the hidden lines in the source. The last line takes all that follows, such as pictures."""
    ranges: list[tuple[int, int]] = []
    previous = -2
    for index in sorted(hidden):
        place = places[index]
        if previous == index - 1 and ranges:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], place.end))
        else:
            # The range begins after the line above, even if the mark of this line begins earlier.
            above = places[index - 1].end if index else 0
            ranges.append((max(place.mark, above), place.end))
        previous = index
    if ranges and previous == len(places) - 1:
        ranges[-1] = (ranges[-1][0], len(html))
    return ranges


def _without(html: str, ranges: list[tuple[int, int]]) -> str:
    """Cut these places out of the source, but keep the tags whose partners stay."""
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
    """Return True if the cut would join two words; "<" and "b" would even become a tag."""
    above = html[max(0, start - _NEAR_CHARS) : start].rstrip()
    below = html[end : end + _NEAR_CHARS].lstrip()
    return above != "" and below != "" and above[-1] != ">" and below[0] != "<"


def _unmatched(html: str, start: int, end: int) -> tuple[list[str], int]:
    """Return the tags of this place that belong to elements outside it, and the end of the place.

    End tags of elements that begin before `start` come first, then start tags of elements that end after `end`. End
    tags right after the place, of elements that lose all their content, move the end behind them.
    """
    ends, stack = _tags_without_partner(html, start, end)
    if end == len(html):
        return ends, end
    while stack and (found := _END_TAG.match(html, end)) is not None and found[1].lower() == stack[-1][0]:
        end = found.end()
        stack.pop()
    return ends + [html[tag_start:tag_end] for _, tag_start, tag_end in stack], end


def _tags_without_partner(html: str, start: int, end: int) -> tuple[list[str], list[tuple[str, int, int]]]:
    """Return the end tags without a start tag here, and the start tags (name, start, end) without an end tag here."""
    ends: list[str] = []
    stack: list[tuple[str, int, int]] = []
    opened: Counter[str] = Counter()
    for name, is_end, tag_start, tag_end in tags(html, start, end):
        if not name or name in _VOID:
            continue
        if not is_end:
            stack.append((name, tag_start, tag_end))
            opened[name] += 1
        elif opened[name]:
            _pop_to(name, stack, opened)
        else:
            ends.append(html[tag_start:tag_end])
    return ends, stack


def _pop_to(name: str, stack: list[tuple[str, int, int]], opened: Counter[str]) -> None:
    while stack:
        last = stack.pop()[0]
        opened[last] -= 1
        if last == name:
            return
