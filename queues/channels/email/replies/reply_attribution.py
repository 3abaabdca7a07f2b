"""Finds "On 16 November 2026, Ada <ada@example.test> wrote:" in any language, wrapped over up to five lines.

No language has a pattern of its own. What counts is evidence: a date, a clock, an address, a word that a mail program begins with,
and the verb, with nothing but a name, an address or a date behind it. Two pieces beside the verb are enough anywhere; less is
enough only right above quoted lines. A person's own sentence ("on Monday I wrote:") lacks them, or has a pronoun.
"""

from __future__ import annotations

import re

from queues.channels.email import limits
from queues.channels.email.replies import reply_words as words

_LINES_MAX = 5
_SPREAD_LINES_MAX = 8  # with the blank lines between
_WORD = re.compile(r"[^\W\d_][\w()'’/]*")
_DIGIT = re.compile(r"\d")
_DATE, _CLOCK, _ADDRESS, _VERB = 1, 2, 4, 8
_CANDIDATE_ENDS = frozenset(":：>)]-*_–—\"'")
_END_TRIM = " \t:：-–—*_>)]\"'.;,"
_BRACKETED_END = re.compile(r"[<(\[][^<>()\[\]\s]{1,200}@[^<>()\[\]]{1,200}[>)\]]{1,3}[*_]{0,2}\s?[:：]?[*_]{0,2}$")
_MIDLINE = re.compile(r"[.!?…] (?:on|am|le|el|il|op|em|den|dnia|w dniu)\b (?=.*\d)", re.I)
_WEAK_CHARS_MAX = 160
_TAIL_CHARS_MAX = 140
_QUOTE_NEAR_LINES = 3
_VERBS = words.WROTE | words.WROTE_NAME


class Attributions:
    """Marks the attributions among the letters of a text."""

    def __init__(self, lines: list[str], letters: list[str]) -> None:
        self._lines = lines
        self._letters = letters
        self._flags: dict[int, int] = {}
        self.steps = 0

    def mark(self) -> None:
        """Put an `a` for each line of each attribution."""
        letters = self._letters
        before = "e"
        for index, line in enumerate(self._lines):
            letter = letters[index]
            if letter == "q":
                if _is_bare_verb(line):  # "<", "ada@example.test", "> wrote:": the bracket is no quote mark
                    self._mark_spread(index)
                elif line.endswith(">>>") and line.startswith(">>>") and _is_group_wise(line):
                    letters[index] = "a"
                elif before != "q":
                    self._mark_quoted(index)
            elif letter in "tn" and self._may_end(line):
                if self.steps >= limits.attribution_steps_max:
                    break
                start = self._start(index)
                if start is not None:
                    letters[start : index + 1] = "a" * (index + 1 - start)
            before = letters[index]

    def _mark_spread(self, end: int) -> None:
        """Some programs set the address of an attribution off by blank lines."""
        flags = 0
        for start in range(end - 1, max(-1, end - _SPREAD_LINES_MAX), -1):
            line = self._lines[start]
            if self._letters[start] not in "etn" or len(line) > limits.reply_line_chars_max:
                return
            self.steps += 1
            flags |= self._flag(start)
            if flags & _ADDRESS and self._flag(start) & _DATE and _is_anchored(line):
                self._letters[start : end + 1] = "a" * (end + 1 - start)
                return

    def _mark_quoted(self, index: int) -> None:
        """The first quoted line may be the attribution itself: some programs put the mark before it, too."""
        joined = ""
        for end in range(index, min(index + 3, len(self._lines))):
            if self._letters[end] != "q" or len(self._lines[end]) > limits.reply_line_chars_max:
                return
            joined = f"{joined} {self._lines[end].lstrip('>＞ ')}".strip()
            self.steps += 1
            if self._may_end(joined) and self._is_attribution(joined, _evidence(joined), near_quote=False):
                self._letters[index : end + 1] = "a" * (end + 1 - index)
                return

    @staticmethod
    def _may_end(line: str) -> bool:
        if len(line) > limits.reply_line_chars_max:
            return False
        if line[-1:] in _CANDIDATE_ENDS:
            return True
        return line[line.rfind(" ") + 1 :].casefold() in words.WROTE or line.endswith(words.WROTE_PARTS)

    def _start(self, end: int) -> int | None:
        """The first line of the attribution that ends in line `end`; None when it is none."""
        near_quote = self._near_quote(end)
        joined, flags, found = "", 0, None
        for start in range(end, max(-1, end - _LINES_MAX), -1):
            line = self._lines[start]
            if self._letters[start] not in "tn" or len(line) > limits.reply_line_chars_max:
                break
            self.steps += 1
            joined = f"{line} {joined}" if joined else line
            own = self._flag(start)
            flags |= own
            if found is None:
                if self._is_attribution(joined, flags, near_quote=near_quote):
                    found = start
                    if _is_anchored(line) and own & _DATE and flags & (_VERB | _ADDRESS):
                        break
                continue
            # "On 16 November 2026, Ada" above "<ada@example.test> wrote:".
            begins = _is_anchored(line) or self._begins_paragraph(start)
            if (
                begins
                and own & (_DATE | _CLOCK | _ADDRESS)
                and self._is_attribution(joined, flags, near_quote=near_quote)
            ):
                found = start
                if own & _DATE:
                    break
        return found

    def _begins_paragraph(self, index: int) -> bool:
        return index == 0 or self._letters[index - 1] not in "tn"

    def _near_quote(self, end: int) -> bool:
        for letter in self._letters[end + 1 : end + 1 + _QUOTE_NEAR_LINES]:
            if letter != "e":
                return letter == "q"
        return False

    def _flag(self, index: int) -> int:
        flags = self._flags.get(index)
        if flags is None:
            flags = self._flags[index] = _evidence(self._lines[index])
        return flags

    def _is_attribution(self, joined: str, flags: int, *, near_quote: bool) -> bool:
        if flags == 0 or not flags & (_VERB | _ADDRESS | _DATE | _CLOCK):
            return False
        if _MIDLINE.search(joined):
            return False
        evidence = bool(flags & _DATE) + bool(flags & _CLOCK) + bool(flags & _ADDRESS)
        text = joined.strip(" *_-–—~\t")
        ends_with_colon = text.rstrip(" *_-–—").endswith((":", "："))
        anchored = _is_anchored(text)
        if flags & _VERB and _verb_ends(text, ends_with_colon=ends_with_colon, may_address=near_quote):
            if joined.startswith("--") and joined.endswith("--"):
                return True  # ---- Ada wrote ----
            if evidence >= 2 or (evidence == 1 and anchored):
                return True
            if evidence == 1 and ends_with_colon and text.count(" ") <= 8:
                return near_quote or bool(flags & _ADDRESS)
            return near_quote and len(text) <= _WEAK_CHARS_MAX and text.count(" ") <= 15
        if flags & _VERB and flags & _DATE and flags & _ADDRESS and flags & _CLOCK and ends_with_colon and near_quote:
            return True
        first = text.split(None, 1)[0].casefold() if text else ""
        if first in words.QUOTING and ends_with_colon:
            return bool(flags & _ADDRESS) or near_quote
        if flags & _VERB:
            return False
        if flags & _ADDRESS and flags & _DATE and _BRACKETED_END.search(text) and len(text) <= _WEAK_CHARS_MAX:
            return anchored or near_quote or (ends_with_colon and bool(flags & _CLOCK))
        if evidence == 3 and ends_with_colon and (anchored or text.endswith(("]:", "):"))):
            return True
        return near_quote and ends_with_colon and evidence >= 2 and len(text) <= _WEAK_CHARS_MAX


