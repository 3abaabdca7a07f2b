"""Find where an attribution begins in its first line, when the author's last words stand in the same line.

Some programs and some people put no line end between the answer and "On Tue, Mar 3, 2026 at 9:12 AM, ida wrote:". The
words before it are the author's and stay. A date with its first word ("On", "Am", "Le") or weekday is the begin. Before
an attribution that begins with a name, the end of the author's words cannot be seen, so the whole line stays.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from queues.channels.email.replies import date_words
from queues.channels.email.replies import reply_words as words
from queues.channels.email.replies.attribution_verb import VERBS, WORD
from queues.channels.email.replies.reply_footers import is_footer

# The line is no begin of an attribution.
NOWHERE = -1
_TOKEN = re.compile(r"\S+")
_DATE_IN_TOKEN = re.compile(r"\d{1,4}[./-](?:\d{1,2}|[^\W\d_]{3,9}\.?)[./-]\d{1,4}|(?:19|20|21)\d\d|\d{1,2}[月월]")
_CLOCK_IN_TOKEN = re.compile(r"\d{1,2}[:.h點点时時시]\d{2}(?!\d|\.\d)")
# Chinese and Japanese have no blank before the date.
_WIDE_DATE = re.compile(r"(?<=[^\s\d]) ?((?:[在於于] ?|(?<=[。！？!?…] )|(?<=[。！？!?…]))(?:19|20)\d\d ?[年./-])")
_SENTENCE_ENDS = frozenset(".!?…。！？")
# The end of a sentence before a name: "Danke! Ida Berg <ida@firma.example> schrieb am 3. März:".
_SENTENCE = re.compile(r"([^\W\d_]+)([.!?…。！？]+) *(?=[^\W\d_a-z])")
_TITLES = frozenset(["dr", "prof", "mr", "mrs", "ms", "st", "ing", "dipl", "hr", "fr", "mag", "jr", "sr"])
_DIGIT = re.compile(r"\d")
# The first digit of a date stands within them.
_PLAIN_DATE_CHARS = 20
# HTML without white space between two elements.
_GLUED = re.compile(r"(?<=[^\W\d_A-Z]|[.!?…)])[^\W\d_a-z][^\W\d_]{1,4}$")
_PUNCTUATION = ".,:;()[]\"'*_-–—~>"
# A weekday that no list has may stand between the first word and the date.
_UNKNOWN_TOKENS_MAX = 2
# A longer text before the verb has author's words if some of them are small.
_SMALL_NAME_WORDS_MAX = 3
# Words with a small letter before a date without a clock time that show a sentence.
_SMALL_PROSE_WORDS_MIN = 2


class _Date(NamedTuple):
    """A run of tokens that form a date, with the words by which mail programs begin it."""

    start: int
    end: int
    # It begins with a capitalised "On" or the like.
    has_lead: bool
    has_clock: bool


def begin_of(line: str) -> int:
    """Return the offset at which an attribution begins in its first line: 0, within the line, or `NOWHERE`."""
    tokens = line.split()
    # The usual case: a first word and a date begin the line, and no other first word follows.
    is_first = tokens[0] in date_words.FIRST_WORDS and date_words.FIRST_WORDS.isdisjoint(tokens[1:])
    if is_first and _DIGIT.search(line, 0, _PLAIN_DATE_CHARS) is not None:
        return 0
    wide = _WIDE_DATE.search(line)
    date = _last_date(line) if wide is None else _Date(wide.start(1), wide.end(), has_lead=True, has_clock=True)
    if date is None:
        return _begin_of_name(line)
    before, after = line[: date.start].rstrip(), line[date.end :]
    if not before.strip(_PUNCTUATION + " \t"):
        return 0
    ends_with_date = WORD.search(after) is None and line.endswith((":", "："))
    is_sure = date.has_lead and date.has_clock and wide is None
    if not is_sure and (ends_with_date or _is_name_first(before, after)):
        return _begin_of_name(before)
    if date.has_lead or (date.has_clock and _has_words_of_author(before)):
        return date.start
    small = sum(1 for word in WORD.findall(before) if word[0].islower())
    return NOWHERE if small >= _SMALL_PROSE_WORDS_MIN else 0


def _is_name_first(before: str, after: str) -> bool:
    """Return True if the name or the verb stands before the date: "Ida Berg <ida@firma.example> wrote on 3 March"."""
    if "@" in after:
        return False
    if "@" in before:
        return True
    has_verb_after = any(word.casefold() in VERBS for word in WORD.findall(after))
    return not has_verb_after and any(word.casefold() in VERBS for word in WORD.findall(before))


def _has_words_of_author(before: str) -> bool:
    """Return True if the text before a date is more than a first word that no list has.

    Scripts without capitals are not judged, except by the end of a sentence.
    """
    if before[-1] in _SENTENCE_ENDS:
        return True
    return any(word[0].islower() or word[0].isupper() for word in WORD.findall(before))


def _begin_of_name(text: str) -> int:
    """Return the offset at which the name of a person begins; `NOWHERE` if the author's words stand before it."""
    ends = [
        found.end()
        for found in _SENTENCE.finditer(text)
        if found[2] != "." or (found[1].casefold() not in _TITLES and len(found[1]) > 1)
    ]
    begin = ends[-1] if ends else 0
    name = text[begin:]
    bracket = name.find("<")
    if bracket >= 0:
        name = name[:bracket]
        if "@" in name:
            return NOWHERE
    found = WORD.findall(" ".join(token for token in name.split() if "@" not in token))
    found = found[: next((index for index, word in enumerate(found) if word.casefold() in VERBS), len(found))]
    is_name = (
        not any(word[0].islower() and word not in date_words.BESIDE_NAMES for word in found)
        or len(found) <= _SMALL_NAME_WORDS_MAX
        or is_footer(" ".join(found).casefold())
    )
    return begin if is_name else NOWHERE


