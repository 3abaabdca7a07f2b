"""Judge the words around the verb of an attribution: a name is a mail program's line, a pronoun a person's sentence.

Many names are also pronouns of some language: Kevin Ho (Italian "ho"), Han, Le, Man, Vi, My, You. A word counts as a
name by its capital within the line, because sentences do not write these pronouns with a capital.
"""

from __future__ import annotations

import re

from queues.channels.email.replies import reply_words as words

WORD = re.compile(r"[^\W\d_][\w()'’/]*")
VERBS = words.WROTE | words.WROTE_NAME
BRACKETED_END = re.compile(r"[<(\[][^<>()\[\]\s]{1,200}@[^<>()\[\]]{1,200}[>)\]]{1,3}[*_]{0,2}\s?[:：]?[*_]{0,2}$")
_END_TRIM = " \t:：-–—*_>)]\"'.;,"
_TAIL_CHARS_MAX = 140
# A name that stands alone follows punctuation or the clock time.
_NAME_BEGINS = re.compile(r"(?:[,;<(\"'“”„«’>)\]\d]|\b[ap]\.?m\.?|\buhr)$", re.I)
# Words before a name's last word that are read for a capital: particles and the first name.
_NAME_WORDS_MAX = 4
_WITHIN_NAMES = frozenset([" ", ". ", "-", "\t"])


def verb_ends(text: str, *, ends_with_colon: bool, may_address: bool) -> bool:
    """Return True if only words of a mail program follow the last verb; `may_address` allows "you wrote:"."""
    line = _Line(text)
    if line.is_own_sentence(may_address=may_address):
        return False
    if line.verb < 0:
        return _part_ends(text)
    tail = text[line.found[line.verb].end() :].strip(_END_TRIM)
    if not tail or tail == "je":
        return True
    if len(tail) > _TAIL_CHARS_MAX or not ends_with_colon:
        return "@" in tail and BRACKETED_END.search(text) is not None
    return line.may_follow(tail)


class _Line:
    """The words of a line and the place of its last verb."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.found = list(WORD.finditer(text))
        self._folded = [word[0].casefold() for word in self.found]
        self.verb = self._last_verb()

    def _last_verb(self) -> int:
        """Return the index of the last verb, also with a feminine ending as in "napisał(a)"; -1 when there is none."""
        for index in range(len(self._folded) - 1, -1, -1):
            word = self._folded[index]
            if word in VERBS or (word.endswith(("(a", "(а")) and word[:-2] in VERBS):
                return index
        return -1

    def is_own_sentence(self, *, may_address: bool) -> bool:
        """Return True if a person wrote the line: in the first person, or with a pronoun before the verb."""
        if not may_address and any(self._is_first_person(index) for index in range(len(self.found))):
            return True
        before = self.verb - 1
        if before < 0 or self._folded[before] not in words.PRONOUNS:
            return False
        if may_address and self._folded[before] in words.SECOND_PERSON:
            return False
        return not self._is_name(before)

    def _is_first_person(self, index: int) -> bool:
        word = self.found[index]
        if word[0] == "I":
            # "Ida I. Berg" has an initial.
            return not self._text.startswith(".", word.end())
        return self._folded[index] in words.FIRST_PERSON and not self._is_name(index)

    def _is_name(self, index: int) -> bool:
        """Return True if a word that may be a pronoun is a name: it has a capital within the line.

        Politeness writes "Sie" and "Вы" with a capital, so such a word needs another name before it.
        """
        word = self.found[index]
        before = self._text[: word.start()].rstrip()
        if self._text.isupper() or not before or not _is_capital(word[0]):
            return False
        if self._is_after_name(before):
            return True
        if self._folded[index] in words.POLITE:
            return False
        is_after_verb = index - 1 == self.verb and self._folded[self.verb] in words.WROTE_NAME
        return is_after_verb or self._is_before_name(index) or _NAME_BEGINS.search(before) is not None

    def _is_after_name(self, before: str) -> bool:
        """Return True if the text ends with a capitalised word, perhaps with particles: "Kevin" Ho, "Isle of" Man."""
        tokens = before.rsplit(None, _NAME_WORDS_MAX)[-_NAME_WORDS_MAX:]
        while tokens and tokens[-1] in words.NAME_PARTICLES:
            tokens.pop()
        bare = tokens[-1].lstrip("(\"'“„«<") if tokens else ""
        is_ended = bare[-1:] in ",;:!?" or bare.strip(".").casefold() in words.LEADS
        return bare != "" and _is_capital(bare) and not is_ended and "@" not in bare

    def _is_before_name(self, index: int) -> bool:
        """Return True if a capitalised word follows this one: "My Tran"."""
        if index + 1 >= len(self.found):
            return False
        after = self.found[index + 1]
        return self._text[self.found[index].end() : after.start()] in _WITHIN_NAMES and _is_capital(after[0])

    def may_follow(self, tail: str) -> bool:
        """Return True if a mail program writes this tail between the verb and the colon: a name, a date or an
        address.
        """
        next_word = tail.split(None, 1)[0].rstrip(",")
        folded = next_word.casefold()
        if self._folded[self.verb] not in words.WROTE_NAME:
            return folded in words.AFTER_WROTE or tail[:1].isdigit() or tail[:1] in "<(\"'" or "@" in tail
        if folded not in words.PRONOUNS:
            return True
        # "schrieb Man Ray:" and "skrev Vi:" name a person; "schrieb Ihr Kollege:" and "schrieb man:" do not.
        return _is_capital(next_word) and folded not in words.POLITE and not self._text.isupper()


def _is_capital(word: str) -> bool:
    return word[:1].isupper() or word[:1].istitle()


def _part_ends(text: str) -> bool:
    """Return True if a verb of a language without spaces stands near the end."""
    for part in words.WROTE_PARTS:
        at = text.rfind(part)
        if at >= 0:
            return len(text) - at - len(part) <= _TAIL_CHARS_MAX
    return False
