"""Decode the body and the query of a request into the declared types; errors name the place and the expectation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import falcon
import msgspec

from functions.http import choices, values
from functions.http.operations import Operation
from models.kernel.errors import BadRequest, FieldProblem, Invalid, UnsupportedMediaType
from models.kernel.open_json import JsonObject

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLACE = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")


def decode(req: falcon.Request, operation: Operation, raw: bytes) -> Any:
    """The JSON body as the type of the operation.

    Raises UnsupportedMediaType, BadRequest for invalid JSON, or Invalid with the place of a wrong value.
    """
    assert operation.body is not None
    media_type = (req.content_type or "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(f"Content-Type: expected application/json, found {media_type or 'none'}"[:200])
    try:
        _refuse_repeated_members(raw)
        body = msgspec.json.decode(raw, type=operation.body)
    except msgspec.ValidationError as error:
        raise invalid(error, operation.body) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadRequest(f"The request body is not valid JSON: {error}"[:300]) from error
    values.settle(body)
    return body


def _refuse_repeated_members(raw: bytes) -> None:
    """Raise BadRequest for an object with two members of one name.

    Parsers disagree about which of the two counts (RFC 8259, section 4), so a proxy that checks a request could read
    another value than the desk. Some 10 us for a body of 300 bytes.
    """
    json.loads(raw, object_pairs_hook=_members)


def _members(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) < 2:
        return
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise BadRequest(f"The request body is ambiguous: the member {name[:80]!r} occurs twice in one object.")
        seen.add(name)


_PATTERN = re.compile(r"^Expected `str` matching regex (?P<pattern>.*)$", re.DOTALL)
_meanings: dict[str, str] = {}


def explain_pattern(pattern: str, meaning: str) -> str:
    """Register the message of a pattern (`expected ...`), which errors give instead of the pattern; returns the
    pattern.
    """
    _meanings[repr(pattern)] = meaning
    return pattern


def invalid(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> Invalid:
    """The problem of a msgspec error: its place as a JSON Pointer, and the expectation. `kind`: the expected type."""
    text = str(error)
    match = _PLACE.search(text)
    message = text[: match.start()] if match else text
    path = match[1] if match else ""
    asked = _PATTERN.match(message)
    if asked is not None and asked["pattern"] in _meanings:
        message = _meanings[asked["pattern"]]
    place = re.sub(r"\.|\[(\d+|\.\.\.)\]", lambda m: "/" + (m[1] or ""), path)
    wrong = _WRONG_CHOICE.match(message)
    if wrong is not None and (known := choices.at(kind, place)):
        message = f"expected one of {', '.join(map(str, known))}, found {wrong[1][:80]}"
    return Invalid([FieldProblem(place, message)])


# What msgspec says of a value that is none of an enum or a Literal.
_WRONG_CHOICE = re.compile(r"^Invalid enum value (.*)$", re.DOTALL)


def query(req: falcon.Request, kind: type[msgspec.Struct]) -> Any:
    """The query parameters as the operation's type. Raises Invalid.

    Strings become numbers, booleans, or lists (a repeated parameter, or values separated by commas). A mapping is
    written as one parameter a member: `field.<name>`.
    """
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    given: JsonObject = {}
    for name, value in req.params.items():
        owner, dot, member = name.partition(".")
        if dot and owner in fields and _is_mapping(fields[owner].type):
            given.setdefault(owner, {})[member] = _listed(value)
        else:
            given[name] = _given(name, value, fields)
    try:
        wanted = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        problem = invalid(error, kind).problems[0]
        raise Invalid([FieldProblem("?" + problem.path.lstrip("/"), problem.message)]) from error
    for name in given:
        member = fields[name].name  # `in` is a word of Python: a parameter may have another name in the code
        if getattr(wanted, member) is None:
            # msgspec reads the word null as None. A mistaken filter must not match everything.
            raise Invalid([FieldProblem(f"?{name}", "expected a value; leave the parameter out instead of null")])
        values.settle_member(wanted, member, f"?{name}")
    return wanted


def _given(name: str, value: str | list[str], fields: Mapping[str, Any]) -> str | list[str]:
    """One parameter as text, or as a list of texts where the type is a list. Raises Invalid."""
    if name not in fields:
        known = ", ".join(sorted(fields))
        raise Invalid([FieldProblem(f"?{name}"[:80], f"unknown parameter; expected one of {known}")])
    texts = value if isinstance(value, list) else [value]
    kind = fields[name].type
    if _is_list(kind):
        return _listed(value)
    if _is_mapping(kind):
        raise Invalid([FieldProblem(f"?{name}", f"expected a parameter such as {name}.department")])
    if len(texts) > 1:
        raise Invalid([FieldProblem(f"?{name}", f"expected one value, found {len(texts)}")])
    if "datetime" in str(kind) and not _DATE.match(texts[0]):
        # msgspec reads a number as seconds since 1970.
        raise Invalid([FieldProblem(f"?{name}", "expected a time such as 2026-01-31T09:00:00Z")])
    return texts[0]


def _listed(value: str | list[str]) -> list[str]:
    """The values of a repeated parameter, or of one whose values are separated by commas."""
    return [part for text in ([value] if isinstance(value, str) else value) for part in text.split(",") if part]


def _bare(kind: Any) -> str:
    """The text of a type without its constraints (Annotated)."""
    return str(getattr(kind, "__origin__", kind) if hasattr(kind, "__metadata__") else kind)


def _is_list(kind: Any) -> bool:
    return _bare(kind).startswith(("list[", "typing.List["))


def _is_mapping(kind: Any) -> bool:
    """Return True for a parameter whose members are parameters of their own: `field.<name>`."""
    return _bare(kind).startswith("dict[")
