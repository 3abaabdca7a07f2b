"""Refuses passwords that a guesser tries early.

zxcvbn estimates the number of guesses (Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security
2016). It knows common passwords, names, words, dates and keyboard patterns. NIST SP 800-63B, section 3.1.1.2, asks for
a comparison with such a list that also holds the name of the service and the user. The module imports zxcvbn at first
use, because its word lists cost 110 ms and 10 MiB and only a new password needs them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from models.identity import rules
from models.kernel import imports, limits
from models.kernel.errors import FieldProblem
from models.kernel.settings import Settings

_DESK_WORDS = ("nestor", "helpdesk", "servicedesk")
_WORD = re.compile(r"[^\W_]{3,}")


def problems(password: str, *, email: str, name: str, settings: Settings) -> list[FieldProblem]:
    """Return one sentence for each rule that a new password breaks.

    Takes some 2 ms, at most a second for a hostile text. The caller holds no locks.
    """
    found = rules.password_problems(password, email=email)
    known = [*_desk_words(settings), *_personal_words(email, name)]
    if not found and guesses(password, known) < limits.password_guesses_min:
        found.append(
            FieldProblem("password", "expected a password that is harder to guess: more words, and no names or dates")
        )
    return found


def guesses(password: str, known: list[str]) -> float:
    """Estimate how many guesses find the password, for a guesser who also tries the known words.

    The rest without the known words must resist as well: zxcvbn alone counts the order of three such words as strong.
    """
    imports.load("zxcvbn")
    from zxcvbn import zxcvbn  # cold start: loaded at the first new password

    text = unicodedata.normalize("NFKC", password)
    rest = text.casefold()
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word.casefold(), " ")
    judged = [text] if rest == text.casefold() else [text, rest]
    return min(float(zxcvbn(one[: limits.password_judged_chars_max], user_inputs=known)["guesses"]) for one in judged)


def _desk_words(settings: Settings) -> Iterator[str]:
    yield from _DESK_WORDS
    yield from _WORD.findall(settings.password_words.lower())
    yield from _WORD.findall((urlsplit(settings.public_url).hostname or "").lower())


def _personal_words(email: str, name: str) -> Iterator[str]:
    yield email
    yield email.partition("@")[0]
    yield from _WORD.findall(f"{email} {name}".lower())