def _last_date(line: str) -> _Date | None:
    """Return the last run of tokens that has a date and a clock time, or else the last one that has a date."""
    tokens = list(_TOKEN.finditer(line))
    kinds = [_kind(token[0]) for token in tokens]
    for index in range(len(kinds) - 1):
        if not kinds[index] and kinds[index + 1] and _glued_lead(tokens[index][0]):
            kinds[index] = "lead"
    for index in range(1, len(kinds) - 1):
        if not kinds[index] and kinds[index - 1] == kinds[index + 1] == "digits" and tokens[index][0][0].isalpha():
            # A month in a language that no list has.
            kinds[index] = "month"
    found: _Date | None = None
    index = 0
    while index < len(tokens):
        first = index
        while index < len(tokens) and kinds[index]:
            index += 1
        if index > first:
            date = _date(tokens, kinds, first, index)
            if date is not None and (found is None or date.has_clock or not found.has_clock):
                found = date
        else:
            index += 1
    return found


def _glued_lead(token: str) -> int:
    """Return the offset of a first word that follows the author's last word without a blank: "addressOn"; else 0."""
    found = _GLUED.search(token)
    return found.start() if found is not None and token[found.start() :] in date_words.FIRST_WORDS else 0


def _date(tokens: list[re.Match[str]], kinds: list[str], first: int, end: int) -> _Date | None:
    """Return the date in a run of tokens; None when there is none."""
    run = range(first, end)
    dates = [index for index in run if kinds[index] == "month" or _DATE_IN_TOKEN.search(tokens[index][0])]
    if not dates or not any(kinds[index] == "digits" for index in run):
        return None
    begin = next((index for index in range(dates[-1], first - 1, -1) if kinds[index] == "lead"), None)
    if begin is None:
        begin = next(index for index in run if kinds[index] in ("weekday", "month", "digits"))
        # "El dl., 16 de nov.": a weekday that no list has.
        above = range(begin - 1, max(-1, begin - 1 - _UNKNOWN_TOKENS_MAX), -1)
        begin = next((index for index in above if kinds[index] == "lead"), begin)
    while begin > 0 and kinds[begin] == kinds[begin - 1] == "lead":
        begin -= 1
    return _Date(
        start=tokens[begin].start() + _glued_lead(tokens[begin][0]),
        end=tokens[end - 1].end(),
        has_lead=kinds[begin] == "lead",
        has_clock=any(kinds[index] == "half" or _CLOCK_IN_TOKEN.search(tokens[index][0]) for index in run),
    )


def _kind(token: str) -> str:
    """Return the part that a token has in a date: lead, weekday, month, digits, half (AM, PM), link; or empty."""
    bare = token.strip(_PUNCTUATION)
    folded = bare.casefold()
    if not bare:
        return ""
    if bare[0].isdigit() or (bare[0] == "+" and bare[1:2].isdigit()):
        return "" if "@" in bare else "digits"
    if bare in date_words.FIRST_WORDS:
        return "lead"
    if folded in date_words.WEEKDAYS:
        return "weekday"
    if folded in date_words.HALVES:
        return "half"
    if folded in date_words.MONTHS or words.is_month(folded):
        return "month"
    return "link" if folded in date_words.LINKS or (len(bare) == 1 and bare.islower()) else ""
