"""Parse one Authentication-Results header (RFC 8601 section 2.2). Linear, bounded, never raises.

A stranger chooses parts of the header: the local part of a sender stands in comments and in quoted strings. Comments
may nest, and both comments and quoted strings may contain quoted pairs (RFC 5322 section 3.2.1). A header whose
comments or quoted strings do not end is malformed, and none of its results counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from queues.channels.email import limits

# Each quoted string becomes one character of this private area, so that its text is never read as structure.
_AREA = 0xE000
_RUNS = {"": re.compile(r'[^\\"()]+'), '"': re.compile(r'[^\\"]+'), "(": re.compile(r"[^\\()]+")}
_SPACED = re.compile(r"\s*([=/])\s*")
_METHOD = re.compile(r"([a-z0-9][a-z0-9_-]{0,29})(?:/[0-9]{1,3})?\Z")
_RESULT = re.compile(r"[a-z]{1,20}\Z")
_PROPERTY = re.compile(r"[a-z0-9-]{1,20}\.[a-z0-9_.-]{1,40}\Z")
# Spaces of ASCII only: a byte of a non-ASCII local part is no space, although Latin-1 has spaces there.
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
# The properties of a method that may hold a mail address (RFC 8601 section 2.7). An `@` anywhere else in the statement
# is the rest of a local part that the relay wrote without quotes: `smtp.mailfrom=victim.test x@evil.test`.
_ADDRESSED = {
    "spf": frozenset({"smtp.mailfrom", "smtp.mail"}),
    "dkim": frozenset({"header.i", "header.from"}),
    "dmarc": frozenset({"header.from"}),
    "compauth": frozenset({"header.from"}),
}
_CONTRADICTORY = "contradictory"
_SENDERS = ("smtp.mailfrom", "smtp.mail")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one method, such as `dkim=pass header.d=example.test`; all in lower case."""

    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Results:
    """The results that one server (`authserv_id`, in lower case) reports."""

    authserv_id: str
    results: tuple[Result, ...]


def read(value: bytes) -> Results | None:
    """Parse the value of a header. Returns None for a malformed one."""
    if len(value) > limits.authentication_chars_max:
        return None
    read_text = _without_comments(value.decode("latin-1"))
    if read_text is None:
        return None
    text, quoted = read_text
    head, *statements = text.split(";")
    words = head.split()
    if not words or len(words) > 2 or (len(words) == 2 and not words[1].isdigit()):
        return None
    found = (_result(statement, quoted) for statement in statements)
    return Results(_expanded(words[0], quoted).lower(), tuple(one for one in found if one is not None))


def _without_comments(text: str) -> tuple[str, list[str]] | None:
    """Replace comments by a space and quoted strings by one character each; None if one of them does not end.

    Returns the text and the contents of the quoted strings.
    """
    out: list[str] = []
    quoted: list[str] = []
    inside: list[str] = []
    state, depth, at = "", 0, 0
    while at < len(text):
        run = _RUNS[state].match(text, at)
        if run is not None:
            (inside if state == '"' else out if not state else []).append(run[0])
            at = run.end()
            continue
        character = text[at]
        at += 1
        if character == "\\":
            # A quoted pair: the next character has no meaning of its own.
            if state == '"':
                inside.append(text[at : at + 1])
            elif not state:
                return None
            at += 1
        elif state == '"':
            quoted.append("".join(inside))
            out.append(chr(_AREA + len(quoted) - 1))
            inside, state = [], ""
        elif character == '"':
            if len(quoted) >= limits.authentication_quoted_max:
                return None
            state = '"'
        elif character == "(":
            state, depth = "(", depth + 1
        elif not depth:
            return None
        else:
            depth -= 1
            if not depth:
                state = ""
                out.append(" ")
    return None if state else ("".join(out), quoted)


def _result(statement: str, quoted: list[str]) -> Result | None:
    """Read `method=result` and the properties after it; None for a statement without a result."""
    words = [word for word in _SPACES.split(_SPACED.sub(r"\1", statement).lower()) if word]
    if not words:
        return None
    name, equals, result = words[0].partition("=")
    method = _METHOD.match(name)
    if not equals or method is None or not _RESULT.match(result):
        return None
    properties: dict[str, str] = {}
    addressed = _ADDRESSED.get(method[1])
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if "@" in word and addressed is not None and name not in addressed:
            return Result(method[1], _CONTRADICTORY, properties)
        if not equals or not _PROPERTY.match(name):
            continue
        value = _expanded(value, quoted).lower()
        if properties.setdefault(name, value) != value:
            # Two values of one property contradict each other, so the result proves nothing.
            return Result(method[1], _CONTRADICTORY, properties)
    if len({properties[name] for name in _SENDERS if name in properties}) > 1:
        return Result(method[1], _CONTRADICTORY, properties)
    return Result(method[1], result, properties)


def _expanded(word: str, quoted: list[str]) -> str:
    """Put the contents of quoted strings back."""
    return "".join(quoted[ord(character) - _AREA] if ord(character) >= _AREA else character for character in word)
