"""`diff` and `draw`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from models import migrations
from models.definitions import store
from models.kernel.storage import database
from models.workflow import diff as differing
from models.workflow import draw as drawing
from scripts import _cli, defs
from scripts.defs import finding


def diff(options: argparse.Namespace) -> int:
    """Print the differences. Exit code as diff(1): 0 without differences, 1 with."""
    published = options.a is None or not (options.a.endswith(".yaml") and (options.b or "").endswith(".yaml"))
    if published:
        _cli.connect("defs", only_look=True)
        migrations.check()
    with database.connection() if published else _nothing():
        pairs = _two(options.a, options.b) if options.a is not None else _all_files(demo=options.demo)
    found = sum(_print_changes(*pair, table=options.table) for pair in pairs)
    if not found:
        print("nothing differs")
    return 1 if found else 0


Pair = tuple[str, Mapping[str, Any], Mapping[str, Any]]  # a title, the definition before and after


def _all_files(*, demo: bool) -> list[Pair]:
    pairs: list[Pair] = []
    for one in defs.read_all(demo=demo):
        before = store.latest(one.kind, one.name)
        pairs.append((f"{one.kind} {one.name}", before.body if before else {}, one.body))
    return pairs


def _two(a: str, b: str | None) -> list[Pair]:
    name_a, body_a = finding.body_of(a)
    name_b, body_b = finding.body_of(b) if b else _file_for(a)
    return [(f"{name_a} -> {name_b}", body_a, body_b)]


def _print_changes(title: str, before: Mapping[str, Any], after: Mapping[str, Any], *, table: bool) -> int:
    """Print the differences of one definition; returns their number."""
    changes = list(differing.differences(before, after))
    if changes:
        print(f"{title}: {len(changes)} changes" if before else f"{title}: new")
    for change in changes if before else ():
        row = f"{change.kind:<8} {change.path:<50} {change.before!r} -> {change.after!r}"
        print(f"  {row if table else change.in_words}")
    return len(changes)


class _nothing:  # noqa: N801 -- used in place of a connection
    def __enter__(self) -> None: ...

    def __exit__(self, *args: object) -> None: ...


def _file_for(word: str) -> tuple[str, dict[str, object]]:
    found = finding.file_of(word.partition("@")[0])
    return str(found.path), found.body


def draw(options: argparse.Namespace) -> int:
    workflow = finding.workflow_of(options.name)
    language = options.language or defs.desk_of(defs.root()).fallback
    picture = {"svg": drawing.svg, "mermaid": drawing.mermaid}[options.format](workflow, language)
    if options.output is None:
        print(picture, end="")
    else:
        options.output.write_text(picture, encoding="utf-8")
        print(f"wrote {options.output}")
    return 0
