"""`check` and `schema`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.definitions import desk, files
from models.infomodel import definition as infomodel
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.macros import published
from models.publishing import catalogue
from models.workflow import definition as workflows
from models.workflow.analysis import MISSING
from models.workflow.testing import scenarios
from queues import channels
from scripts import defs


def check(options: argparse.Namespace) -> int:
    """Print each finding on a line. Return the exit code: 1 when a finding is an error."""
    found: list[defs.Found] = []
    try:
        found = defs.read_all(demo=options.demo) if not options.paths else _some(options.paths)
    except Invalid as error:
        findings = [{"severity": "error", "place": p.path, "message": p.message} for p in error.problems]
    else:
        findings = list(_weighed(_analysed(found, alone=bool(options.paths)), options.translations))
    failed = any(_fails(one, strict=options.strict) for one in findings)
    if options.json:
        print(json.dumps({"definitions": len(found), "findings": findings}, ensure_ascii=False, indent=2))
    else:
        _print(findings, definitions=len(found), failed=failed)
    return 1 if failed else 0


def _weighed(findings: list[dict[str, str]], translations: str) -> Iterator[dict[str, str]]:
    """Give missing translations the weight that the switch names."""
    for one in findings:
        if one.get("code") != MISSING:
            yield one
        elif translations != "ignore":
            yield one | {"severity": "error" if translations == "error" else "warning"}


def _fails(finding: dict[str, str], *, strict: bool) -> bool:
    return finding["severity"] == "error" or (strict and finding.get("code") != MISSING)


def _print(findings: list[dict[str, str]], *, definitions: int, failed: bool) -> None:
    for one in findings:
        print(f"{one['place']}: {one['severity']}: {one['message']}", file=sys.stderr)
    if not failed:
        print(f"{definitions} definitions are fine" + (f", {len(findings)} warnings" if findings else ""))


def _analysed(found: list[defs.Found], *, alone: bool) -> list[dict[str, str]]:
    """Return the findings of static analysis. `alone`: `found` are a few files of a larger set."""
    around = catalogue.surroundings_of(defs.read_all(demo=True)) if alone else None
    told = [
        {
            "severity": finding.severity,
            "place": defs.place_of(one, finding),
            "message": f"{finding.message} [{finding.code}]",
            "code": finding.code,
        }
        for one, finding in defs.findings(found, around)
    ]
    return told if alone else told + _scenario_problems(defs.root())


def _some(paths: list[Path]) -> list[defs.Found]:
    found, problems = [], []
    for path in paths:
        try:
            one = defs.read_file(
                path.resolve(),
                defs.root() if path.resolve().is_relative_to(defs.root()) else path.resolve().parent,
            )
            found.extend([one] if one is not None else [])
        except Invalid as error:
            problems.extend(error.problems)
    if problems:
        raise Invalid(problems)
    return found


def _scenario_problems(root: Path) -> list[dict[str, str]]:
    problems: list[FieldProblem] = []
    for path in sorted(root.rglob("scenarios.yaml")):
        document = files.load(path, root)
        try:
            scenarios.parse(document.body)
        except Invalid as error:
            problems.extend(document.located(error).problems)
    return [{"severity": "error", "place": p.path, "message": p.message} for p in problems]


def schemas() -> dict[str, JsonObject]:
    """The JSON Schemas of the files, from the code that reads them."""
    of_scenarios = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(scenarios.ScenarioFile),
    }
    workflow = workflows.json_schema()
    # Taken away when the file is read, so no part of the Struct.
    target = workflow["$defs"]["Workflow"]
    target["properties"]["include"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "files whose sections are merged in",
    }
    accounts = {
        f"channel-{name}": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **msgspec.json.schema(channels.get(name).account_type),
        }
        for name in sorted(channels.names())
    }
    return {
        "workflow": workflow,
        "model": infomodel.json_schema(),
        "desk": desk.json_schema(),
        "answers": published.json_schema(),
        "scenarios": of_scenarios,
        **accounts,
    }


def schema(options: argparse.Namespace) -> int:
    """Write the schemas that `# yaml-language-server: $schema=` of the shipped files point to."""
    folder = options.to or defs.root() / "schema"
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in schemas().items():
        (folder / f"{name}.json").write_text(
            json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        print(f"{folder / name}.json")
    return 0
