"""Access to untrusted JSON: a member of an unexpected type counts as missing.

Older servers, other programs and attackers send other types than the Bot API documents.
"""

from __future__ import annotations

from models.kernel.open_json import JsonObject
from models.kernel.text import one_line

Json = JsonObject

# Ids of the Bot API fit 52 bits (https://core.telegram.org/bots/api#user).
_ID_MAX = 2**63


def is_id(value: object) -> bool:
    """Return True if the value is an integer that fits 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and -_ID_MAX < value < _ID_MAX


def identifier(value: Json, name: str) -> int | None:
    """Return the member if it is an integer."""
    found = value.get(name)
    return found if isinstance(found, int) and is_id(found) else None


def member(value: object, *path: str) -> Json:
    """Return the object at the end of the path; empty if there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Json, name: str, most: int) -> list[Json]:
    """Return the first objects of a list, at most `most`."""
    found = value.get(name)
    return [item for item in found[:most] if isinstance(item, dict)] if isinstance(found, list) else []


def line(value: Json, name: str, chars_max: int = 200) -> str:
    """Return a text or number as one storable line; empty for other types."""
    found = value.get(name)
    if isinstance(found, str):
        return one_line(found, chars_max)
    if is_id(found) or isinstance(found, float):
        return str(found)
    return ""


def lines(value: Json, *names: str, chars_max: int = 300) -> str:
    """Join several members with spaces into one line."""
    words = [line(value, name, chars_max) for name in names]
    return one_line(" ".join(filter(None, words)), chars_max)


def is_true(value: Json, name: str) -> bool:
    return value.get(name) is True


def kind_of(value: object) -> str:
    """Return the type of the value in words."""
    kinds = {list: "a list", str: "text", type(None): "null", dict: "an object"}
    return kinds.get(type(value), "a plain value")