def _evidence(line: str) -> int:
    flags = 0
    if _DIGIT.search(line):
        if words.has_date(line):
            flags |= _DATE
        if words.CLOCK.search(line):
            flags |= _CLOCK
    at = line.find("@")
    if at >= 0 and line[at + 1 : at + 2].isalnum():
        flags |= _ADDRESS
    has_part = not line.isascii() and any(part in line for part in words.WROTE_PARTS)
    if has_part or any(word.casefold() in _VERBS for word in _WORD.findall(line)):
        flags |= _VERB
    return flags


def tells_who_wrote(line: str) -> bool:
    """Whether a line above a quote says whose it is, though it may say other things, too."""
    flags = _evidence(line[: limits.reply_line_chars_max])
    return bool(flags & _VERB) or flags.bit_count() >= 2


def _is_bare_verb(line: str) -> bool:
    return len(line) < 40 and line.strip("> :：").casefold() in words.WROTE


def _is_group_wise(line: str) -> bool:
    """GroupWise writes `>>> Ada Lovelace 16/11/2026 11:20 >>>` above what it quotes."""
    return len(line) <= _WEAK_CHARS_MAX and _evidence(line) & (_DATE | _CLOCK) == _DATE | _CLOCK


def _is_anchored(line: str) -> bool:
    """Whether a mail program would begin so: "On", "Le", a weekday, a date."""
    bare = line.lstrip(" *_-–—~\"'>(")
    if words.DATE_START.match(bare):
        return True
    word = bare.split(None, 1)[0].rstrip(".,:").casefold() if bare else ""
    return word in words.LEADS or (bare[:1] in "在于於" and bare[:1] != "")


def _verb_ends(text: str, *, ends_with_colon: bool, may_address: bool) -> bool:
    """Whether behind the last verb stands only what a mail program puts there."""
    found = None
    previous = before = ""
    for word in _WORD.finditer(text):
        folded = word[0].casefold()
        if not may_address and (folded in words.FIRST_PERSON or word[0] == "I"):
            return False
        if folded in _VERBS or (folded.endswith(("(a", "(а")) and folded[:-2] in _VERBS):
            found, before = word, previous
        previous = folded
    if found is None:
        return _part_ends(text)
    if before in words.PRONOUNS and not (may_address and before in words.SECOND_PERSON):
        return False
    tail = text[found.end() :].strip(_END_TRIM)
    if not tail or tail == "je":
        return True
    if len(tail) > _TAIL_CHARS_MAX or not ends_with_colon:
        return "@" in tail and _BRACKETED_END.search(text) is not None
    next_word = tail.split(None, 1)[0].rstrip(",").casefold()
    if found[0].casefold() in words.WROTE_NAME:
        return next_word not in words.PRONOUNS
    return next_word in words.AFTER_WROTE or tail[:1].isdigit() or tail[:1] in "<(\"'" or "@" in tail


def _part_ends(text: str) -> bool:
    for part in words.WROTE_PARTS:
        at = text.rfind(part)
        if at >= 0:
            return len(text) - at - len(part) <= _TAIL_CHARS_MAX
    return False
