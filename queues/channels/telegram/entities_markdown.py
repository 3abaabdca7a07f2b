"""A text with Telegram's entities as our Markdown, for whoever quotes or edits it.

Markdown cannot say everything (what is underlined or hidden is plain), and its rules about stars beside punctuation are such that the
result is read again: if it is not the same text, the marks go and the text stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from queues.channels import markdown
from queues.channels.telegram.entities import Span, pieces, spans
from queues.channels.text import clean

_SPECIAL = re.compile(r"[\\`*_\[\]<>&~!|]")
# What makes a line a heading, a list's item, a rule, a quote or an underline of a heading.
_BEGINNING = re.compile(r"(\d{1,9})([.)])|([#+\-=])")
_BACKTICKS = re.compile(r"`+")
_MARKS = {"b": "**", "i": "*", "s": "~~"}


def to_markdown(text: str, entities: object) -> str:
    """Markdown that our reader (`queues/channels/markdown.py`) reads as this text, but for blanks at the ends of lines."""
    text = clean_lines(text)
    marks = spans(text, entities)
    written = _blocks(text, marks)
    return written if _same(plain(written), text) else _blocks(text, [])


def clean_lines(text: str) -> str:
    """Storable, and of the length that the entities count."""
    return clean(text.replace("\r\n", " \n"))


def plain(written: str) -> str:
    """What a person reads of Markdown."""
    found: list[str] = []
    for token in markdown.parse(written):
        if token.type in ("fence", "code_block"):
            found.append(token.content)
        for child in token.children or ():
            found.append("\n" if child.type in ("softbreak", "hardbreak") else child.content)
        found.append("\n")
    return "".join(found)


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()


def _blocks(text: str, marks: list[Span]) -> str:
    inline = [span for span in marks if span.tag in (*_MARKS, "a", "code")]
    parts = []
    begin = 0
    for block in (span for span in marks if span.tag in ("pre", "blockquote")):
        if block.start < begin:
            continue
        parts.append(_lines(text, begin, block.start, inline))
        if block.tag == "pre":
            parts.append(_fenced(text[block.start : block.end], block.value))
        else:
            quoted = _lines(text, block.start, block.end, inline)
            parts.append("\n".join(f"> {line}".rstrip() for line in quoted.split("\n")))
        begin = block.end
    parts.append(_lines(text, begin, len(text), inline))
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def _fence(text: str, least: int) -> str:
    """Backticks that do not stand in the text."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)


def _fenced(program: str, language: str) -> str:
    fence = _fence(program, 3)
    return f"{fence}{language}\n{program}\n{fence}"


def _lines(text: str, begin: int, end: int, marks: Iterable[Span]) -> str:
    """The lines of a part of the text, each with its marks, since none may go on over the end of a paragraph."""
    written = []
    marks = [span for span in marks if span.start < end and span.end > begin]
    at = begin
    for line in text[begin:end].split("\n"):
        here = [span for span in marks if span.start < at + len(line) and span.end > at]
        written.append(_line(line, at, here))
        at += len(line) + 1
    return "\n".join(written)


def _line(line: str, at: int, marks: list[Span]) -> str:
    clipped = []
    for span in marks:
        start, end = max(span.start - at, 0), min(span.end - at, len(line))
        # A star beside a blank is a star.
        start += len(line[start:end]) - len(line[start:end].lstrip())
        end -= len(line[start:end]) - len(line[start:end].rstrip())
        if start < end:
            clipped.append(replace(span, start=start, end=end))
    codes = [span for span in clipped if span.tag == "code"]
    shown = [
        span
        for span in clipped
        if span.tag == "code" or not any(span.start < code.end and span.end > code.start for code in codes)
    ]
    parts = []
    code_open = False
    for piece in pieces(line, sorted(shown, key=lambda span: (span.start, -span.end))):
        for span in piece.opened:
            code_open = code_open or span.tag == "code"
            parts.append(_MARKS.get(span.tag, "[" if span.tag == "a" else ""))
        parts.append(_code(piece.text) if code_open else _escaped(piece.text))
        for span in piece.closed:
            code_open = code_open and span.tag != "code"
            parts.append(_MARKS.get(span.tag, f"](<{_target(span.value)}>)" if span.tag == "a" else ""))
    return _beginning("".join(parts).strip())


def _code(text: str) -> str:
    fence = _fence(text, 1)
    blank = " " if "`" in text else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def _target(url: str) -> str:
    return re.sub(r"[\\<>]", lambda found: f"%{ord(found[0]):02X}", url).replace("&", "&amp;")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _beginning(line: str) -> str:
    found = _BEGINNING.match(line)
    if found is None:
        return line
    return f"\\{line}" if found[3] else f"{found[1]}\\{line[found.end() - 1 :]}"
