"""The reader of a request's body: returns the document that paths look into. Pure and bounded."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from models.kernel.open_json import JsonObject
from queues.described import limits


class Unreadable(ValueError):
    """The bytes are not in the format that the account states; the message is for people."""


def read(raw: bytes, form: str) -> Any:
    """Return the JSON document, or a form's names and values (the last value of a name; a list under `name[]`). Raises
    Unreadable.
    """
    if form == "form":
        return _form(raw)
    try:
        document = json.loads(raw)
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    except ValueError:
        # Broken JSON, invalid UTF-8, or a number of thousands of digits.
        raise Unreadable("the body is not JSON") from None
    if not isinstance(document, dict | list):
        raise Unreadable("the body is not a JSON object or list")
    if _too_deep(document):
        raise Unreadable("the body is nested too deeply")
    return document


def _form(raw: bytes) -> JsonObject:
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            max_num_fields=limits.form_fields_max,
            errors="replace",
        )
    except ValueError:
        # UnicodeDecodeError is a ValueError.
        raise Unreadable("the body is not a form, or has too many fields") from None
    document: JsonObject = {}
    for name, value in pairs:
        if name.endswith("[]"):
            document.setdefault(name, []).append(value)
        else:
            document[name] = value
    return document


def _too_deep(document: Any) -> bool:
    """Check the depth level by level, without recursion."""
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > limits.json_depth_max:
            return True
        following: list[Any] = []
        for one in level:
            values = one.values() if isinstance(one, dict) else one
            following.extend(value for value in values if isinstance(value, dict | list))
        level = following
    return False
