"""`test`: run the scenario files."""

from __future__ import annotations

import argparse

from models.definitions import files
from models.kernel.errors import NotFound
from models.publishing import catalogue
from models.workflow import definition
from models.workflow.testing import scenarios
from scripts import defs


def test(options: argparse.Namespace) -> int:
    """Run the scenarios and print each with its failures. Exit code 1 when one failed."""
    found = defs.read_all(demo=True)
    around = catalogue.surroundings_of(found)
    workflows = {one.name: one for one in found if one.kind == "workflow"}
    for name in options.names:
        if name not in workflows:
            raise NotFound(f"there is no life cycle {name!r}; there are {', '.join(sorted(workflows))}")
    passed = failed = 0
    for name in options.names or sorted(workflows):
        path = workflows[name].path.parent / "scenarios.yaml"
        if not path.is_file():
            print(f"{name}: no scenarios")
            continue
        document = files.load(path, defs.root())
        workflow, scenes = definition.read(workflows[name].body), scenarios.parse(document.body)
        for result in scenarios.run(workflow, scenes, around.types, around.desk):
            passed, failed = passed + result.passed, failed + (not result.passed)
            _print_result(name, result)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _print_result(name: str, result: scenarios.Result) -> None:
    print(f"{'ok  ' if result.passed else 'FAIL'} {name}: {result.case}")
    for failure in result.failures:
        what = f"step {failure.step}: {failure.what}"
        print(f"       {what}: expected {failure.expected!r}, found {failure.found!r}")
