"""The conversion of a text with Telegram's entities to HTML.

Offsets count UTF-16 code units. Entities may nest. Untrusted ones may overlap, lie outside the text or be malformed.
The text is always complete and the tags are always balanced.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import urlsplit

from models.kernel import limits
from queues.channels.telegram.reading.shapes import Json, identifier, member

# From this code point on, a character is two UTF-16 units.
_WIDE = 0x10000
_SCHEMES = frozenset({"http", "https", "mailto", "tg"})
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,40}")
# 9999-12-31, the last day of datetime.
_LAST_SECOND = 253_402_300_799

Kind = Literal["b", "i", "u", "s", "span", "code", "pre", "blockquote", "a", "time"]
_TAGS: dict[str, Kind] = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "spoiler": "span",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
    "text_link": "a",
    "text_mention": "a",
    "url": "a",
    "email": "a",
    "date_time": "time",
}
# A block contains an inline mark over the same text, never the other way round.
_OUTERMOST = ("blockquote", "pre", "a")


@dataclass(frozen=True, slots=True)
class Span:
    """A mark over `text[start:end]` (in characters).

    `value`: a link's address, a program text's language, an instant.
    """

    start: int
    end: int
    tag: Kind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text: the marks that begin before it (outermost first), and those that end after it."""

    opened: tuple[Span, ...]
    text: str
    closed: tuple[Span, ...]
    in_pre: bool


def spans(text: str, entities: object) -> list[Span]:
    """Return the marks that can be shown, sorted; leaves out what is not an entity of this text."""
    known = entities[: limits.telegram_entities_read_max] if isinstance(entities, list) else []
    wanted = [(edges, entity) for entity in known if (edges := _edges(entity)) is not None]
    places = _places(text, sorted({edge for edges, _ in wanted for edge in edges}))
    found = [_span(text, places[start], places[end], entity) for (start, end), entity in wanted]
    return sorted(
        _joined([span for span in found if span is not None]),
        key=lambda one: (one.start, -one.end, _rank(one.tag)),
    )


def _edges(entity: object) -> tuple[int, int] | None:
    """Return the UTF-16 offsets at which the entity begins and ends; None for what is not an entity."""
    if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
        return None
    offset, length = identifier(entity, "offset"), identifier(entity, "length")
    if offset is None or length is None or offset < 0 or length <= 0:
        return None
    return offset, offset + length


def _joined(found: list[Span]) -> list[Span]:
    """Join overlapping marks of one kind; two quotations that only touch stay two."""
    joined: list[Span] = []
    last: dict[tuple[str, str], int] = {}
    for span in sorted(found, key=lambda one: one.start):
        at = last.get((span.tag, span.value))
        if at is not None and span.start < joined[at].end:
            joined[at] = replace(joined[at], end=max(joined[at].end, span.end))
            continue
        last[span.tag, span.value] = len(joined)
        joined.append(span)
    return joined


def moved(entities: object, by_units: int) -> list[Json]:
    """Shift the entities of a text whose beginning moves; an entity before the beginning is shortened or left out."""
    found = []
    for entity in entities[: limits.telegram_entities_read_max] if isinstance(entities, list) else []:
        if not isinstance(entity, dict):
            continue
        offset, length = identifier(entity, "offset"), identifier(entity, "length")
        if offset is None or length is None or offset < 0:
            continue
        start, end = max(offset + by_units, 0), offset + by_units + length
        if end > start:
            found.append({**entity, "offset": start, "length": end - start})
    return found


def _rank(tag: Kind) -> int:
    return _OUTERMOST.index(tag) if tag in _OUTERMOST else len(_OUTERMOST)


def _places(text: str, edges: Sequence[int]) -> dict[int, int]:
    """Convert ascending UTF-16 offsets to character indexes; an offset inside a character or a line end moves behind
    it.
    """
    places = {}
    index = units = 0
    for edge in edges:
        while units < edge and index < len(text):
            units += 2 if ord(text[index]) >= _WIDE else 1
            index += 1
        behind = 0 < index < len(text) and text[index] == "\n" and text[index - 1] == "\r"
        places[edge] = index + 1 if behind else index
    return places


def _span(text: str, start: int, end: int, entity: Json) -> Span | None:
    tag = _TAGS.get(entity["type"])
    if tag is None or start >= end:
        return None
    value = _value(tag, text[start:end], entity)
    return None if value is None else Span(start, end, tag, value)


