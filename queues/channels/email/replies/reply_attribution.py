"""Find attributions: "On 16 November 2026, Ada <ada@example.test> wrote:", in any language, over up to five lines.

No language has a pattern of its own. The rules weigh evidence: a date, a clock time, an address, a word with which mail
programs begin the line, and the verb with only a name, an address or a date after it. The verb and two more pieces are
enough anywhere; less is enough only right above quoted lines. A person's own sentence ("on Monday I wrote:") lacks the
evidence or has a pronoun.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from queues.channels.email import limits
from queues.channels.email.replies import reply_words as words
from queues.channels.email.replies.attribution_begin import NOWHERE, begin_of
from queues.channels.email.replies.attribution_verb import BRACKETED_END, VERBS, WORD, verb_ends

_LINES_MAX = 5
# With the blank lines between.
_SPREAD_LINES_MAX = 8
# Lines of a quote that may carry its own attribution.
_QUOTED_LINES_MAX = 3
_DIGIT = re.compile(r"\d")
_DATE, _CLOCK, _ADDRESS, _VERB = 1, 2, 4, 8
_WITHOUT_VERB = _DATE | _CLOCK | _ADDRESS
_ADDRESS_AND_DATE = _ADDRESS | _DATE
_EVERYTHING = _WITHOUT_VERB | _VERB
_CANDIDATE_ENDS = frozenset(":：>)]-*_–—\"'")
_MIDLINE = re.compile(r"[.!?…] (?:on|am|le|el|il|op|em|den|dnia|w dniu)\b (?=.*\d)", re.I)
_WEAK_CHARS_MAX = 160
_BARE_VERB_CHARS_MAX = 40
# Blanks in a line that has a colon, the verb and one more piece of evidence.
_SHORT_BLANKS_MAX = 8
# Blanks in a line that has only the verb, right above a quote.
_WEAK_BLANKS_MAX = 15
_QUOTE_NEAR_LINES = 3


class Attributions:
    """Marks the attributions among the letters of a text."""

    def __init__(self, lines: list[str], letters: list[str]) -> None:
        self._lines = lines
        self._letters = letters
        self._flags: dict[int, int] = {}
        self._offsets: dict[int, int] = {}
        # By line: the offset of an attribution that begins within the line, behind the author's words.
        self.begins: dict[int, int] = {}
        self.steps = 0

    def mark(self) -> None:
        """Set the letter `a` for each line of each attribution."""
        letters = self._letters
        before = "e"
        for index, line in enumerate(self._lines):
            letter = letters[index]
            if letter == "q":
                self._mark_in_quote(index, line, begins_quote=before != "q")
            elif letter in "tn" and self._may_end(line):
                if self.steps >= limits.attribution_steps_max:
                    break
                start = self._start(index)
                if start is not None:
                    self._set(start, index)
            elif len(line) > limits.reply_line_chars_max and letter in "tn":
                self._mark_behind_long_text(index, line)
            before = letters[index]

    def _mark_behind_long_text(self, index: int, line: str) -> None:
        """Mark an attribution at the end of a line that holds a whole paragraph of the author."""
        start = len(line) - limits.reply_line_chars_max
        tail = line[start:]
        if not self._may_end(tail) or self.steps >= limits.attribution_steps_max:
            return
        self.steps += 1
        offset = begin_of(tail)
        rest = tail[offset:]
        if offset > 0 and _is_attribution(rest, _evidence(rest), near_quote=self._near_quote(index)):
            self._letters[index] = "a"
            self.begins[index] = start + offset

    def _set(self, first: int, last: int) -> None:
        self._letters[first : last + 1] = "a" * (last + 1 - first)

    def _mark_in_quote(self, index: int, line: str, *, begins_quote: bool) -> None:
        # "<", "ada@example.test", "> wrote:" on three lines: the bracket is no quote mark.
        if _is_bare_verb(line):
            self._mark_spread(index)
        elif line.endswith(">>>") and line.startswith(">>>") and _is_group_wise(line):
            self._letters[index] = "a"
        elif begins_quote:
            self._mark_quoted(index)

    def _mark_spread(self, end: int) -> None:
        """Mark an attribution whose address stands between blank lines, as some programs write it."""
        flags = 0
        for start in range(end - 1, max(-1, end - _SPREAD_LINES_MAX), -1):
            line = self._lines[start]
            if self._letters[start] not in "etn" or len(line) > limits.reply_line_chars_max:
                return
            self.steps += 1
            flags |= self._flag(start)
            if flags & _ADDRESS and self._flag(start) & _DATE and _is_anchored(line):
                self._set(start, end)
                return

    def _mark_quoted(self, index: int) -> None:
        """Mark an attribution in the first quoted lines: some programs put the quote mark before it as well."""
        joined = ""
        for end in range(index, min(index + _QUOTED_LINES_MAX, len(self._lines))):
            if self._letters[end] != "q" or len(self._lines[end]) > limits.reply_line_chars_max:
                return
            joined = f"{joined} {self._lines[end].lstrip('>＞ ')}".strip()
            self.steps += 1
            if self._may_end(joined) and _is_attribution(joined, _evidence(joined), near_quote=False):
                self._set(index, end)
                return

    @staticmethod
    def _may_end(line: str) -> bool:
        if len(line) > limits.reply_line_chars_max:
            return False
        if line[-1:] in _CANDIDATE_ENDS:
            return True
        return line[line.rfind(" ") + 1 :].casefold() in words.WROTE or line.endswith(words.WROTE_PARTS)

    def _start(self, end: int) -> int | None:
        """Return the first line of the attribution that ends in line `end`; None when there is none."""
        near_quote = self._near_quote(end)
        found = None
        for start, joined, flags in self._candidates(end):
            own = self._flag(start)
            if not flags:
                continue
            offset = self._offset(start)
            if offset == NOWHERE or (found is not None and not self._may_extend(start, own)):
                continue
            if offset > 0:
                rest = joined[offset:]
                if _is_attribution(rest, _evidence(rest), near_quote=near_quote):
                    # The author's words stand before it, so it does not extend above this line.
                    self.begins[start] = offset
                    return start
                continue
            if not _is_attribution(joined, flags, near_quote=near_quote):
                continue
            is_extended, found = found is not None, start
            if own & _DATE and (is_extended or (flags & (_VERB | _ADDRESS) and _is_anchored(self._lines[start]))):
                break
        return found

    def _candidates(self, end: int) -> Iterator[tuple[int, str, int]]:
        """Yield the last line, the last two lines, and so on: the first line, the joined text and its evidence."""
        joined, flags = "", 0
        for start in range(end, max(-1, end - _LINES_MAX), -1):
            line = self._lines[start]
            if self._letters[start] not in "tn" or len(line) > limits.reply_line_chars_max:
                return
            self.steps += 1
            joined = f"{line} {joined}" if joined else line
            flags |= self._flag(start)
            yield start, joined, flags

    def _may_extend(self, start: int, own: int) -> bool:
        """Return True if an attribution may begin above the one found: "On 16 November, Ada" above "<ada@x.test>
        wrote:".
        """
        if not own & _WITHOUT_VERB:
            return False
        if self._offset(start) > 0:
            return True
        begins_paragraph = start == 0 or self._letters[start - 1] not in "tn"
        return begins_paragraph or _is_anchored(self._lines[start])

    def _near_quote(self, end: int) -> bool:
        for letter in self._letters[end + 1 : end + 1 + _QUOTE_NEAR_LINES]:
            if letter != "e":
                return letter == "q"
        return False

    def _offset(self, index: int) -> int:
        offset = self._offsets.get(index)
        if offset is None:
            offset = self._offsets[index] = begin_of(self._lines[index])
        return offset

    def _flag(self, index: int) -> int:
        flags = self._flags.get(index)
        if flags is None:
            flags = self._flags[index] = _evidence(self._lines[index])
        return flags


class _Candidate(NamedTuple):
    """Lines that may be an attribution, joined by blanks, with their evidence."""

    joined: str
    # `joined` without decoration at both ends.
    text: str
    flags: int
    # How many of date, clock time and address it has.
    evidence: int
    ends_with_colon: bool
    near_quote: bool


def _is_attribution(joined: str, flags: int, *, near_quote: bool) -> bool:
    """Return True if the joined lines are an attribution; `near_quote` when quoted lines follow."""
    if not flags or _MIDLINE.search(joined):
        return False
    text = joined.strip(" *_-–—~\t")
    ends_with_colon = text.rstrip(" *_-–—").endswith((":", "："))
    candidate = _Candidate(joined, text, flags, (flags & _WITHOUT_VERB).bit_count(), ends_with_colon, near_quote)
    if flags & _VERB and verb_ends(text, ends_with_colon=ends_with_colon, may_address=near_quote):
        return _is_enough_with_verb(candidate)
    if _begins_as_quoting(candidate):
        return near_quote or bool(flags & _ADDRESS)
    if flags & _VERB:
        return flags == _EVERYTHING and ends_with_colon and near_quote
    return _is_enough_without_verb(candidate)


def _is_enough_with_verb(candidate: _Candidate) -> bool:
    """Return True if the evidence beside a verb at the end is enough."""
    text, evidence = candidate.text, candidate.evidence
    if evidence >= 2 or _is_between_dashes(candidate.joined):
        return True
    blanks = text.count(" ")
    if evidence == 1 and _is_anchored(text):
        return True
    if evidence == 1 and candidate.ends_with_colon and blanks <= _SHORT_BLANKS_MAX:
        return candidate.near_quote or bool(candidate.flags & _ADDRESS)
    return candidate.near_quote and _is_short(text, blanks)


def _is_short(text: str, blanks: int) -> bool:
    return blanks <= _WEAK_BLANKS_MAX and len(text) <= _WEAK_CHARS_MAX


def _is_between_dashes(joined: str) -> bool:
    """Return True if the line is like "---- Ada wrote ----"."""
    return joined.startswith("--") and joined.endswith("--")


def _is_enough_without_verb(candidate: _Candidate) -> bool:
    """Return True if a line without a verb has enough evidence: "2026-11-16 11:20 GMT+01:00 Ada
    <ada@example.test>:".
    """
    return _ends_with_address(candidate) or (candidate.ends_with_colon and _is_dated_sender(candidate))


def _ends_with_address(candidate: _Candidate) -> bool:
    """Return True if a short dated line ends with an address in brackets, and one more sign says that it is an
    attribution.
    """
    text, flags = candidate.text, candidate.flags
    if flags & _ADDRESS_AND_DATE != _ADDRESS_AND_DATE or len(text) > _WEAK_CHARS_MAX:
        return False
    if not BRACKETED_END.search(text):
        return False
    return candidate.near_quote or _is_anchored(text) or (candidate.ends_with_colon and bool(flags & _CLOCK))


def _is_dated_sender(candidate: _Candidate) -> bool:
    """Return True if a line with a colon at its end has all evidence but the verb, or two pieces of it right above a
    quote.
    """
    text = candidate.text
    if candidate.evidence == 3 and (text.endswith(("]:", "):")) or _is_anchored(text)):
        return True
    return candidate.near_quote and candidate.evidence >= 2 and len(text) <= _WEAK_CHARS_MAX


def _begins_as_quoting(candidate: _Candidate) -> bool:
    """Return True if the text is like "Quoting Ada <ada@example.test>:"."""
    text = candidate.text
    return candidate.ends_with_colon and text != "" and text.split(None, 1)[0].casefold() in words.QUOTING


def _evidence(line: str) -> int:
    """Return the evidence in a line as the sum of `_DATE`, `_CLOCK`, `_ADDRESS` and `_VERB`."""
    flags = 0
    if _DIGIT.search(line):
        if words.has_date(line):
            flags |= _DATE
        if words.CLOCK.search(line):
            flags |= _CLOCK
    at = line.find("@")
    if at >= 0 and line[at + 1 : at + 2].isalnum():
        flags |= _ADDRESS
    if _has_verb(line):
        flags |= _VERB
    return flags


def _has_verb(line: str) -> bool:
    if not line.isascii() and any(part in line for part in words.WROTE_PARTS):
        return True
    return any(word.casefold() in VERBS for word in WORD.findall(line))


def tells_who_wrote(line: str) -> bool:
    """Return True if a line above a quote names the author of the quote, though it may say other things as well."""
    flags = _evidence(line[: limits.reply_line_chars_max])
    return bool(flags & _VERB) or flags.bit_count() >= 2


def _is_bare_verb(line: str) -> bool:
    return len(line) < _BARE_VERB_CHARS_MAX and line.strip("> :：").casefold() in words.WROTE


def _is_group_wise(line: str) -> bool:
    """Return True if the line is GroupWise's attribution: `>>> Ada Lovelace 16/11/2026 11:20 >>>`."""
    return len(line) <= _WEAK_CHARS_MAX and _evidence(line) & (_DATE | _CLOCK) == _DATE | _CLOCK


def _is_anchored(line: str) -> bool:
    """Return True if the line begins as a mail program begins it: "On", "Le", a weekday, a date."""
    bare = line.lstrip(" *_-–—~\"'>(")
    if words.DATE_START.match(bare):
        return True
    word = bare.split(None, 1)[0].rstrip(".,:").casefold() if bare else ""
    return word in words.LEADS or (bare[:1] in "在于於" and bare[:1] != "")
