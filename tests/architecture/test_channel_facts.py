"""The domain decides by facts that a channel declares, never by a channel's name; each process registers these facts.

A comparison with a name is a place that a new channel would have to edit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from queues import channels
from tests.architecture.code import Module, dotted, modules, within

NAMES = channels.names()
_NAMED_IN_SQL = re.compile(r"channel\s*(?:=|<>|IN)\s*\(?\s*'(" + "|".join(NAMES) + ")'")
# Functions that take a channel as their first argument.
_TAKE_A_CHANNEL = {
    "find",
    "at_path",
    "is_ours",
    "default_for",
    "require_default",
    "find_or_create",
    "normalise_address",
    "capabilities",
    "of",
}
ENTRIES = ("queues.worker", "queues.scheduler", "queues.embedded")


def outside_of_channels() -> Iterator[Module]:
    """The modules of the domain. The sandbox is none of them: it plays the providers of two channels, in the demo."""
    for module in modules("models", "functions", "queues"):
        if not within(module.name, "functions.console.sandbox", *(f"queues.channels.{name}" for name in NAMES)):
            yield module


def named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each place that names a channel: a comparison, an argument, an annotation, a statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(dotted(side).endswith("channel") or _subscripts_channel(side) for side in sides):
                yield from ((node.lineno, name) for side in sides for name in _names_in(side))
        elif isinstance(node, ast.Call) and node.args and dotted(node.func).rpartition(".")[2] in _TAKE_A_CHANNEL:
            yield from ((node.lineno, name) for name in _names_in(node.args[0]))
        elif isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            target = dotted(node.target) if isinstance(node, ast.AnnAssign) else node.arg
            if target.endswith("channel"):
                yield from ((node.lineno, name) for name in _names_in(node.annotation))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (found := _NAMED_IN_SQL.search(node.value))
        ):
            yield node.lineno, found[1]


def _subscripts_channel(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "channel"


def _names_in(node: ast.expr) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and one.value in NAMES]


def test_nothing_outside_of_a_channels_folder_decides_by_its_name() -> None:
    found = [f"{module.at(line)} names {name}" for module in outside_of_channels() for line, name in named(module.tree)]

    assert found == []


def test_the_search_sees_each_kind_of_place() -> None:
    samples = (
        'if account.channel == "email": pass',
        'wanted = row["channel"] in ("telegram", "email")',
        'accounts.default_for("telegram")',
        'class New:\n    channel: Literal["email", "webhook"]',
        "database.run(\"SELECT 1 FROM messages WHERE channel = 'email'\")",
    )

    assert [sample for sample in samples if not list(named(ast.parse(sample)))] == []


def _reached(start: str, imported: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            # An import of a.b.c imports a and a.b as well.
            parents = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
            waiting.extend((imported[name] | parents) & imported.keys())
    return reached


def test_every_process_that_asks_for_facts_registers_the_channels() -> None:
    """`queues.channels` registers them when it is imported; without it the first question would raise."""
    imported = {module.name: {name for _, name in module.imports()} for module in modules()}
    entries = [
        name
        for name in imported
        if name in ENTRIES or name.endswith(".__main__") or re.fullmatch(r"functions\.\w+\.app", name)
    ]
    entries += [module.name for module in modules("scripts") if "__name__ ==" in module.text]

    reached = {name: _reached(name, imported) for name in entries}

    assert len(reached) > 10
    asking = [name for name, found in reached.items() if "models.ports.channel_facts" in found]
    assert asking
    assert [name for name in asking if "queues.channels" not in reached[name]] == []