def _value(tag: Kind, shown: str, entity: Json) -> str | None:
    """Return a mark's value, which may be empty; None for a mark that cannot be shown without a value."""
    match tag:
        case "a":
            return _address(entity["type"], shown, entity) or None
        case "pre":
            language = entity.get("language")
            return language if isinstance(language, str) and _LANGUAGE.fullmatch(language) else ""
        case "time":
            return _instant(entity)
        case _:
            return "expandable" if entity["type"] == "expandable_blockquote" else ""


def _instant(entity: Json) -> str | None:
    at_s = identifier(entity, "unix_time")
    if at_s is None or not 0 <= at_s <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def _address(kind: str, shown: str, entity: Json) -> str:
    """Return a link's address; empty when it is not safe to follow."""
    if kind == "text_mention":
        user = identifier(member(entity, "user"), "id")
        return "" if user is None else f"tg://user?id={user}"
    if kind == "email":
        return safe_url(f"mailto:{shown}")
    url: Any = entity.get("url") if kind == "text_link" else shown
    if not isinstance(url, str):
        return ""
    return safe_url(url) or (safe_url(f"https://{url}") if kind == "url" and ":" not in url.split("/")[0] else "")


def safe_url(url: str) -> str:
    """Return the address if its scheme is http, https, mailto or tg and it has no blanks or control characters; else
    empty.
    """
    url = url.strip()
    if len(url) > limits.telegram_url_chars_max or re.search(r"[\x00-\x20\x7f-\xa0\ud800-\udfff]", url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        # A malformed IPv6 host.
        return ""
    return url if parts.scheme.lower() in _SCHEMES and (parts.netloc or parts.path) else ""


def pieces(text: str, marks: Sequence[Span]) -> Iterator[Piece]:
    """Cut the text at every edge of the marks. Overlapping marks end and begin again, so that they nest.

    At most `limits.telegram_entity_depth_max` marks are open at once; a mark inside more of them is left out.
    """
    edges = sorted({edge for span in marks for edge in (span.start, span.end)} | {0, len(text)})
    waiting = list(reversed(marks))
    open_spans: list[Span] = []
    reopened: list[Span] = []
    for start, end in pairwise(edges):
        opened = [*reopened, *_opened(waiting, open_spans, start)]
        first = next((at for at, span in enumerate(open_spans) if span.end <= end), len(open_spans))
        closed = tuple(reversed(open_spans[first:]))
        reopened = [span for span in open_spans[first:] if span.end > end]
        in_pre = any(span.tag == "pre" for span in open_spans)
        yield Piece(tuple(opened), text[start:end], closed, in_pre)
        open_spans = open_spans[:first] + reopened


def _opened(waiting: list[Span], open_spans: list[Span], start: int) -> Iterator[Span]:
    """Move the marks that begin at `start` from `waiting` to `open_spans`, as far as they fit, and yield them."""
    while waiting and waiting[-1].start <= start:
        span = waiting.pop()
        if _fits(span, open_spans):
            open_spans.append(span)
            yield span


def _fits(span: Span, open_spans: Sequence[Span]) -> bool:
    if len(open_spans) >= limits.telegram_entity_depth_max:
        return False
    # A link in a link, or a quotation in a quotation, is shown once.
    return all(other.tag != span.tag for other in open_spans)


def to_html(text: str, entities: object) -> str | None:
    """Return the text as safe HTML; None when no entity changes its look. Without its tags, the HTML is the text.

    Linear in the text. Every attribute is ours or checked; everything else is escaped.
    """
    marks = spans(text, entities)
    if not marks:
        return None
    parts = []
    for piece in pieces(text, marks):
        parts += [_begin(span) for span in piece.opened]
        escaped = html.escape(piece.text, quote=True)
        parts.append(escaped if piece.in_pre else escaped.replace("\n", "<br>\n"))
        parts += [_end(span) for span in piece.closed]
    return "".join(parts)


def _begin(span: Span) -> str:
    value = html.escape(span.value, quote=True)
    match span.tag:
        case "a":
            return f'<a href="{value}" rel="noopener noreferrer nofollow">'
        case "pre":
            return f'<pre><code class="language-{value}">' if value else "<pre>"
        case "time":
            return f'<time datetime="{value}">'
        case "span":
            return '<span class="spoiler">'
        case "blockquote" if value:
            return '<blockquote class="expandable">'
        case tag:
            return f"<{tag}>"


def _end(span: Span) -> str:
    return "</code></pre>" if span.tag == "pre" and span.value else f"</{span.tag}>"
