"""Finds the users whom a note mentions by `@name`; pure.

A user is named by the full name, by the name with `.`, `-`, `_` or nothing between its words, by the local part of the
mail address, or by the first name alone. A name that several users have mentions nobody, so that no ticket is shown to
the wrong person.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from models.kernel import limits

# Not in an address (bob@example.org), a path (example.org/@ada) or a doubled sign.
_SIGN: Final = re.compile(r"(?<![\w@./+-])@")
_TAG: Final = re.compile(r"<[^<>]*>")
_SPACE: Final = re.compile(r"\s+")
# The name goes on behind these, so `@ada` is not named by `@ada.example` and `@adaline`.
_GOES_ON: Final = re.compile(r"[\w@]|[.-]\w")


class Named(Protocol):
    """A user who can be mentioned."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Mentions:
    """The users whom a text mentions, and the names in it that several users have."""

    users: tuple[UUID, ...] = ()
    ambiguous: tuple[str, ...] = ()


def find(text: str, people: Sequence[Named], *, is_html: bool = False) -> Mentions:
    """Return the users whom a text mentions, in the order of the text."""
    if is_html:
        text = _TAG.sub(" ", text)
    signs = list(_SIGN.finditer(text))[: limits.followers_max]
    if not signs:
        return Mentions()
    names = _names(people)
    longest_first = sorted(names, key=len, reverse=True)
    users: dict[UUID, None] = {}
    ambiguous: dict[str, None] = {}
    for sign in signs:
        rest = _folded(text[sign.end() : sign.end() + limits.name_chars_max + 2])
        name = next((one for one in longest_first if _begins(rest, one)), None)
        if name is None:
            continue
        if len(names[name]) > 1:
            ambiguous[name] = None
        else:
            users[next(iter(names[name]))] = None
    return Mentions(tuple(users), tuple(ambiguous))


def _names(people: Sequence[Named]) -> dict[str, set[UUID]]:
    found: dict[str, set[UUID]] = defaultdict(set)
    for person in people:
        full = _folded(person.name).strip()
        words = full.split()
        forms = {full, words[0] if words else "", _folded(person.email).partition("@")[0]}
        forms |= {sign.join(words) for sign in (".", "-", "_", "")}
        for form in forms - {""}:
            found[form].add(person.id)
    return found


def _folded(text: str) -> str:
    return _SPACE.sub(" ", text).casefold()


def _begins(rest: str, name: str) -> bool:
    return rest.startswith(name) and _GOES_ON.match(rest, len(name)) is None
