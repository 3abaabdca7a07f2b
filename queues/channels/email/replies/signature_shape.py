"""Tell a signature from a text that the author wrote below a dash or a rule.

A signature has short lines: a name, a title, a company, ways to reach the person, perhaps a legal notice. Sentences
below a mark are the author's words, and hiding them is worse than showing a signature. So the first line must look like
a name, and no other line may be a sentence.
"""

from __future__ import annotations

import re

from queues.channels.email.replies import signature_words
from queues.channels.email.replies.reply_words import NAME_PARTICLES

_WORD = re.compile(r"[^\W\d_][^\W\d_'’.-]*")
_CONTACT = re.compile(r"@|://|www\.|\d{3}|\+\d|\b[\w-]{2,40}\.(?:com|org|net|de|fr|ru|test|example|io|eu|uk)\b", re.I)
_ENDS = frozenset(".!…。！？।؟۔።։?")
_QUESTIONS = frozenset("?？؟")
_AFTER_END = " \"'”’»)]*_🙂😊👍"
# "missing. We": a small letter, a full stop and the next sentence.
_INNER_END = re.compile(r"[^\W\d_A-Z.][.!?…] +[^\W\d_]")
_ABBREVIATION_WORDS = "inc ltd llc corp co jr sr plc gmbh bv nv ag sa sl spa srl oy ab as kg ev dr prof dept str no"
_ABBREVIATIONS = frozenset(_ABBREVIATION_WORDS.split())
_QUOTES = ('"', "“", "„", "«", "‘", "'", "»", '*"')
_KANA = re.compile("[\u3041-\u309f]")
_WIDE = re.compile("[\u3041-\u30ff\u3400-\u9fff]")
_CHINESE = re.compile("[的了吗嗎是我你您请請们們没沒也在不这這那]")
_KOREAN_ENDS = ("다", "요", "까", "죠", "네")
_LIST_ITEM = re.compile(r"(?:[-*+•]|\d{1,2}[.)]) +\S")
_NAME_WORDS_MAX = 7
# A longer line without a way to reach the person is a sentence.
_LINE_CHARS_MAX = 120


def is_signature(lines: list[str]) -> bool:
    """Return True if lines below a mark look like a signature or the footer of a list."""
    paragraphs = _paragraphs(lines)
    if not paragraphs:
        return True
    if not signature_words.is_notice(" ".join(paragraphs[0])) and not _may_be_name(paragraphs[0][0]):
        return False
    return not any(
        is_sentence(line)
        for paragraph in paragraphs
        if not signature_words.is_notice(" ".join(paragraph))
        for line in paragraph
    )


def _paragraphs(lines: list[str]) -> list[list[str]]:
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return paragraphs if paragraphs[-1] else paragraphs[:-1]


def _may_be_name(line: str) -> bool:
    """Return True if a line may be a name, a closing phrase or a way to reach a person."""
    if is_sentence(line) or line.endswith((":", "：")):
        return False
    found = _words(line)
    if _is_bare_name(found) or _CONTACT.search(line) or line.startswith(_QUOTES) or signature_words.is_closing(line):
        return True
    return len(found) <= _NAME_WORDS_MAX and not any(_is_small(word) for word in found)


def _is_bare_name(found: list[str]) -> bool:
    """Return True for one word, and for two words that are both written with a capital or both without."""
    return len(found) < 2 or (len(found) == 2 and found[0][0].isupper() == found[1][0].isupper())


def is_sentence(line: str) -> bool:
    """Return True if a line reads as a sentence or a part of one."""
    bare = line.rstrip(_AFTER_END)
    if not bare or line.startswith(_QUOTES):
        return False
    if _LIST_ITEM.match(line):
        return True
    if _WIDE.search(bare):
        return _is_wide_sentence(bare)
    found = _words(bare)
    small = sum(1 for word in found if _is_small(word))
    if found and _asks(bare):
        return True
    if _ends_sentence(bare, found) and small and len(found) >= (2 if bare[-1] == "!" else 3):
        return True
    if len(found) >= 2 and found[-1].endswith(_KOREAN_ENDS) and bare.endswith(found[-1]):
        return True
    has_contact = _CONTACT.search(bare) is not None
    if small >= 2 and _INNER_END.search(bare):
        return True
    if has_contact:
        return False
    begins_small = len(found) >= 4 and found[0][0].islower()
    return begins_small or len(bare) > _LINE_CHARS_MAX or (small >= 3 and small * 2 > len(found))


def _words(line: str) -> list[str]:
    return _WORD.findall(line)


def _is_small(word: str) -> bool:
    """Return True if a word has a small letter where a name has a capital. Scripts without capitals count as small."""
    return not word[0].isupper() and not word[0].istitle() and word not in NAME_PARTICLES


def _asks(line: str) -> bool:
    # The Greek question mark looks like a semicolon.
    return line[-1] in _QUESTIONS or (line[-1] == ";" and "\u0370" <= line[-2:-1] <= "\u1fff")


def _ends_sentence(line: str, found: list[str]) -> bool:
    if line[-1] not in _ENDS or not found:
        return False
    last = found[-1]
    return not (line[-1] == "." and (len(last) == 1 or last.casefold() in _ABBREVIATIONS))


def _is_wide_sentence(line: str) -> bool:
    """Return True if Chinese or Japanese text reads as a sentence: its punctuation, its particles, its hiragana."""
    if not set("。！？").isdisjoint(line) or line[-1] in _QUESTIONS:
        return True
    wide = len(_WIDE.findall(line))
    kana = len(_KANA.findall(line))
    return (kana >= 4 and kana * 5 >= wide * 2) or (not kana and wide >= 4 and _CHINESE.search(line) is not None)
