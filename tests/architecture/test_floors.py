"""The areas of models/ stand on floors, so that each can be read, tested and changed without those above it."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import pytest

from models.kernel.storage.table import Table
from tests.architecture.code import Module, modules
from tests.architecture.floors import FLOORS, FOREIGN_TABLES

FLOOR_OF = {area: number for number, areas in enumerate(FLOORS, 1) for area in areas}
NAMES = {module.name for module in modules("models")}


def area_of(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def imported(module: Module) -> Iterator[tuple[int, str]]:
    """Line and name of every module of models/ that a module imports, also inside functions."""
    return (
        (line, name)
        for line, name in module.imports()
        if name in NAMES and name != module.name and not module.name.startswith(f"{name}.")
    )


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """The names on a circle of imports; empty when there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_every_area_stands_on_one_floor() -> None:
    assert sorted(FLOOR_OF) == sorted({area_of(name) for name in NAMES} - {""})
    assert sum(map(len, FLOORS)) == len(FLOOR_OF)


def test_an_area_imports_only_areas_of_lower_floors() -> None:
    """An arrow up or sideways closes a circle sooner or later, and then no area can be understood
    without all others.
    """
    upward = [
        f"{module.at(line)} ({area_of(module.name)}, floor {FLOOR_OF[area_of(module.name)]}) imports {name}"
        for module in modules("models")
        for line, name in imported(module)
        if area_of(name)
        and area_of(name) != area_of(module.name)
        and FLOOR_OF[area_of(name)] >= FLOOR_OF[area_of(module.name)]
    ]

    assert upward == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and for type checkers count: they hide a circle, they do not remove it."""
    assert circle({module.name: {name for _, name in imported(module)} for module in modules("models")}) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def inside_functions(module: Module) -> Iterator[ast.Import | ast.ImportFrom]:
    for function in ast.walk(module.tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield node


def test_an_import_inside_a_function_says_why() -> None:
    """Such an import saves time at a cold start, or it hides something. The comment on its line or above says which."""
    silent = []
    for module in modules("models"):
        lines = module.text.splitlines()
        for node in inside_functions(module):
            if not any("#" in line for line in lines[node.lineno - 2 : node.end_lineno]):
                silent.append(module.at(node.lineno))

    assert silent == []


_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:ONLY\s+)?(\w+)")


def tables_named(module: Module) -> Iterator[tuple[int, str]]:
    """Line and table of every statement, and of every row that is written through a batch."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, table) for table in _TABLE.findall(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = node.args[0] if node.args else None
            if node.func.attr in ("insert", "insert_selected") and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value)


@pytest.fixture(scope="module")
def owner_of() -> dict[str, str]:
    for module in modules("models"):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)
    owners = {str(model._meta.table_name): area_of(model.__module__) for model in Table.__subclasses__()}
    assert len(owners) > 40
    return owners


def test_no_statement_names_another_areas_table(owner_of: dict[str, str]) -> None:
    """A table that two areas write has no invariants: neither area can hold them. The list of
    exceptions only shrinks.
    """
    foreign = {
        (area_of(module.name), table): module.at(line)
        for module in modules("models")
        if area_of(module.name) not in ("", "migrations")
        for line, table in tables_named(module)
        if table in owner_of and owner_of[table] != area_of(module.name)
    }

    listed = {(area, table) for area, tables in FOREIGN_TABLES.items() for table in tables}

    assert {pair: place for pair, place in foreign.items() if pair not in listed} == {}
    assert listed - foreign.keys() == set(), "remove these: no statement needs them any more"
