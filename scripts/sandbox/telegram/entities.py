"""Text and its entities, measured and checked as the Bot API does: offsets count UTF-16 code units.

The real server refuses unbalanced HTML with a text that names the byte; a sender must react to it by
sending plain text, so the sandbox refuses it too.
"""

import html
import re
from typing import Any

from scripts.sandbox import limits
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_request import bad_request

Entity = JsonObject

_HTML_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "blockquote": "blockquote",
}
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s[^<>]*)?)>")
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")
_NAMED = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")


def utf16_units(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff") if not text.isascii() else len(text)


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Plain text and entities of HTML-mode text; raises ApiError with the real server's words."""
    pieces: list[str] = []
    units = 0
    entities: list[Entity] = []
    open_tags: list[tuple[str, Entity]] = []
    position = 0
    for part in re.split(r"(?=<)", source):
        byte_offset = len(source[:position].encode("utf-8", "replace"))
        position += len(part)
        rest = part
        if part.startswith("<"):
            tag = _TAG.match(part)
            if tag is None:
                raise _unparsable(f'Unsupported start tag "" at byte offset {byte_offset}')
            rest = part[tag.end() :]
            name = tag[2].lower()
            if tag[1]:
                if not open_tags or open_tags[-1][0] != name:
                    raise _unparsable(f"Unmatched end tag at byte offset {byte_offset}")
                entity = open_tags.pop()[1]
                entity["length"] = units - entity["offset"]
                if entity["length"]:
                    entities.append(entity)
            elif name not in _HTML_TYPES:
                raise _unparsable(f'Unsupported start tag "{name}" at byte offset {byte_offset}')
            else:
                open_tags.append((name, _opened(name, tag[3], units)))
        plain = _NAMED.sub(lambda match: html.unescape(match[0]), rest)
        pieces.append(plain)
        units += utf16_units(plain)
    if open_tags:
        end = len(source.encode("utf-8", "replace"))
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}" at byte offset {end}')
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return "".join(pieces), entities


def _opened(name: str, attributes: str, offset: int) -> Entity:
    entity: Entity = {"type": _HTML_TYPES[name], "offset": offset, "length": 0}
    href = _HREF.search(attributes) if name == "a" else None
    if href is not None:
        entity["url"] = html.unescape(href[1] or href[2] or href[3] or "")
    elif name == "a":
        entity["type"] = "url"
    return entity


def _unparsable(detail: str) -> Exception:
    return bad_request(f"can't parse entities: {detail}")


def checked_entities(value: list[Any], text: str) -> list[Entity]:
    """Entities inside the text; malformed ones are refused, the rest dropped as the real server does."""
    units = utf16_units(text)
    kept: list[Entity] = []
    for entity in value[: limits.ENTITIES_MAX]:
        if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
            raise bad_request("can't parse MessageEntity: expected an object with a type")
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int):
            raise bad_request("can't parse MessageEntity: offset and length must be integers")
        if offset >= 0 and length > 0 and offset + length <= units:
            kept.append(entity)
    return kept


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """The text without white space around it, entities moved along."""
    without_head = text.lstrip()
    shift = utf16_units(text) - utf16_units(without_head)
    result = without_head.rstrip()
    moved = [{**entity, "offset": entity["offset"] - shift} for entity in entities] if shift else entities
    return result, [entity for entity in moved if 0 <= entity["offset"] < utf16_units(result)]
