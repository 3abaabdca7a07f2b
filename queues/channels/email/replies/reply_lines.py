"""Classify each line of a mail by one letter; `visible_reply.py` finds the end of the reply in the letters.

| letter | line |
|---|---|
| e | empty |
| q | quote |
| a | attribution ("On ... Ada wrote:"), all its lines |
| o | mark above an original message |
| f | mark of a forward |
| H | block of header lines |
| R | "reply above this line" |
| r, u | rule; underscores or `---` |
| s, S | signature mark; exactly `-- ` |
| n | dashed name |
| m | footer of a mobile program |
| p | PGP armour |
| z | signature by a mark in HTML |
| t | text |

The cost is linear: sets and first letters classify a line, and a line that may end an attribution is read again with at
most four lines above it. No pattern has a repetition inside a repetition. `steps` counts the readings for a test.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from queues.channels.email import limits
from queues.channels.email.replies import reply_above
from queues.channels.email.replies import reply_words as words
from queues.channels.email.replies.reply_attribution import Attributions
from queues.channels.email.replies.reply_footers import is_footer
from queues.channels.email.replies.reply_headers import is_time_of_sending, kind_of
from queues.channels.email.replies.signature_marks import is_dashed_name, is_signature_mark
from queues.channels.email.replies.wrapped_quotes import mark_wrapped_quotes
from queues.channels.html_text import RULE

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ESCAPED = re.compile(r"\\([-_*>#=.])")
# With folded recipients and blank lines between.
_HEADER_BLOCK_LINES_MAX = 14
# Lines between two headers: a folded line, or blank lines.
_HEADER_GAP_LINES_MAX = 2
_DECORATED_STARTS = frozenset("-_=*~#|+—–―─━‐‑‒")
_MARKED = re.compile(r"[|:}]\s?|[A-Z]{1,3}> ?")
_QUOTE_STARTS = (">", "＞", "&gt;")
_RULE_CHARS_MIN = 4
_FORWARD_CHARS_MAX = 70
_FORWARDED_STARTS = frozenset(phrase[:4] for phrase in words.FORWARDED)
_ORIGINAL_STARTS = frozenset(phrase[:4] for phrase in words.ORIGINAL)
_ORIGINAL = frozenset(words.ORIGINAL)


class Lines:
    """The lines of a text, cleaned for reading, and their letters."""

    def __init__(self, text: str, *, known: dict[int, str] | None = None, pictures: Sequence[int] = ()) -> None:
        """Read a text. `known` has letters from an HTML mail's structure; lines of `pictures` show only a picture."""
        self._known = known or {}
        self._pictures = pictures
        self.raw = text.split("\n")
        # The lines that continue the line above: an attribution behind the author's words was split off.
        self.continued: frozenset[int] = frozenset()
        readable = _readable(text)
        self.clean = [line.strip() for line in readable.split("\n")]
        self.steps = 0
        self._kinds: dict[int, str] = {}
        # Lines with "Original message" without decoration.
        self._weak: list[int] = []
        self.letters = self._read(readable)

    def _read(self, readable: str) -> str:
        letters = [self._letter(index, line) for index, line in enumerate(self.clean)]
        for index, line in enumerate(self.raw):
            if letters[index] == "s" and line.rstrip("\r") == "-- ":
                letters[index] = "S"
        self.steps += len(letters)
        self._armour(letters)
        self._markers(letters, readable)
        for index, letter in self._known.items():
            # Gmail marks a forward as a quote; the words say that it is a forward. Our own line is always certain.
            if letters[index] not in "fR":
                letters[index] = "o" if letter == "b" else letter
        self._header_blocks(letters)
        self._quoted_forwards(letters)
        attributions = Attributions(self.clean, letters)
        attributions.mark()
        self.steps += attributions.steps
        self._weak_marks(letters)
        self._marked_quotes(letters)
        mark_wrapped_quotes(self.clean, letters)
        self._lone_picture(letters)
        if attributions.begins:
            self._split(letters, attributions.begins)
        return "".join(letters)

    def _split(self, letters: list[str], begins: dict[int, int]) -> None:
        """Split lines at the attributions that begin within them."""
        raw, clean, split_letters, continued = [], [], [], []
        for index, line in enumerate(self.clean):
            at = begins.get(index, 0)
            if at > 0 and letters[index] == "a":
                cut = _raw_offset(self.raw[index], line[at:].strip())
                raw.append(self.raw[index][:cut])
                clean.append(line[:at].rstrip())
                split_letters.append("m" if is_footer(clean[-1].casefold().strip(" \t*_[]()|~")) else "t")
                continued.append(len(raw))
                raw.append(self.raw[index][cut:])
                clean.append(line[at:].strip())
            else:
                raw.append(self.raw[index])
                clean.append(line)
            split_letters.append(letters[index])
        self.raw, self.clean, letters[:] = raw, clean, split_letters
        self.continued = frozenset(continued)

    def _letter(self, index: int, line: str) -> str:
        if not line:
            return "e"
        if line.startswith(_QUOTE_STARTS):
            return "q"
        if index >= limits.reply_lines_max or len(line) > limits.reply_line_chars_max:
            return "t"
        if line[0] in _DECORATED_STARTS and (letter := _decorated(line)):
            return letter
        kind = kind_of(line) if ":" in line or "：" in line else ""
        if kind:
            self._kinds[index] = kind
            return "t"
        return self._letter_by_words(index, line)

    def _letter_by_words(self, index: int, line: str) -> str:
        has_colon = line[-1] in ":："
        if has_colon and _is_forward_line(line):
            return "f"
        lowered = line.casefold()
        if lowered in _ORIGINAL:
            self._weak.append(index)
            return "t"
        if lowered.startswith(words.NOTICE):
            return "o"
        if has_colon:
            # "Sent from my phoneAda <ada@example.test> wrote:" is an attribution.
            return "t"
        return "m" if is_footer(lowered.strip(" \t*_[]()|~")) else "t"

    def _quoted_forwards(self, letters: list[str]) -> None:
        """Set `f` at the forward mark within a quote: Apple Mail quotes a forward with its mark."""
        before = ""
        for index, line in enumerate(self.clean):
            begins_quote = letters[index] == "q" and before != "q"
            before = letters[index]
            is_short = begins_quote and len(line) <= limits.reply_line_chars_max
            if is_short and line[-1] in ":：" and _is_forward_line(line):
                letters[index] = "f"

    def _lone_picture(self, letters: list[str]) -> None:
        """Set `t` at a picture above the quote when it is the whole answer."""
        for index in self._pictures:
            above = set(letters[:index])
            if above & set("tnqaoHR"):
                return
            letters[index] = "t"

    def _armour(self, letters: list[str]) -> None:
        """Set `p` at the lines that PGP wrote around a signed text (RFC 9580 section 7)."""
        signature_end = "-----END PGP SIGNATURE-----"
        if signature_end not in self.clean:
            return
        last = len(self.clean) - 1 - self.clean[::-1].index(signature_end)
        end, header = "", False
        for index, line in enumerate(self.clean):
            if end:
                letters[index] = "p"
                if line == end:
                    end = ""
            elif header:
                letters[index] = "p"
                header = line != ""
            elif line == "-----BEGIN PGP SIGNED MESSAGE-----":
                letters[index], header = "p", True
            elif line == "-----BEGIN PGP SIGNATURE-----" and index < last:
                letters[index], end = "p", signature_end

    def _markers(self, letters: list[str], readable: str) -> None:
        triggers = reply_above.triggers_in(readable)
        if not triggers:
            return
        for index, line in enumerate(self.clean):
            if letters[index] in "tqrsSuon" and line:
                following = self.clean[index + 1] if index + 1 < len(letters) else ""
                if reply_above.is_marker(line, following, triggers):
                    letters[index] = "R"
                    return

    def _header_blocks(self, letters: list[str]) -> None:
        """Set `H` at From, Sent, To, Subject in a row: at least three kinds, with the sender or the subject."""
        done = -1
        for start in self._kinds:
            if start <= done or letters[start] != "t":
                continue
            end = self._block_end(letters, start)
            if end is None:
                continue
            done = end
            letters[start : end + 1] = "H" * (end + 1 - start)

    def _block_end(self, letters: list[str], start: int) -> int | None:
        """Return the last line of the header block that begins in line `start`; None when it is no block."""
        kinds: set[str] = set()
        end, gap = start, 0
        for index in range(start, min(len(letters), start + _HEADER_BLOCK_LINES_MAX)):
            self.steps += 1
            kind = self._kinds.get(index)
            if kind and letters[index] == "t":
                kinds.add(kind)
                end, gap = index, 0
            elif letters[index] in "et" and gap < _HEADER_GAP_LINES_MAX:
                gap += 1
            else:
                break
        return end if self._is_block(letters, kinds, start, end) else None

    def _is_block(self, letters: list[str], kinds: set[str], start: int, end: int) -> bool:
        has_address = "@" in "".join(self.clean[start : end + 1])
        if kinds >= {"from", "date"} and has_address and self._is_dated(start, end):
            return True
        if "from" in kinds and kinds & {"date", "subject"} and _is_below_rule(letters, start):
            return True
        if kinds >= {"from", "date"} and self._is_sent(start, end, has_recipient="to" in kinds):
            return True
        # "From: Berlin", "To: Paris" and "Date: ..." without an address or a subject are a form, not a mail.
        return (has_address or "subject" in kinds) and len(kinds - {"other"}) >= 3 and bool(kinds & {"from", "subject"})

    def _is_dated(self, start: int, end: int) -> bool:
        """Return True if one of these header lines has a date and a clock time, as the header of a mail has."""
        return any(
            words.has_date(self.clean[index]) and words.CLOCK.search(self.clean[index])
            for index in range(start, end + 1)
            if self._kinds.get(index) == "date"
        )

    def _is_sent(self, start: int, end: int, *, has_recipient: bool) -> bool:
        """Return True if one of these lines says when a mail was sent. Outlook shows names without addresses."""
        dates = [self.clean[index] for index in range(start, end + 1) if self._kinds.get(index) == "date"]
        return any(is_time_of_sending(line, has_recipient=has_recipient) for line in dates)

    def _weak_marks(self, letters: list[str]) -> None:
        for index in self._weak:
            following = next((letter for letter in letters[index + 1 : index + 4] if letter != "e"), "")
            if following and following in "Hqa":
                letters[index] = "o"

    def _marked_quotes(self, letters: list[str]) -> None:
        """Set `q` at lines with `|`, `:` or initials below an attribution; elsewhere these are tables and lists."""
        index, count = 0, len(letters)
        while index < count:
            if letters[index] != "a":
                index += 1
                continue
            while index < count and letters[index] in "ae":
                index += 1
            if index < count and letters[index] == "t" and (mark := _MARKED.match(self.clean[index])):
                index = self._mark_quote(letters, index, mark[0].strip())

    def _mark_quote(self, letters: list[str], index: int, begin: str) -> int:
        """Set `q` from `index` on while lines begin with the mark or are empty; return the first line after them."""
        while index < len(letters) and (letters[index] == "e" or self.clean[index].startswith(begin)):
            letters[index] = "e" if letters[index] == "e" else "q"
            index += 1
        return index


