"""`diff` and `draw`."""

from __future__ import annotations

import argparse

from models import migrations
from models.definitions import store
from models.kernel import database
from models.workflow import diff as differing
from models.workflow import draw as drawing
from scripts import _cli, defs
from scripts.defs import finding


def diff(options: argparse.Namespace) -> int:
    """0 when nothing differs, 1 when something does (as diff(1))."""
    published = options.a is None or not (options.a.endswith(".yaml") and (options.b or "").endswith(".yaml"))
    if published:
        _cli.connect("defs", only_look=True)
        migrations.check()
    pairs = []
    with database.connection() if published else _nothing():
        if options.a is None:
            for one in defs.read_all(demo=options.demo):
                before = store.latest(one.kind, one.name)
                pairs.append((f"{one.kind} {one.name}", before.body if before else {}, one.body))
        else:
            name_a, body_a = finding.body_of(options.a)
            name_b, body_b = finding.body_of(options.b) if options.b else _file_for(options.a)
            pairs.append((f"{name_a} -> {name_b}", body_a, body_b))
    found = 0
    for title, before_body, after_body in pairs:
        changes = list(differing.differences(before_body, after_body))
        found += len(changes)
        if changes:
            print(f"{title}: {len(changes)} changes" if before_body else f"{title}: new")
        for change in changes if before_body else ():
            row = f"{change.kind:<8} {change.path:<50} {change.before!r} -> {change.after!r}"
            print(f"  {row if options.table else change.in_words}")
    if not found:
        print("nothing differs")
    return 1 if found else 0


class _nothing:  # noqa: N801 -- stands where a connection would
    def __enter__(self) -> None: ...

    def __exit__(self, *args: object) -> None: ...


def _file_for(word: str) -> tuple[str, dict[str, object]]:
    found = finding.file_of(word.partition("@")[0])
    return str(found.path), found.body


def draw(options: argparse.Namespace) -> int:
    workflow = finding.workflow_of(options.name)
    picture = {"svg": drawing.svg, "mermaid": drawing.mermaid}[options.format](workflow, options.language)
    if options.output is None:
        print(picture, end="")
    else:
        options.output.write_text(picture, encoding="utf-8")
        print(f"wrote {options.output}")
    return 0
