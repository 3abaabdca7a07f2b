"""Find the ends of quoted lines that a mail program wrapped without a quote mark.

Without this module, the end of a long quoted line looks like an answer between two quotes, and the whole quote is
shown. The rules need evidence, because a short answer below a quoted question looks the same.
"""

from __future__ import annotations

import re

# A quoted line of this length may have been wrapped.
_WRAPPED_FROM_CHARS = 60
_WRAPPED_CHARS_MAX = 40
_ENDS_OF_SENTENCES = frozenset(".?!:;…。？！")
# A longer word (an address of the Web) does not break, so its line may be longer than the width of the text.
_BREAKABLE_CHARS_MAX = 40
_CLOSING = {"(": ")", "<": ">", "[": "]"}
# Of a quoted line with its ends: enough for the last address or bracket.
_JOINED_CHARS_MAX = 600
_SMILEY = re.compile(r"[:;=8][-o^']?[)\]]")
_QUOTE_MARKS = re.compile(r"(?:>|＞|&gt;|\s)+")
# A line that was wrapped is long or has one of these.
_BEGINS = re.compile(r"[(<\[]|://|www\.|mailto:")
_WEB_STARTS = ("://", "www.", "mailto:")
_WEB_GOES_ON = frozenset("?&=#%")
# An address that ends with one of these goes on.
_WEB_BREAKS = frozenset("-_=&%+")
_WEB_CHARS = frozenset("/?&=#%")


def mark_wrapped_quotes(lines: list[str], letters: list[str]) -> None:
    """Set the letter `q` for each line that is the end of the quoted line above it."""
    width = -1
    # The quoted line, joined with the ends of it that were found.
    joined, previous = "", -1
    index = _next(letters, 0)
    while index > 0:
        above, line = lines[index - 1], lines[index]
        if not joined and len(above) < _WRAPPED_FROM_CHARS and _BEGINS.search(above) is None:
            index = _next(letters, index)
            continue
        joined = joined if joined and previous == index - 1 else above[_marks_end(above) :]
        is_before_quote = letters[index + 1 : index + 2] == ["q"]
        if width < 0 and is_before_quote:
            width = _width(lines, letters)
        is_end = _completes(joined, line, is_before_quote=is_before_quote)
        if is_end or (is_before_quote and _is_wrapped(above, line, width)):
            letters[index] = "q"
            joined, previous = f"{joined}{line}"[-_JOINED_CHARS_MAX:], index
        index = _next(letters, index)


def _next(letters: list[str], index: int) -> int:
    """Return the next text line right below a quoted line; 0 when there is none."""
    while True:
        try:
            index = letters.index("t", index + 1)
        except ValueError:
            return 0
        if letters[index - 1] == "q":
            return index


def _marks_end(line: str) -> int:
    found = _QUOTE_MARKS.match(line)
    return found.end() if found else 0


def _width(lines: list[str], letters: list[str]) -> int:
    """Return the length of the longest quoted line that could have been wrapped."""
    return max(
        (
            len(line)
            for line, letter in zip(lines, letters, strict=True)
            if letter == "q" and max(map(len, line.split())) <= _BREAKABLE_CHARS_MAX
        ),
        default=0,
    )


def _is_wrapped(above: str, line: str, width: int) -> bool:
    """Return True if the first word of the line had no room above. "Yes" below a long question is an answer."""
    if len(above) < _WRAPPED_FROM_CHARS or above[-1] in _ENDS_OF_SENTENCES:
        return False
    if len(line) > _WRAPPED_CHARS_MAX or line[0].isupper():
        return False
    return len(above) + 1 + len(line.split(None, 1)[0]) >= width


def _completes(above: str, line: str, *, is_before_quote: bool) -> bool:
    """Return True if the line completes an address of the Web or a bracket that the line above begins."""
    opened = _open_bracket(above)
    first = line.split(None, 1)[0]
    last = above[-_JOINED_CHARS_MAX:].rsplit(None, 1)[-1].lower() if above.strip() else ""
    if any(start in last for start in _WEB_STARTS):
        if first[0] in _WEB_GOES_ON or (opened and (_CLOSING[opened] in first or first[0] == "/")):
            return True
        is_rest = is_before_quote and first == line
        return is_rest and (last[-1] in _WEB_BREAKS or not _WEB_CHARS.isdisjoint(first))
    return opened != "" and not line[0].isupper() and _closes(line, opened)


def _open_bracket(text: str) -> str:
    """Return the last bracket that is opened and not closed in the text; empty when there is none."""
    for opening, closing in _CLOSING.items():
        at = text.rfind(opening)
        if at >= 0 and text.find(closing, at) < 0:
            return opening
    return ""


def _closes(line: str, opened: str) -> bool:
    """Return True if the line closes a bracket before it opens one. A smiley closes none."""
    at = line.find(_CLOSING[opened])
    return at >= 0 and line.find(opened, 0, at) < 0 and _SMILEY.search(line) is None
