"""A docstring begins with a verb or a noun. A clause for a head ("Whether ...") leaves out who does what."""

from __future__ import annotations

import ast
import re

from tests.architecture.code import modules

_CLAUSE = re.compile(
    r"^(Whether|Who|What|How|Where|When|Which|Why|For|If|Of|To|By|From|Because|As|Everything that|Nothing)\s"
)


def test_no_docstring_begins_with_a_clause() -> None:
    found = [
        (module, node)
        for module in modules("models", "queues", "functions", "scripts")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
    ]

    assert len(found) > 1_000, "the test finds the docstrings"
    assert [
        f"{module.at(getattr(node, 'lineno', 1))} {(ast.get_docstring(node) or '').splitlines()[0][:60]}"
        for module, node in found
        if _CLAUSE.match(ast.get_docstring(node) or "")
    ] == []
