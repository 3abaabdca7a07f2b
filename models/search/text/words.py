"""Split folded texts into words, and words into tokens.

A word has a stem by its script: Cyrillic letters the Russian one, Latin letters the English one. Any other word is its
own stem. Scripts without spaces between words (Han, Kana, Thai and others) and Hangul, whose particles join the word,
become overlapping pairs of characters.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any, Final

from models.kernel import imports

word_chars_max = 64  # the longest words of languages have some 60 characters; longer runs are hashes and encoded data
_stems_cached = 65_536  # some 10 MB; a desk's vocabulary follows Zipf's law, and a stem costs 20 us

_APOSTROPHE: Final = re.compile(r"(?<=\w)['\u2019\u02bc](?=\w)")
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS: Final = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_LATIN: Final = re.compile("[a-z\u00df-\u024f]+")
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]+")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: where it stands in the folded text, its stems, and its plain form.

    `stems` has one member, except for a run of an unspaced script, whose members are its pairs and its last character.
    """

    start: int
    plain: str
    stems: tuple[str, ...]
    unspaced: bool = False


_PACKAGE: Final = "snowballstemmer"


class _Stemmers(threading.local):
    """The stemmers of a thread: a stemmer keeps the word at which it works.

    Each is imported at its first word, because most processes index and search nothing for a long time.
    """

    @cached_property
    def russian(self) -> Any:
        return _algorithm("russian").RussianStemmer()

    @cached_property
    def english(self) -> Any:
        return _algorithm("english").EnglishStemmer()


def _algorithm(language: str) -> ModuleType:
    """Import the stemmer of one language.

    The package's `__init__` imports the stemmers of all 36 languages, which takes 3.4 MiB in each process. An empty
    package in its place lets Python find the one module.
    """
    with imports.late():
        if _PACKAGE not in sys.modules:
            spec = importlib.util.find_spec(_PACKAGE)
            if spec is None or spec.submodule_search_locations is None:
                raise ModuleNotFoundError(f"no package {_PACKAGE}", name=_PACKAGE)
            package = ModuleType(_PACKAGE)
            package.__path__ = spec.submodule_search_locations
            sys.modules[_PACKAGE] = package
    return imports.load(f"{_PACKAGE}.{language}_stemmer")


_stemmers = _Stemmers()


@lru_cache(maxsize=_stems_cached)
def stem(word: str) -> str:
    """Return the stem of a folded word."""
    if _LATIN.fullmatch(word):
        return str(_stemmers.english.stemWord(word)) or word
    if _CYRILLIC.fullmatch(word):
        return str(_stemmers.russian.stemWord(word)) or word
    return word


@lru_cache(maxsize=1)
def pattern() -> re.Pattern[str]:
    """Return the pattern of a word: letters and digits of any script, and the marks that Python's `\\w` leaves out."""
    marks = "".join(chr(code) for code in range(0x300, 0x12000) if unicodedata.category(chr(code))[0] == "M")
    return re.compile(f"(?:[^\\W_]|[{marks}])+")


def without_apostrophes(folded_text: str) -> str:
    """Return the text with the apostrophes inside of words left out, as `words` reads it."""
    return _APOSTROPHE.sub("", folded_text)


def words(folded_text: str) -> Iterator[Word]:
    """Yield the words of a folded text in order."""
    text = without_apostrophes(folded_text)
    for found in pattern().finditer(text):
        word = found[0]
        if word.isascii() or not _IS_UNSPACED.search(word):
            plain = sys.intern(word[:word_chars_max])
            yield Word(found.start(), plain, (stem(plain),))
            continue
        for run in _RUNS.finditer(word):
            start = found.start() + run.start()
            if _IS_UNSPACED.match(run[0]):
                yield Word(start, run[0], pairs(run[0]), unspaced=True)
            else:
                plain = run[0][:word_chars_max]
                yield Word(start, plain, (stem(plain),))


def pairs(run: str) -> tuple[str, ...]:
    """Return the overlapping pairs of a run's characters, and its last character, by which one character is found."""
    return (*(run[at : at + 2] for at in range(len(run) - 1)), run[-1:])
