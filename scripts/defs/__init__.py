"""Definitions: read the files of a folder, check them together, and hand them to `models.definitions`.

The folder is DEFINITIONS_DIR, else the `workflow_defs/` of the release.

`python -m scripts.defs --help` lists the verbs; each has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.definitions import desk, files
from models.definitions.desk import UNDECLARED, Desk
from models.kernel import settings
from models.kernel.errors import ConfigurationError, FieldProblem, Invalid
from models.publishing import catalogue, desk_defaults, publishing
from models.publishing.catalogue import Found, Surroundings
from models.workflow.analysis import Finding
from scripts.defs.accounts import check_account

DESK_FILE = "desk.yaml"
ROOT = Path(__file__).resolve().parents[2] / "workflow_defs"

__all__ = ["ROOT", "Found", "findings", "publish", "read_all", "read_file", "root"]


def root() -> Path:
    """Return the folder of the definitions. Raises ConfigurationError when DEFINITIONS_DIR is no folder."""
    own = settings.current().definitions_dir
    if not own:
        return ROOT
    path = Path(own).resolve()
    if not path.is_dir():
        raise ConfigurationError(f"DEFINITIONS_DIR: there is no folder {own}")
    return path


def read_all(folder: Path | None = None, *, demo: bool) -> list[Found]:
    """Return every definition below the folder (default: `root()`), checked each and together. Raises Invalid naming
    each file and place; nothing is published then.
    """
    root = _folder(folder)
    found, problems = _read_files(sorted(root.rglob("*.yaml")), root, demo=demo)
    problems.extend(_twice(found))
    if not problems:
        problems = [_as_problem(one, finding) for one, finding in findings(found) if finding.severity == "error"]
    if problems:
        raise Invalid(problems, "\n".join(f"{p.path}: {p.message}" for p in problems))
    return found


def findings(found: Sequence[Found], around: Surroundings | None = None) -> list[tuple[Found, Finding]]:
    """Return the findings of static analysis for all files together."""
    return catalogue.judged(found, catalogue.surroundings_of(found, around))


def _read_files(paths: Sequence[Path], root: Path, *, demo: bool) -> tuple[list[Found], list[FieldProblem]]:
    found: list[Found] = []
    problems: list[FieldProblem] = []
    for path in paths:
        try:
            one = read_file(path, root, demo=demo)
        except Invalid as error:
            problems.extend(FieldProblem(_shown(root, p.path), p.message) for p in error.problems)
        else:
            if one is not None:
                found.append(one)
    return found, problems


def _shown(root: Path, place: str) -> str:
    """The place with the file as a person would type it."""
    return place.removeprefix(f"{root.parent}/")


def _folder(given: Path | None) -> Path:
    return given if given is not None else root()


def read_file(path: Path, folder: Path | None = None, *, demo: bool = True) -> Found | None:
    """Read and check one file; return None for a file that is only included. Raises Invalid with file:line:column."""
    root = _folder(folder)
    document = files.load(path, root)
    try:
        desk_defaults.fill(document.body, desk_of(root))
        kind = catalogue.kind_of(document.body)
        if kind is None or (kind == "channel" and document.body.get("demo") and not demo):
            return None
        if kind == files.FRAGMENT:
            place = path.resolve().relative_to(root.resolve()).as_posix()
            return Found(kind, place, document.body, document.source, path, document)
        name = catalogue.name_of(kind, document.body, _account)
        if kind == desk.KIND and path.resolve() != (root / DESK_FILE).resolve():
            raise Invalid([FieldProblem("", f"expected the desk's definition in {root.name}/{DESK_FILE} only")])
    except Invalid as error:
        raise document.located(error) from error
    return Found(kind, name, document.body, document.source, path, document)


def desk_of(root: Path) -> Desk:
    """Return the desk of a folder; a folder without `desk.yaml`, or with one that `check` refuses, has the default."""
    path = root / DESK_FILE
    if not path.is_file():
        return UNDECLARED
    try:
        return desk.parse(files.load(path, root).body)
    except Invalid:
        return UNDECLARED


def _account(body: Mapping[str, Any]) -> str:
    check_account(body)
    return f"{body['channel']}.{body['account']}"


def _twice(found: Sequence[Found]) -> list[FieldProblem]:
    seen: dict[tuple[str, str], Path] = {}
    problems = []
    for one in found:
        other = seen.setdefault((one.kind, one.name), one.path)
        if other != one.path:
            problems.append(FieldProblem(str(one.path), f"{one.kind} {one.name} is in {other} already"))
    return problems


def _as_problem(one: Found, finding: Finding) -> FieldProblem:
    return FieldProblem(place_of(one, finding), f"{finding.message} [{finding.code}]")


def place_of(one: Found, finding: Finding) -> str:
    """file:line:column: path of a finding."""
    if one.document is None:
        return f"{one.path}: {finding.path}"
    located = files.located([FieldProblem(finding.path, finding.message)], one.document.places)[0]
    return _shown(root(), located.path)


def skipped(folder: Path | None = None) -> set[tuple[str, str]]:
    """Return the definitions of the folder that are there and are published with --demo only."""
    real = {(one.kind, one.name) for one in read_all(folder, demo=False)}
    return {(one.kind, one.name) for one in read_all(folder, demo=True)} - real


def publish(found: Sequence[Found], *, by: str, progress: Callable[[str], None] = lambda line: None) -> int:
    """Publish what differs from what is in force, all or nothing; returns the number of new versions."""
    return len(publishing.apply(found, by=by, progress=progress))
