"""What a person has newly written in a mail, without quotes and signature.

Each line becomes one letter (`reply_lines.py`), and a few rules over the letters decide where the reply ends: linear and
explainable, unlike the libraries, one of which takes 180 s for 50 kB (INGRESS 1.3). In doubt nothing is hidden; the whole text
is kept beside the reply in any case. `Split.reason` names the rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from queues.channels.email.replies import reply_words as words
from queues.channels.email.replies.reply_attribution import tells_who_wrote
from queues.channels.email.replies.reply_lines import Lines

_SIGNATURE_LINES_MAX = 14  # with text; a longer text after `-- ` is no signature
_STRICT_SIGNATURE_LINES_MAX = 40  # below `-- ` with its space, which mail programs write: legal notices are long
_RULED_SIGNATURE_LINES_MAX = 8  # below `____`, which is as often a rule within a letter
_SIGNATURE_LINES_MAXIMA = {
    "S": _STRICT_SIGNATURE_LINES_MAX,
    "s": _SIGNATURE_LINES_MAX,
    "u": _RULED_SIGNATURE_LINES_MAX,
}
_ANNOUNCED_LINES_MAX = 3  # of a quote with our own line in it
_TEXT = frozenset("tn")


@dataclass(frozen=True, slots=True)
class Split:
    """A text parted into what is shown and what is folded away."""

    visible: str
    hidden: str  # the lines folded away, without the signature; empty when all is shown
    hidden_at: int  # where in the text, in characters, the first hidden line begins; its length when none is hidden
    signature: str | None  # with its dashes
    # all, nothing else (it would be left), attribution, headers, original (a mark above it), quote (without attribution), below, wrapped,
    # interleaved, forward, reply above, signature, armour
    reason: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """Which lines are hidden, as half-open ranges in order."""

    ranges: tuple[tuple[int, int], ...]
    reason: str


def visible_reply(text: str, *, subject: str = "") -> str:
    """The reply in `text`; all of it when there is no quote, when it is a forward, or when nothing else would be left."""
    return split(text, subject=subject).visible


def split(text: str, *, subject: str = "") -> Split:
    """Part a text mail (lines end with LF or CRLF). Never raises; linear in the length of the text."""
    lines = Lines(text)
    return split_lines(lines, text, hidden_lines(lines, subject=subject))


@dataclass(frozen=True, slots=True)
class HiddenLines:
    """The same as numbers of lines, for a caller that knows where in its source each line stood."""

    hidden: frozenset[int]
    signature: frozenset[int]
    reason: str


def hidden_lines(lines: Lines, *, subject: str = "") -> HiddenLines:
    """Which lines are not part of the reply. Nothing is hidden when nothing with words would be left."""
    letters = lines.letters
    parts = _parts(lines, is_forward=words.FORWARD_SUBJECT.match(subject) is not None)
    hidden = {index for start, end in parts.ranges for index in range(start, end)}
    kept = [index for index in range(len(letters)) if index not in hidden and letters[index] != "p"]
    if not _has_words(letters, kept):
        # Somebody sent a quote back, or we were wrong: show it.
        return HiddenLines(frozenset(), frozenset(), "nothing else" if hidden else parts.reason)
    marked = {index for index in kept if letters[index] == "z"}
    unmarked = [index for index in kept if index not in marked]
    if marked and any(letters[index] in "tnq" for index in unmarked):
        kept = unmarked
    else:
        marked = set()
    first = _signature(lines, kept)
    signature = frozenset(marked) | frozenset(
        kept[first:] if any(letters[index] != "e" for index in kept[first:]) else ()
    )
    armour = {index for index, letter in enumerate(letters) if letter == "p"}
    reason = parts.reason
    if reason == "all" and (armour or signature):
        reason = "armour" if armour else "signature"
    return HiddenLines(frozenset(hidden | armour), signature, reason)


def split_lines(lines: Lines, text: str, found: HiddenLines) -> Split:
    """The parted text for the numbers of its lines."""
    shown, hidden, signature = [], [], []
    hidden_at, offset = len(text), 0
    for index, line in enumerate(lines.raw):
        if index in found.hidden:
            hidden.append(line)
        elif index in found.signature:
            signature.append(line)
        else:
            shown.append(line)
        if index in found.hidden or index in found.signature:
            hidden_at = min(hidden_at, offset)
        offset += len(line) + 1
    if not hidden and not any(line.strip() for line in signature):
        return Split(_trimmed(lines.raw) or text, "", len(text), None, found.reason)
    return Split(
        _trimmed(shown),
        _trimmed(hidden),
        hidden_at,
        _trimmed(signature) or None,
        found.reason,
    )


def _trimmed(lines: list[str]) -> str:
    """Joined, without blank lines at both ends."""
    first, last = 0, len(lines)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    return "\n".join(lines[first:last]).rstrip()


def _has_words(letters: str, kept: list[int]) -> bool:
    return any(letters[index] in "tnqfz" for index in kept)


def _parts(lines: Lines, *, is_forward: bool) -> _Parts:
    letters = lines.letters
    marked = None if is_forward else _above_marker(lines)
    if marked is not None:
        return marked
    for index, letter in enumerate(letters):
        if letter == "f" or (letter in "oH" and is_forward):
            return _Parts((), "forward")  # what the person wants to show
        if letter in "oH":
            return _below_headers(letters, index)
        if letter == "a" and not is_forward:
            return _at_attribution(letters, index)
    return _Parts((), "forward") if is_forward and "q" in letters else _trailing_quote(lines)


def _above_marker(lines: Lines) -> _Parts | None:
    """Above our own line; None when somebody forwards it, answers below it all the same, or between what is quoted with it."""
    letters = lines.letters
    index = letters.find("R")
    if index < 0 or "f" in letters[:index]:
        return None
    below = set(letters[index + 1 :])
    if lines.clean[index][0] in ">＞" and "q" in below and _TEXT & below:
        return None
    begins = [at for mark in "aoH" if (at := letters.find(mark, 0, index)) >= 0]
    # What stands between the quote's own beginning and our line belongs to the quote.
    index = min(begins) if begins else _announcement(lines, index)
    if not _TEXT & set(letters[:index]):
        return None
    return _Parts(((len(letters[:index].rstrip("eqru")), len(letters)),), "reply above")


def _announcement(lines: Lines, index: int) -> int:
    """The begin of a paragraph of few lines that ends with a colon right above `index`: whatever it says, it says who wrote."""
    end = len(lines.letters[:index].rstrip("eqru"))
    if not lines.clean[end - 1].endswith((":", "：")) or index - end > _ANNOUNCED_LINES_MAX:
        return index
    start = len(lines.letters[:end].rstrip("tn"))
    return start if 0 < end - start <= _ANNOUNCED_LINES_MAX else index


def _below_headers(letters: str, index: int) -> _Parts:
    if not _TEXT & set(letters[:index]):
        return _Parts((), "all")
    start = len(letters[:index].rstrip("eru"))
    return _Parts(((start, len(letters)),), "original" if letters[index] == "o" else "headers")


def _at_attribution(letters: str, index: int) -> _Parts:
    has_text_above = bool(_TEXT & set(letters[:index]))
    start = len(letters[:index].rstrip("er"))  # with a rule right above
    end = len(letters)
    after = index
    while after < end and letters[after] in "aeru":
        after += 1
    if after == end or letters[after] not in "qR":
        # Nothing follows, or the quote has no marks.
        return _Parts(((start, end),), "attribution") if has_text_above else _Parts((), "all")
    quote_end = after
    while quote_end < end and letters[quote_end] in "qaeRru":
        quote_end += 1
    quote_end = len(letters[:quote_end].rstrip("ru"))  # a rule below the quote begins a footer
    signature = _signature_start(letters, quote_end)
    rest_end = end if signature is None else signature
    below = letters[quote_end:rest_end]
    if not _TEXT & set(below):
        if has_text_above:
            return _Parts(((start, end),), "attribution")
        return _Parts((), "all")
    if set(below) & set("qaoH"):
        return _interleaved(letters)
    return _Parts(((index, quote_end),), "wrapped" if has_text_above else "below")


def _interleaved(letters: str) -> _Parts:
    """Answers between the quotes need them. What no answer needs is a whole older mail below the last one: by a mark above an original
    message, or with an attribution of its own."""
    first = letters.find("q")
    hard = min((at for mark in "oH" if (at := letters.find(mark, first)) >= 0), default=-1)
    if hard >= 0 and _TEXT & set(letters[first:hard]):
        return _Parts(((len(letters[:hard].rstrip("eru")), len(letters)),), "interleaved")
    last = letters.rfind("a")
    start = len(letters[: last + 1].rstrip("ae"))
    is_quoted = not _TEXT & set(letters[last:]) and letters[last + 1 :].lstrip("e")[:1] == "q"
    if last > first >= 0 and is_quoted and _TEXT & set(letters[first:start]):
        return _Parts(((start, len(letters)),), "interleaved")
    return _Parts((), "interleaved")


def _trailing_quote(lines: Lines) -> _Parts:
    """Quotes at the end without a word of who wrote; above them must be an answer, and none that announces them."""
    letters = lines.letters
    body = letters.rstrip("esSmru")
    if not body.endswith("q"):
        return _Parts((), "all")
    above = body.rstrip("qeru")
    last = lines.clean[len(above) - 1] if above else ""
    if not _TEXT & set(above) or (last.endswith((":", "：")) and not tells_who_wrote(last)):
        return _Parts((), "all")
    if "q" in above:
        return _interleaved(letters)
    return _Parts(((len(above), len(letters)),), "quote")


def _signature_start(letters: str, start: int) -> int | None:
    """Where a signature of few lines begins at or below `start`: the highest mark with not too much below it."""
    found, text_lines = None, 0
    for index in range(len(letters) - 1, start - 1, -1):
        letter = letters[index]
        if letter in _TEXT:
            text_lines += 1
            if text_lines > _STRICT_SIGNATURE_LINES_MAX:
                break
        elif text_lines <= _SIGNATURE_LINES_MAXIMA.get(letter, -1):
            found = index
    return found


def _signature(lines: Lines, kept: list[int]) -> int:
    """From which of the kept lines on it is a signature or a footer; their count when there is none."""
    own = "".join(lines.letters[index] for index in kept)
    end = len(own)
    first_text = next((index for index, letter in enumerate(own) if letter in _TEXT), end)
    mark = _signature_start(own, first_text)
    if mark is not None and not set("qa") & set(own[mark:]):
        end = mark
    shorter = len(own[:end].rstrip("emu"))
    above = own[: max(0, shorter - 1)].rstrip("e")
    # `-Ada` below a blank line, and the only dash of all: no item of a list, nor announced as one.
    is_name = own[:shorter].endswith("en") and own[:shorter].count("n") == 1
    if is_name and above and not lines.clean[kept[len(above) - 1]].endswith((":", "：")):
        shorter = len(own[: shorter - 1].rstrip("em"))
    return shorter if _TEXT & set(own[:shorter]) else end
