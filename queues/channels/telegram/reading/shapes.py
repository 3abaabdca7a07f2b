"""Look into what a stranger's JSON may hold, without ever being surprised: a member of another type counts as missing.

The Bot API's own clients trust the documented types; older servers, other programs and attackers do not keep to them.
"""

from __future__ import annotations

from typing import Any

from models.kernel.text import one_line

Json = dict[str, Any]

_ID_MAX = 2**63  # the Bot API's ids fit 52 bits; a larger one is not Telegram's


def is_id(value: object) -> bool:
    """Whether it is a whole number of a size that Telegram uses (JSON knows longer ones)."""
    return isinstance(value, int) and not isinstance(value, bool) and -_ID_MAX < value < _ID_MAX


def identifier(value: Json, name: str) -> int | None:
    """The member that is a whole number."""
    found = value.get(name)
    return found if isinstance(found, int) and is_id(found) else None


def member(value: object, *path: str) -> Json:
    """The object at the end of the path; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Json, name: str, most: int) -> list[Json]:
    """The objects of a list, at most `most`."""
    found = value.get(name)
    return [item for item in found[:most] if isinstance(item, dict)] if isinstance(found, list) else []


def line(value: Json, name: str, chars_max: int = 200) -> str:
    """The member that is text or a number, as one storable line; empty where it is something else."""
    found = value.get(name)
    if isinstance(found, str):
        return one_line(found, chars_max)
    if is_id(found) or isinstance(found, float):
        return str(found)
    return ""


def lines(value: Json, *names: str, chars_max: int = 300) -> str:
    """Several members as one line, with blanks between."""
    words = [line(value, name, chars_max) for name in names]
    return one_line(" ".join(filter(None, words)), chars_max)


def is_true(value: Json, name: str) -> bool:
    return value.get(name) is True


def kind_of(value: object) -> str:
    """What it is, in words for people."""
    kinds = {list: "a list", str: "text", type(None): "null", dict: "an object"}
    return kinds.get(type(value), "a plain value")
