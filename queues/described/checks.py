"""Checks of a description that its types do not express; each problem with its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

import msgspec

from models.kernel.errors import FieldProblem
from queues.channels import account_keys
from queues.described import paths, texts
from queues.described.vocabulary import Condition, Conditions, Expression, Signing


def signed(signing: Signing, *, at: str, content: frozenset[str] = frozenset({"body"})) -> Iterator[FieldProblem]:
    """Check that the signature covers the parts that the request carries, and only these.

    `content`: the placeholders for the content of the request.
    """
    used = set(re.findall(r"\{([^{}]*)\}", signing.signed))
    known = {*content, "timestamp", "id"}
    for name in sorted(used - known):
        expected = ", ".join(f"{{{one}}}" for one in sorted(known))
        yield FieldProblem(f"{at}.signed", f"expected only {expected}, found {{{name[:40]}}}")
    if "timestamp" in used and not signing.has_timestamp():
        yield FieldProblem(f"{at}.timestamp_header", "expected the header of the {timestamp} that is signed")
    if signing.has_timestamp() and "timestamp" not in used:
        yield FieldProblem(f"{at}.signed", "expected {timestamp} in it: one that is not signed proves nothing")
    if "id" in used and signing.id_header is None:
        yield FieldProblem(f"{at}.id_header", "expected the header of the {id} that is signed")
    if not used & {"body", "form", "timestamp"}:
        yield FieldProblem(
            f"{at}.signed",
            "expected {body} or {timestamp} in it: otherwise one signature is valid for every request, without end",
        )


def unused_keys(signing: Signing, kind: str, *, at: str, also: Collection[str] = ()) -> Iterator[FieldProblem]:
    """Find keys that this kind of authentication does not read. `also`: further keys that it reads."""
    every = {field.name for field in msgspec.structs.fields(type(signing))}
    if kind in ("hmac", "rsa"):
        used = every if "{id}" in signing.signed else every - {"id_header"}
        if signing.pairs is not None and signing.pairs.timestamp is not None:
            used = used - {"timestamp_header"}
        if kind == "rsa":
            used = used - {"key_format"}
        yield from account_keys.unused(signing, of=every, used=used, why="by these `signed` and `pairs`", at=at)
        return
    used = {"kind", *also}
    if kind != "none_but_path":
        used |= {"header"} if signing.header is None else {"header", "prefix"}
    yield from account_keys.unused(signing, of=every, used=used, why=f"by {kind}", at=at)


def optional_expressions(at: str, holder: msgspec.Struct, names: Iterable[str]) -> Iterator[FieldProblem]:
    """Check the expressions that a struct has under these names."""
    for name in names:
        found = getattr(holder, name)
        if found is not None:
            yield from expression(f"{at}.{name}", found)


def expression(at: str, found: Expression) -> Iterator[FieldProblem]:
    """Check a path, a text with placeholders, or a list of these."""
    many = found if isinstance(found, list) else [found]
    if not many:
        yield FieldProblem(at, "expected at least one")
    for index, text in enumerate(many):
        place = at if isinstance(found, str) else f"{at}[{index}]"
        if text.startswith("$"):
            yield from path(place, text)
        else:
            yield from template(place, text, frozenset())


def template(at: str, text: str, known: frozenset[str]) -> Iterator[FieldProblem]:
    """Check the placeholders of a text: paths, or the names in `known`."""
    try:
        asked = texts.names(text)
    except texts.BadText as error:
        yield FieldProblem(at, str(error))
        return
    for source in sorted(asked):
        if known and source not in known:
            yield FieldProblem(at, f"there is no value {source!r}; expected one of {', '.join(sorted(known))}")
        elif not known and not source.startswith("$"):
            yield FieldProblem(at, f"{{{{ {source} }}}}: expected a path such as $.text")


def path(at: str, text: str) -> Iterator[FieldProblem]:
    """Check a path."""
    try:
        paths.read(text)
    except paths.BadPath as error:
        yield FieldProblem(at, str(error))


def conditions(at: str, found: Conditions) -> Iterator[FieldProblem]:
    """Check the paths and the comparisons of conditions."""
    for where, condition in found.items():
        yield from path(f"{at}.{where}", where)
        if isinstance(condition, Condition) and all(
            one is msgspec.UNSET for one in (condition.equals, condition.isin, condition.exists)
        ):
            yield FieldProblem(f"{at}.{where}", "expected equals, in or exists")