def _readable(text: str) -> str:
    """Return the text without invisible characters, with plain spaces and without the escapes of Markdown."""
    if not text.isascii():
        text = _SPACES.sub(" ", _INVISIBLE.sub("", text))
    if "&nbsp;" in text:
        text = text.replace("&nbsp;", " ")
    if "\\" in text:
        # A gateway made Markdown from HTML.
        text = _ESCAPED.sub(r"\1", text)
    return text


def _raw_offset(raw: str, end: str) -> int:
    """Return the offset in a raw line at which its readable form is `end`."""
    low, high = 0, len(raw)
    while low < high:
        middle = (low + high + 1) // 2
        if len(_readable(raw[middle:]).strip()) >= len(end):
            low = middle
        else:
            high = middle - 1
    return low


def _is_below_rule(letters: list[str], start: int) -> bool:
    return "".join(letters[max(0, start - 3) : start]).rstrip("e")[-1:] in ("u", "r")


def _decorated(line: str) -> str:
    """Return the letter of a line that begins with dashes or other decoration; empty for any other line."""
    inner = line.strip(words.DECORATION)
    if not inner:
        return _bare_decoration(line)
    if line[1:2] in _DECORATED_STARTS or line[0] in "*|":
        letter = _announced(line, inner.casefold())
        if letter:
            return letter
    elif line[-1] in _DECORATED_STARTS and inner.casefold() in _ORIGINAL:
        # - - - Original Message - - -
        return "o"
    return "n" if is_dashed_name(line) else ""


def _bare_decoration(line: str) -> str:
    """Return the letter of a line that has only decoration; empty when the line is too short for a rule."""
    if line == RULE:
        return "r"
    if line == "---" or (line[0] == "_" and len(line) > 1 and not line.strip("_")):
        return "u"
    if is_signature_mark(line):
        return "s"
    return "r" if len(line) >= _RULE_CHARS_MIN and not set(line) - words.RULE_CHARS else ""


def _announced(line: str, lowered: str) -> str:
    """Return `f` or `o` for decorated words that announce a forward or an original message; empty for other words."""
    start = lowered[:4]
    if start in _FORWARDED_STARTS and lowered.startswith(words.FORWARDED):
        return "f"
    is_original = start in _ORIGINAL_STARTS and lowered.startswith(words.ORIGINAL)
    if is_original and (line[-1] in _DECORATED_STARTS or lowered in _ORIGINAL):
        return "o"
    return "o" if lowered.startswith(words.NOTICE) else ""


def _is_forward_line(line: str) -> bool:
    lowered = line.strip(words.DECORATION + "：").casefold()
    if lowered[:4] not in _FORWARDED_STARTS or len(lowered) > _FORWARD_CHARS_MAX:
        return False
    return lowered.startswith(words.FORWARDED)
