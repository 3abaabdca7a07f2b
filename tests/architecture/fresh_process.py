"""Fresh processes for the tests of first use: each runs a program and reports what it has loaded."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.architecture.code import REPOSITORY, Module, dotted, within

timeout_s = 120.0

# The imports of a worker before its threads start.
STARTED = """
from queues.processes import preloading; from queues import worker
preloading.preload_runner()
"""
# The imports of the embedded desk before its threads start, and of a worker that has had every kind of task.
PRELOADED = """
from queues.processes import preloading; from queues import worker
preloading.preload()
"""

# Structs are searched for among all objects, not by the means of the program under test.
_TELL = """
import gc, json, sys
import msgspec
from models.kernel import type_info
gc.unfreeze()  # get_objects leaves out what a start has frozen
found = [one for one in gc.get_objects() if isinstance(one, type(msgspec.Struct)) and one is not msgspec.Struct]
ours = [one for one in found if one.__module__.split(".")[0] in ("functions", "models", "queues", "scripts")]
print(json.dumps({
    "structs": sorted(f"{one.__module__}.{one.__qualname__}" for one in ours),
    "missing": sorted(
        f"{one.__module__}.{one.__qualname__}"
        for one in ours
        if not type_info.is_built(one) and not type_info.is_only_encoded(one)
    ),
    "modules": sorted(sys.modules),
    "late": globals().get("late", []),
}))
"""


def told_by(program: str) -> dict[str, list[str]]:
    """Run a program in a fresh process with the production settings and no server; return what it has loaded."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", program + _TELL],
        cwd=REPOSITORY,
        env={
            **kept,
            "SECRET_KEY": "a key of forty-two characters for the test",
            "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/nothing",
            "BROKER_URL": "amqp://nobody:nothing@127.0.0.1:1/nothing",
        },
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def structs_of(module: Module) -> list[str]:
    """The classes of a module that are Structs, by the names of their bases."""
    found: list[str] = []
    known = {"msgspec.Struct", "Struct"}
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and any(dotted(base) in known for base in node.bases):
            found.append(node.name)
            known.add(node.name)
    return found


def imports_in_functions(module: Module) -> Iterator[tuple[int, str]]:
    for function in ast.walk(module.tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from ((node.lineno, alias.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.lineno, node.module
                    if within(node.module, "functions", "models", "queues"):
                        yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
