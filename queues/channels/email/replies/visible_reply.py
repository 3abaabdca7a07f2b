"""Find the visible reply of a text mail: the newly written part, without quotes and signature.

`reply_lines.py` gives each line one letter. A few rules over the letters decide where the reply ends. The rules are
linear in the length of the text and name themselves in `Split.reason`; one of the libraries needs 180 s for 50 kB. In
doubt nothing is hidden, and the caller keeps the whole text in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.kernel.text import FORWARD_SUBJECT
from queues.channels.email.replies.reply_attribution import tells_who_wrote
from queues.channels.email.replies.reply_lines import Lines
from queues.channels.email.replies.signature_lines import signature_lines, signature_start

# Lines of a sentence that announces a quote which contains our "reply above" line.
_ANNOUNCED_LINES_MAX = 3
_TEXT = frozenset("tn")


@dataclass(frozen=True, slots=True)
class Split:
    """A text, divided into the part that is shown and the parts that are folded away."""

    visible: str
    # The folded lines without the signature; empty when the whole text is shown.
    hidden: str
    # Offset of the first folded line in characters; the length of the text when no line is folded.
    hidden_at: int
    # With its dashes.
    signature: str | None
    # The rule that decided: all, nothing else (no words would be left), attribution, headers, original (a mark above
    # the original message), quote (without attribution), below, wrapped, interleaved, forward, reply above, signature,
    # armour.
    reason: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """The hidden lines as half-open ranges in order, and the rule that hid them."""

    ranges: tuple[tuple[int, int], ...]
    reason: str


def visible_reply(text: str, *, subject: str = "") -> str:
    """Return the reply in `text`; the whole text if it has no quote, is a forward, or would have no words left."""
    return split(text, subject=subject).visible


def split(text: str, *, subject: str = "") -> Split:
    """Divide a text mail (lines end with LF or CRLF). Never raises; linear in the length of the text."""
    lines = Lines(text)
    return split_lines(lines, text, hidden_lines(lines, subject=subject))


@dataclass(frozen=True, slots=True)
class HiddenLines:
    """The folded lines by number, for a caller that maps lines to places in its own source."""

    hidden: frozenset[int]
    signature: frozenset[int]
    reason: str


def hidden_lines(lines: Lines, *, subject: str = "") -> HiddenLines:
    """Find the lines that are not part of the reply. Hides nothing when no words would be left."""
    letters = lines.letters
    parts = _parts(lines, is_forward=FORWARD_SUBJECT.match(subject) is not None)
    hidden = {index for start, end in parts.ranges for index in range(start, end)}
    kept = [index for index in range(len(letters)) if index not in hidden and letters[index] != "p"]
    if not _has_words(letters, kept):
        # Somebody sent a quote back, or the rules were wrong: show the whole text.
        return HiddenLines(frozenset(), frozenset(), "nothing else" if hidden else parts.reason)
    signature = signature_lines(lines, _segments(kept, hidden))
    armour = frozenset(index for index, letter in enumerate(letters) if letter == "p")
    return HiddenLines(frozenset(hidden) | armour, signature, _reason(parts, armour, signature))


def _reason(parts: _Parts, armour: frozenset[int], signature: frozenset[int]) -> str:
    if parts.reason != "all":
        return parts.reason
    return "armour" if armour else "signature" if signature else "all"


def _segments(kept: list[int], hidden: set[int]) -> list[list[int]]:
    """Divide the kept lines at the hidden quotes."""
    if not hidden:
        return [kept]
    segments: list[list[int]] = [[]]
    for index in kept:
        if index - 1 in hidden and segments[-1]:
            segments.append([])
        segments[-1].append(index)
    return segments


def split_lines(lines: Lines, text: str, found: HiddenLines) -> Split:
    """Divide the text at the lines that `hidden_lines` found."""
    hidden = _text_of(lines, sorted(found.hidden))
    signature = _text_of(lines, sorted(found.signature))
    everything = range(len(lines.raw))
    if not hidden and not signature:
        return Split(_text_of(lines, everything) or text, "", len(text), None, found.reason)
    folded = found.hidden | found.signature
    hidden_at = sum(len(lines.raw[index]) + (index + 1 not in lines.continued) for index in range(min(folded)))
    return Split(
        visible=_text_of(lines, [index for index in everything if index not in folded]),
        hidden=hidden,
        hidden_at=min(hidden_at, len(text)),
        signature=signature or None,
        reason=found.reason,
    )


def _text_of(lines: Lines, indexes: Sequence[int]) -> str:
    """Join lines without the blank lines at both ends."""
    first, last = 0, len(indexes)
    while first < last and not lines.raw[indexes[first]].strip():
        first += 1
    while last > first and not lines.raw[indexes[last - 1]].strip():
        last -= 1
    if not lines.continued:
        return "\n".join([lines.raw[index] for index in indexes[first:last]]).rstrip()
    joined: list[str] = []
    previous = -1
    for index in indexes[first:last]:
        if joined and not (index in lines.continued and previous == index - 1):
            if previous + 1 in lines.continued:
                # The blank before an attribution within the line.
                joined[-1] = joined[-1].rstrip()
            joined.append("\n")
        joined.append(lines.raw[index])
        previous = index
    return "".join(joined).rstrip()


def _has_words(letters: str, kept: list[int]) -> bool:
    return any(letters[index] in "tnqfz" for index in kept)


def _first_of(letters: str, wanted: str, end: int) -> int:
    """Return the index of the first of the wanted letters before `end`; -1 when there is none."""
    return min((at for letter in wanted if (at := letters.find(letter, 0, end)) >= 0), default=-1)


def _parts(lines: Lines, *, is_forward: bool) -> _Parts:
    letters = lines.letters
    if not is_forward and (marked := _above_marker(lines)) is not None:
        return marked
    index = _first_of(letters, "foH" if is_forward else "foHa", len(letters))
    if index < 0:
        return _Parts((), "forward") if is_forward and "q" in letters else _trailing_quote(lines)
    if is_forward or letters[index] == "f":
        # The sender wants to show the forwarded mail.
        return _Parts((), "forward")
    return _at_attribution(lines, index) if letters[index] == "a" else _below_headers(letters, index)


def _above_marker(lines: Lines) -> _Parts | None:
    """Cut at our own "reply above" line.

    None when there is no such line, when it was forwarded, or when the answer stands below it or between the lines that
    are quoted with it.
    """
    letters = lines.letters
    index = letters.find("R")
    if index < 0 or "f" in letters[:index]:
        return None
    below = set(letters[index + 1 :])
    if lines.clean[index][0] in ">＞" and "q" in below and _TEXT & below:
        return None
    # The lines between the beginning of the quote and our line belong to the quote.
    begin = _first_of(letters, "aoH", index)
    end = begin if begin >= 0 else _announcement(lines, index)
    if not _TEXT & set(letters[:end]):
        return None
    return _Parts(((len(letters[:end].rstrip("eqru")), len(letters)),), "reply above")


def _announcement(lines: Lines, index: int) -> int:
    """Return the first line of a short paragraph with a colon at its end right above `index`; `index` if there is none.

    Such a paragraph names the author of the quote, in whatever language.
    """
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


def _at_attribution(lines: Lines, index: int) -> _Parts:
    letters = lines.letters
    has_text_above = bool(_TEXT & set(letters[:index]))
    end = len(letters)
    # A rule right above the attribution belongs to the quote.
    start = len(letters[:index].rstrip("er"))
    cut_here = _Parts(((start, end),), "attribution") if has_text_above else _Parts((), "all")
    after = _skipped(letters, index, "aeru")
    if after == end or letters[after] not in "qR":
        # Nothing follows, or the quote has no marks.
        return cut_here
    # A rule below the quote begins a footer.
    quote_end = len(letters[: _skipped(letters, after, "qaeRru")].rstrip("ru"))
    signature = signature_start(lines, range(quote_end, end))
    below = set(letters[quote_end : end if signature is None else signature])
    if not _TEXT & below:
        return cut_here
    if below & set("qaoH"):
        return _interleaved(letters)
    return _Parts(((index, quote_end),), "wrapped" if has_text_above else "below")


def _skipped(letters: str, index: int, skipped: str) -> int:
    """Return the first index from `index` on whose letter is not among the skipped ones."""
    while index < len(letters) and letters[index] in skipped:
        index += 1
    return index


def _interleaved(letters: str) -> _Parts:
    """Show the quotes that have answers between them, because the answers need them.

    A whole older mail below the last answer is hidden: it begins with a mark above an original message or has an
    attribution of its own.
    """
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
    """Hide a quote without attribution at the end of the text.

    The text above must be an answer, and not a sentence that announces the quote.
    """
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
