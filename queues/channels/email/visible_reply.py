"""What a person has newly written in a mail, without quotes and signature.

Each line becomes one letter (empty, quote, attribution, header, text ...), and a few rules over the letters decide where
the reply ends: linear and explainable, unlike the libraries, one of which takes 180 s for 50 kB (INGRESS 1.3). In doubt
nothing is hidden; the whole text is kept beside the reply in any case.
"""

from __future__ import annotations

from queues.channels.email import mime_limits
from queues.channels.email import reply_words as words

_ATTRIBUTION_LINES_MAX = 4  # mail programs wrap "On ... wrote:" at 76 characters
_SIGNATURE_LINES_MAX = 20  # a longer text after `-- ` is no signature
_HEADER_LINES_MIN = 3  # From, Sent, To: two alone may be somebody's list


def visible_reply(text: str, *, subject: str = "") -> str:
    """The reply in `text`; all of it when there is no quote, when it is a forward, or when nothing else would be left."""
    lines = text.split("\n")
    if len(lines) > mime_limits.reply_lines_max:
        return text
    letters = _letters(lines)
    first, last = _reply_range(letters, lines, is_forward=bool(words.FORWARD_SUBJECT.match(subject)))
    visible = _without_signature(lines[first:last], letters[first:last])
    reply = "\n".join(visible).strip()
    return reply or text


def _letters(lines: list[str]) -> str:
    """One letter a line: e empty, q quote, o original-message mark, f forward mark, F and h header lines, r rule,
    s signature mark, m mobile footer, a attribution (all its lines), t text."""
    letters = [_letter(line) for line in lines]
    looks_left = mime_limits.attributions_max
    for index, line in enumerate(lines):
        if (
            letters[index] in "tF"
            and line.rstrip().endswith(":")
            and len(line) <= mime_limits.reply_line_chars_max
        ):
            if looks_left == 0:
                break
            looks_left -= 1
            start = _attribution_start(lines, letters, index)
            if start is not None:
                letters[start : index + 1] = "a" * (index + 1 - start)
    return "".join(letters)


def _letter(line: str) -> str:
    stripped = line.strip()
    if not stripped:
        return "e"
    if stripped[0] == ">":
        return "q"
    if len(line) > mime_limits.reply_line_chars_max:
        return "t"
    if stripped[0] in "-_*—":
        if words.ORIGINAL.fullmatch(line):
            return "o"
        if words.FORWARDED.fullmatch(line):
            return "f"
        if words.SIGNATURE.fullmatch(line):
            return "s"
        if words.RULE.fullmatch(line):
            return "r"
    if ":" in stripped[:40]:
        if words.FORWARDED.fullmatch(line):
            return "f"
        if words.HEADER_FROM.match(line):
            return "F"
        if words.HEADER.match(line):
            return "h"
    return "m" if words.FOOTER.fullmatch(line) else "t"


def _attribution_start(lines: list[str], letters: list[str], end: int) -> int | None:
    """The first line of an attribution that ends in line `end`; None when it is none."""
    joined = ""
    for start in range(end, max(-1, end - _ATTRIBUTION_LINES_MAX), -1):
        if letters[start] not in "tF" or len(lines[start]) > mime_limits.reply_line_chars_max:
            break
        joined = f"{lines[start].strip()} {joined}"
        verb = words.WROTE.search(joined)
        address = "@" in joined and words.ADDRESS.search(joined)
        dated = bool(words.CLOCK.search(joined) or words.DATE.search(joined))
        if dated and (verb or address) and words.ATTRIBUTION_START.match(joined):
            return start
    # "Ada Lovelace wrote:" right above quoted lines.
    above_quote = _next_letter(letters, end + 1) == "q"
    return end if above_quote and words.WROTE.search(lines[end]) else None


def _next_letter(letters: list[str], index: int) -> str:
    return next((letter for letter in letters[index : index + 4] if letter != "e"), "")


def _reply_range(letters: str, lines: list[str], *, is_forward: bool) -> tuple[int, int]:
    """The lines that stay: from, to."""
    whole = (0, len(letters))
    cut = len(letters)
    for index, letter in enumerate(letters):
        if letter == "f":
            return whole  # a forward is what the person wants to show
        if letter == "o" or (letter in "Fr" and not is_forward and _is_header_block(letters, index)):
            cut = index
            break
        if letter == "a":
            after = letters[index:].lstrip("a")
            if not after.strip("eqsm"):  # quotes, or nothing, to the end
                cut = index
                break
            if "q" not in after:  # quoted without marks; a whole text follows
                cut = index
                break
            if not letters[:index].strip("eq"):  # the answer stands below the quote
                return _after_quote(letters, index)
            return whole  # answers between the quotes need them
    if cut == len(letters):
        body = letters.rstrip("esm")
        quoted = body.rstrip("qe")
        # Quotes at the end without a word of who wrote; above them must be an answer.
        if body.endswith("q") and "q" not in quoted and quoted.strip("e"):
            cut = len(quoted)
    return 0, cut


def _is_header_block(letters: str, index: int) -> bool:
    """From/Sent/To/Subject in a row, perhaps below a rule; blank lines between a rule and the block are usual."""
    block = letters[index : index + 8].lstrip("r").lstrip("e")
    if not block.startswith("F"):
        return False
    return len(block) - len(block.lstrip("Fh")) >= _HEADER_LINES_MIN


def _after_quote(letters: str, index: int) -> tuple[int, int]:
    rest = letters[index:]
    answer = rest.lstrip("aqe")
    if "q" in answer or "a" in answer:
        return 0, len(letters)
    return len(letters) - len(answer), len(letters)


def _without_signature(lines: list[str], letters: str) -> list[str]:
    """Cut at `-- ` when little follows; drop footers of mobile programs at the end."""
    mark = letters.find("s")
    if mark > 0 and letters[:mark].strip("eqm") and len(letters) - mark <= _SIGNATURE_LINES_MAX:
        lines, letters = lines[:mark], letters[:mark]
    kept = letters.rstrip("em") if letters.strip("em") else letters
    return lines[: len(kept)]
