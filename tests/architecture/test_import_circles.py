"""Import circles: two threads that enter one at different places block each other."""

from __future__ import annotations

import ast

from tests.architecture.code import Module, modules, within

# Modules that import each other. Everyone outside enters through the package, which is one entry, so threads cannot
# block each other.
ONE_ENTRY = ("models.workflow.analysis", "queues.channels.email.providers")


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    """Functions import some modules in requests' threads. Two threads that enter a circle at different places block
    each other.
    """
    graph = {module.name: at_import(module) for module in modules("functions", "queues", "models")}

    circles = [circle for circle in circles_of(graph) if not any(within(circle[0], one) for one in ONE_ENTRY)]

    assert circles == []


def test_a_package_that_is_a_circle_is_entered_by_its_name_only() -> None:
    """From outside, `from models.workflow import analysis`, never one of its modules; a package under `imports.load`
    may be.
    """
    package = ONE_ENTRY[0]
    names = {module.name for module in modules("models") if within(module.name, package)}

    entered = [
        f"{module.at(line)} imports {name}"
        for module in modules("functions", "queues", "models")
        if not within(module.name, package)
        for line, name in module.imports()
        if name in names and name != package
    ]

    assert entered == []


def at_import(module: Module) -> set[str]:
    """The modules of ours that are imported when the module is; its package comes first."""
    known = {one.name for one in modules("functions", "queues", "models")}
    found: set[str] = {module.name.rpartition(".")[0]}
    waiting: list[ast.AST] = [module.tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                continue
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            waiting.append(node)
    return (found & known) - {module.name}


def circles_of(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that reach each other."""
    reaches = {name: reached_from(graph, name) for name in graph}
    found = {
        tuple(sorted(other for other in reaches[name] if name in reaches[other]))
        for name in graph
        if name in reaches[name]
    }
    return [list(circle) for circle in sorted(found)]


def reached_from(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(graph.get(name, ()))
    return found
