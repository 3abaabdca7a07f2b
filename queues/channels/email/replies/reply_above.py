"""The line "reply above this line": ours in any language, and the lines of other help desks.

It is the most reliable sign of a quote, because the desk wrote it: whatever a mail program does to the quote, the
sentence stays. It is found behind a quote mark, within decoration, and broken over two lines.
"""

from __future__ import annotations

import re
from html import escape

# Attribute of the element that holds the line in our HTML.
ATTRIBUTE = "data-nestor-reply-above"


def marker_line(words: str) -> str:
    """Return the line for a text mail. Its marks are found again in any language."""
    return f"##- {words} -##"


def marker_html(words: str) -> str:
    """Return the line for an HTML mail. Clients that drop the attribute keep the words."""
    return f'<div {ATTRIBUTE}="1" style="color:#999999;font-size:12px">{escape(marker_line(words))}</div>'


_FRAME = "##- "
_FRAMED = re.compile(r"##- .{3,} -##")
# Rare words, one for each form of the line: a text without any of them has no such line.
_TRIGGERS = (
    _FRAME,
    "above this",
    "above the",
    "above that",
    "below this line",
    "выше этой",
    "выше линии",
    "над этой",
    "oberhalb",
    "über diese",
    "au-dessus",
    "ci-dessus",
    "encima de esta",
    "arriba de esta",
    "sopra questa",
    "sopra di questa",
    "acima desta",
    "acima da linha",
    "boven deze",
    "powyżej tej",
    "powyżej linii",
    "вище ц",
    "bu satırın üst",
    "bu çizginin üst",
    "此行上方",
    "此行之上",
    "该行上方",
    "這行上方",
    "此行以上",
    "線より上",
    "行より上",
    "ovanför den",
    "over denne linj",
    "tämän rivin yläpuol",
    "nad tento řádek",
    "nad tímto",
    "위에 답장",
    "줄 위에",
)
_VERBS = (
    r"(?:reply|replies|respond|response|answer|write|type|enter|post|comment|ответ|пишите|напишите|antwort|schreib|répon|écri"
    r"|respond|escrib|respuesta"
    r"|rispo|scriv|respost|escrev|respon|antwoord|schrijf|reageer|odpow|pisa|napisz|відпов|пишіть|yanıt|cevap|yaz|回复"
    r"|回覆|返信|回答|svar|skriv"
    r"|vasta|kirjoita|odpov|piš|답장)"
)
_PHRASE = re.compile(rf"{_VERBS}|below this line", re.I)
_DECORATED = re.compile(r"[-=#_*~+>—–⎯]{2,}")
_EDGES = " \t>|-=#_*~+—–⎯.:!()[]"
# With its decoration and some politeness; the longest of ours has 63.
phrase_chars_max = 160
# A longer sentence without decoration is prose.
phrase_words_max = 12
# Characters before the verb in a line without decoration.
_LEAD_CHARS_MAX = 30


def triggers_in(text: str) -> tuple[str, ...]:
    """Return the trigger words that the text contains."""
    lowered = text.lower()
    return tuple(trigger for trigger in _TRIGGERS if trigger in lowered)


def is_marker(line: str, following: str, triggers: tuple[str, ...]) -> bool:
    """Return True if the marker begins in `line`; it may end in `following`."""
    if len(line) > phrase_chars_max:
        return False
    if _is_phrase(line, triggers):
        return True
    if len(following) > phrase_chars_max or not _DECORATED.search(line[:8]):
        return False
    return _is_phrase(f"{line} {following.lstrip(' >|')}", triggers)


def _is_phrase(line: str, triggers: tuple[str, ...]) -> bool:
    bare = line.strip(" >|\t")
    if _FRAMED.fullmatch(bare):
        return True
    inner = line.strip(_EDGES).lower()
    if not any(trigger in inner for trigger in triggers) or not _PHRASE.search(inner):
        return False
    if _DECORATED.match(bare) or _DECORATED.search(bare[-4:]):
        return True
    return len(inner.split()) <= phrase_words_max and _begins(inner)


def _begins(inner: str) -> bool:
    """Return True if a line without decoration is a request such as "Please reply above this line"."""
    found = _PHRASE.search(inner)
    return found is not None and found.start() <= _LEAD_CHARS_MAX and inner.endswith(_LAST)


_LAST = (
    "line",
    "zeile",
    "linie",
    "ligne",
    "línea",
    "linea",
    "riga",
    "linha",
    "regel",
    "linii",
    "linją",
    "линии",
    "строки",
    "линией",
    "рядка",
    "yazın",
    "yazınız",
    "上方回复",
    "上方回覆",
    "ください",
    "linje",
    "linjen",
    "rivin",
    "řádek",
)
