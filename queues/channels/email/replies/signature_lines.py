"""Find the signature and the footers among the lines that no quote hides.

A mark alone is no proof: people draw `--` and underscores between two thoughts. The text below such a mark is hidden
only if it looks like a signature (`signature_shape.py`). `-- ` with its space is written by mail programs (RFC 3676
section 4.3) and is believed.
"""

from __future__ import annotations

from collections.abc import Sequence

from queues.channels.email.replies.reply_lines import Lines
from queues.channels.email.replies.signature_shape import is_sentence, is_signature

# Lines with text. A longer text below `--` is no signature.
_SIGNATURE_LINES_MAX = 14
# Below `-- ` with its space, which mail programs write: legal notices are long.
_STRICT_SIGNATURE_LINES_MAX = 40
# Below `____`, which is as often a rule within a letter.
_RULED_SIGNATURE_LINES_MAX = 8
_SIGNATURE_LINES_MAXIMA = {
    "S": _STRICT_SIGNATURE_LINES_MAX,
    "s": _SIGNATURE_LINES_MAX,
    "u": _RULED_SIGNATURE_LINES_MAX,
}
# With one empty line between two paragraphs.
_JUDGED_LINES_MAX = 2 * _STRICT_SIGNATURE_LINES_MAX
_TEXT = frozenset("tn")


def signature_lines(lines: Lines, segments: list[list[int]]) -> frozenset[int]:
    """Find the signatures: the lines that HTML marks, and the lines at the end of each segment that look like one.

    The segments are the shown lines above, between and below the hidden quotes. A signature above a quote ends there,
    because the text below the quote is an answer.
    """
    letters = lines.letters
    marked, unmarked = frozenset[int](), segments
    if "z" in letters:
        marked = frozenset(index for segment in segments for index in segment if letters[index] == "z")
        unmarked = [[index for index in segment if index not in marked] for segment in segments]
    if marked and not any(letters[index] in "tnq" for segment in unmarked for index in segment):
        # The marks cover the whole reply, so they are not believed.
        marked, unmarked = frozenset(), segments
    has_text = [any(letters[index] in _TEXT for index in segment) for segment in unmarked]
    found = set(marked)
    for number, segment in enumerate(unmarked):
        has_text_elsewhere = any(has_text[:number]) or any(has_text[number + 1 :])
        trailing = segment[_signature_index(lines, segment, may_be_all=has_text_elsewhere) :]
        if number + 1 < len(unmarked):
            # Empty lines stay between the texts above and below the quote.
            trailing = _without_empty_ends(letters, trailing)
        if any(letters[index] != "e" for index in trailing):
            found.update(trailing)
    return frozenset(found)


def _without_empty_ends(letters: str, found: list[int]) -> list[int]:
    first, last = 0, len(found)
    while first < last and letters[found[first]] == "e":
        first += 1
    while last > first and letters[found[last - 1]] == "e":
        last -= 1
    return found[first:last]


def signature_start(lines: Lines, kept: Sequence[int]) -> int | None:
    """Return the line where a signature begins: the highest mark whose text below is short and looks like one."""
    found, below = None, _Below()
    for index in reversed(kept):
        letter = lines.letters[index]
        if letter in "suS":
            is_believed = below.follows_strict_mark() if letter == "S" else below.looks_like_signature()
            found = index if below.text_lines <= _SIGNATURE_LINES_MAXIMA[letter] and is_believed else found
        elif letter != "r":
            below.add(lines.clean[index], is_text=letter in _TEXT)
            if below.text_lines > _STRICT_SIGNATURE_LINES_MAX:
                break
    return found


class _Below:
    """The lines below a mark, collected from the last line up. Equal lines are judged once."""

    def __init__(self) -> None:
        self.text_lines = 0
        self._upwards: list[str] = []
        self._verdict: bool | None = None

    def add(self, line: str, *, is_text: bool) -> None:
        self.text_lines += is_text
        if line or (self._upwards and self._upwards[-1]):
            self._upwards.append(line)
            self._verdict = None

    def follows_strict_mark(self) -> bool:
        """Return True unless an empty line and a sentence follow: mail programs write the signature right below."""
        if not self._upwards or self._upwards[-1]:
            return True
        first = self._upwards[-2] if len(self._upwards) > 1 else ""
        return not is_sentence(first) or self.looks_like_signature()

    def looks_like_signature(self) -> bool:
        if self._verdict is None:
            self._verdict = len(self._upwards) <= _JUDGED_LINES_MAX and is_signature(self._upwards[::-1])
        return self._verdict


def _signature_index(lines: Lines, kept: list[int], *, may_be_all: bool) -> int:
    """Return the index in `kept` where a signature or footer begins; the length of `kept` when there is none.

    The lines may all be a signature if there is text elsewhere.
    """
    own = "".join(lines.letters[index] for index in kept)
    end = len(own)
    # The text begins where its first letter of `_TEXT` stands.
    first_text = 0 if may_be_all else min((at for letter in _TEXT if (at := own.find(letter)) >= 0), default=end)
    mark = signature_start(lines, kept[first_text:])
    if mark is not None:
        at = kept.index(mark)
        end = end if set("qa") & set(own[at:]) else at
    shorter = len(own[:end].rstrip("emu"))
    if _is_lone_name(lines, kept, own[:shorter]):
        shorter = len(own[: shorter - 1].rstrip("em"))
    return shorter if may_be_all or _TEXT & set(own[:shorter]) else end


def _is_lone_name(lines: Lines, kept: list[int], own: str) -> bool:
    """Return True if the letters end with `-Ada` below a blank line, the only dashed name, which no colon above
    announces.
    """
    if not own.endswith("en") or own.count("n") != 1:
        return False
    above = own[:-1].rstrip("e")
    return above != "" and not lines.clean[kept[len(above) - 1]].endswith((":", "："))
