"""An agent's text with Telegram's entities as the body of a reply: Markdown where Markdown can say it, else HTML.

The desk's Markdown (`queues/channels/markdown.py`) has no underline and no spoiler, and marks some parts of words
differently. The written Markdown is parsed again; if it does not say the same, the text becomes HTML. A text without
a format stays plain, so nothing in it is read as Markdown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it.token import Token

from queues.channels import markdown
from queues.channels.telegram.reading import entities
from queues.channels.telegram.reading.entities import Span

Format = Literal["text", "markdown", "html"]
_DELIMITERS = {"b": "**", "i": "*", "s": "~~"}
_TOKENS = {"strong": "b", "em": "i", "s": "s", "link": "a", "code_inline": "code", "fence": "pre"}
# CommonMark 0.31 section 2.4: a backslash before one of these makes it text.
_SPECIAL = re.compile(r"[\\`*_\[\]<>~&]")
# The beginnings of headings, lists and underlines of headings.
_BLOCK = re.compile(r"(?m)^([ \t]*)([#+=-])")
_NUMBER = re.compile(r"(?m)^([ \t]*[0-9]{1,9})([.)])")


def body_of(text: str, marks: object) -> tuple[str, Format]:
    """Return the body and its format. `marks`: the entities of the text."""
    found = [span for span in entities.spans(text, marks) if not _is_plain(span, text)]
    if not found:
        return text.strip(), "text"
    if all(span.tag in (*_DELIMITERS, "code", "pre", "a") for span in found):
        written = _markdown(text, found).strip()
        if _is_faithful(written, text, found):
            return written, "markdown"
    shown = entities.to_html(text, marks)
    assert shown is not None, "a text with marks has HTML"
    return shown.strip(), "html"


def _is_plain(span: Span, text: str) -> bool:
    """Return True for a mark that Telegram adds by itself: an address in the text, or an instant."""
    shown = text[span.start : span.end]
    return span.tag == "time" or (span.tag == "a" and span.value in (shown, f"https://{shown}", f"mailto:{shown}"))


def _markdown(text: str, found: Sequence[Span]) -> str:
    blocks = {edge for span in found if span.tag == "pre" for edge in (span.start, span.end)}
    parts: list[str] = []
    open_spans: list[Span] = []
    at = 0
    for piece in entities.pieces(text, found):
        for span in piece.opened:
            open_spans.append(span)
            parts.append(_begin(span, text))
        is_code = any(span.tag in ("code", "pre") for span in open_spans)
        parts.append(piece.text if is_code else _escaped(text, at, at + len(piece.text), blocks))
        for span in piece.closed:
            open_spans.remove(span)
            parts.append(_end(span, text))
        at += len(piece.text)
    return "".join(parts)


def _escaped(text: str, start: int, end: int, blocks: set[int]) -> str:
    """Escape a part of the text. A line break inside a paragraph becomes a hard one."""
    lines = []
    for line in re.split(r"(\n)", text[start:end]):
        if line != "\n":
            plain = _SPECIAL.sub(r"\\\g<0>", line)
            lines.append(_NUMBER.sub(r"\1\\\2", _BLOCK.sub(r"\1\\\2", plain)))
        else:
            alone = text[start - 1 : start] not in ("", "\n") and text[start + 1 : start + 2] not in ("", "\n")
            lines.append("\\\n" if alone and not {start, start + 1} & blocks else "\n")
        start += len(line)
    return "".join(lines)


def _begin(span: Span, text: str) -> str:
    if span.tag == "pre":
        return f"{'' if text[: span.start].endswith(chr(10)) else chr(10)}{_fence(span, text)}{span.value}\n"
    if span.tag == "code":
        return f"{_ticks(span, text)}{_pad(span, text)}"
    return "[" if span.tag == "a" else _DELIMITERS[span.tag]


def _end(span: Span, text: str) -> str:
    if span.tag == "pre":
        return f"\n{_fence(span, text)}\n"
    if span.tag == "code":
        return f"{_pad(span, text)}{_ticks(span, text)}"
    return f"](<{span.value}>)" if span.tag == "a" else _DELIMITERS[span.tag]


def _ticks(span: Span, text: str) -> str:
    """Return a run of backticks that the code does not contain."""
    runs = re.findall(r"`+", text[span.start : span.end])
    return "`" * (max(map(len, runs), default=0) + 1)


def _fence(span: Span, text: str) -> str:
    return max(_ticks(span, text), "```", key=len)


def _pad(span: Span, text: str) -> str:
    """Return the blank that CommonMark removes again, where the code begins or ends with a backtick or a blank."""
    code = text[span.start : span.end]
    return " " if code[0] in "` " or code[-1] in "` " else ""


def _is_faithful(written: str, text: str, found: Sequence[Span]) -> bool:
    """Return True if the Markdown has the letters of the text and exactly its marks."""
    wanted = Counter((span.tag, _bare(text[span.start : span.end])) for span in found)
    letters: list[str] = []
    read: Counter[tuple[str, str]] = Counter()
    begun: list[int] = []
    for token in _flat(markdown.parse(written)):
        name = token.type.removesuffix("_open").removesuffix("_close")
        if token.type.endswith("_open") and name in _TOKENS:
            begun.append(len(letters))
        elif token.type.endswith("_close") and name in _TOKENS:
            read[_TOKENS[name], _bare("".join(letters[begun.pop() :]))] += 1
        elif token.content and not token.children:
            letters.append(token.content)
            if name in _TOKENS:
                read[_TOKENS[name], _bare(token.content)] += 1
            elif token.type not in ("text", "text_special"):
                return False
        elif token.type not in ("paragraph_open", "paragraph_close", "inline", "softbreak", "hardbreak", "text"):
            return False
    return read == wanted and _bare("".join(letters)) == _bare(text)


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _bare(text: str) -> str:
    return "".join(text.split())
