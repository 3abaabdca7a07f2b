"""Checks of a description that its types do not express, for `scripts.defs check` and publishing."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from models.kernel.errors import FieldProblem
from queues.channels import account_keys
from queues.channels.email.providers.described.description import Description, Envelope, Fields, Receipt, Rule
from queues.described import checks, limits

_CONTENT = frozenset({"body", "url", "form"})
_KINDS = ("mail", "mail_base64", "fields", "receipt", "ignore")


def problems(description: Description, at: str) -> Iterator[FieldProblem]:
    """Find the problems, each with its place below `at`."""
    yield from _auth(description, f"{at}.auth")
    if description.items is not None:
        yield from checks.path(f"{at}.items", description.items)
    if not description.events or len(description.events) > limits.rules_max:
        yield FieldProblem(f"{at}.events", f"expected 1 to {limits.rules_max} rules")
    for index, rule in enumerate(description.events):
        yield from _rule(rule, f"{at}.events[{index}]")


def _auth(description: Description, at: str) -> Iterator[FieldProblem]:
    auth = description.auth
    yield from checks.unused_keys(auth, auth.kind, at=at)
    if auth.kind not in ("hmac", "rsa"):
        return
    if auth.header is None:
        yield FieldProblem(f"{at}.header", "expected the header that carries the signature")
    yield from checks.signed(auth, at=at, content=_CONTENT)
    if "{form}" in auth.signed and description.body != "form":
        yield FieldProblem(f"{at}.signed", "expected no {form}: the body is JSON")


def _rule(rule: Rule, at: str) -> Iterator[FieldProblem]:
    yield from checks.conditions(f"{at}.when", rule.when)
    chosen = [kind for kind in _KINDS if getattr(rule, kind) is not None]
    if len(chosen) != 1:
        found = " and ".join(chosen) or "none"
        yield FieldProblem(at, f"expected one of {', '.join(_KINDS)}; found {found}")
        return
    yield from checks.optional_expressions(at, rule, ("mail", "mail_base64", "event_key"))
    if rule.ignore is not None and not rule.ignore.strip():
        yield FieldProblem(f"{at}.ignore", "expected the reason that people read")
    if chosen[0] in ("receipt", "ignore"):
        why = f"with `{chosen[0]}`"
        yield from account_keys.unused(rule, of={"envelope"}, used=(), why=why, at=at)
    if rule.envelope is not None:
        yield from _all(rule.envelope, Envelope, f"{at}.envelope")
    if rule.receipt is not None:
        yield from _all(rule.receipt, Receipt, f"{at}.receipt", but=("kind", "permanent"))
    if rule.fields is not None:
        yield from _fields(rule.fields, f"{at}.fields")


def _fields(fields: Fields, at: str) -> Iterator[FieldProblem]:
    yield from _all(fields, Fields, at, but=("headers", "files"))
    if fields.headers is not None:
        yield from checks.path(f"{at}.headers.each", fields.headers.each)
        yield from checks.optional_expressions(f"{at}.headers", fields.headers, ("name", "value"))
    for index, file in enumerate(fields.files):
        place = f"{at}.files[{index}]"
        yield from checks.path(f"{place}.each", file.each)
        yield from checks.optional_expressions(place, file, ("base64", "filename", "content_type", "content_id"))


def _all(
    holder: msgspec.Struct, type_: type[msgspec.Struct], at: str, but: tuple[str, ...] = ()
) -> Iterator[FieldProblem]:
    names = [field.name for field in msgspec.structs.fields(type_) if field.name not in but]
    yield from checks.optional_expressions(at, holder, names)
