"""Read, check and simulate definitions that are sent over the API. The YAML reader is imported with the first draft."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from models.definitions import store
from models.kernel import imports, limits
from models.kernel.clock import rfc3339
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.open_json import JsonObject

if TYPE_CHECKING:
    from models.publishing.bundle import Bundle
    from models.publishing.catalogue import Found

# The bound of a file (models/definitions/files.py).
source_chars_max = 512 * 1024
# JSON of a folder with twenty large life cycles.
bundle_bytes_max = 8 * limits.MIB
_PLACE = re.compile(r"[^:]+:(?P<line>\d+)(?::(?P<column>\d+))?(?:: (?P<path>.*))?", re.DOTALL)
# The steps of one simulation. Longer stories belong in scenario files.
steps_max = 200


def checked(kind: str, name: str, source: str) -> Found:
    """Return the draft, ready to be published as `name`. Raises Invalid with line and column of every error."""
    [found] = _sound(_one(kind, name, source), lambda file: "/source")
    return found


def checked_bundle(sources: Mapping[str, str]) -> list[Found]:
    """Return the definitions of a bundle, ready to be published. Raises Invalid with the file, line and column of every
    error.
    """
    from models.publishing import bundle

    return _sound(bundle.read(sources), lambda file: f"/files/{file.replace('~', '~0').replace('/', '~1')}")


def _sound(read: Bundle, pointer: Callable[[str], str]) -> list[Found]:
    """Return the definitions. Raises Invalid; `pointer`: the place of a file in the request."""
    if problems := _problems(read):
        raise Invalid([FieldProblem(pointer(file), _in_words(problem)) for file, problem in problems])
    return read.found


def _problems(read: Bundle) -> list[tuple[str, FieldProblem]]:
    """List what is wrong with the files; without any, the errors of the static analysis; without any, the reasons
    against publishing.
    """
    from models.publishing import bundle

    if read.problems:
        return read.problems
    errors = [
        (str(found.path), FieldProblem(_place(found, one.path), f"{one.message} [{one.code}]"))
        for found, one in bundle.findings(read.found)
        if one.severity == "error"
    ]
    return errors or [(str(found.path) if found else "", problem) for found, problem in bundle.refusals(read.found)]


def _in_words(problem: FieldProblem) -> str:
    one = _finding("", "", "error", problem.path, problem.message)
    return f"line {one['line']}, column {one['column']}: {one['path']}: {one['message']}"


def _one(kind: str, name: str, source: str) -> Bundle:
    """Read the draft of one definition, which must be of this kind and name. It may include published fragments."""
    from models.publishing import bundle

    path = bundle.path_of(kind, name)
    read = bundle.read({path: source})
    for found in read.found:
        place = f"{path}:1:1"
        if found.kind != kind:
            read.problems.append((path, FieldProblem(place, f"expected a {kind}, found {found.kind}")))
        elif found.name != name:
            key = ".workflow" if kind == "workflow" else ".type"
            told = f"expected {name}, found {found.name}"
            read.problems.append((path, FieldProblem(_place(found, key), told)))
    return read


def _place(found: Found, path: str) -> str:
    assert found.document is not None, "a draft has its document"
    return f"{found.document.places.of(path)}: {path}"


class FindingFacts(TypedDict):
    """An error or a warning about a draft, with its place."""

    code: str
    file: str
    severity: str
    path: str
    line: int
    column: int
    message: str


def judged(kind: str, name: str, source: str) -> list[FindingFacts]:
    """Return all errors and warnings with their places. Does not raise for an invalid draft."""
    return _judged(_one(kind, name, source))


def judged_bundle(sources: Mapping[str, str]) -> list[FindingFacts]:
    """Return all errors and warnings of a bundle with their places. Does not raise for an invalid one."""
    from models.publishing import bundle

    return _judged(bundle.read(sources))


def _judged(read: Bundle) -> list[FindingFacts]:
    from models.publishing import bundle

    findings = [_finding("invalid", file, "error", problem.path, problem.message) for file, problem in read.problems]
    findings += [
        _finding(one.code, str(found.path), one.severity, _place(found, one.path), one.message)
        for found, one in bundle.findings(read.found)
    ]
    for found, problem in bundle.refusals(read.found):
        code = "values_lost" if found is not None else "breaks_life_cycle"
        findings.append(_finding(code, str(found.path) if found else "", "error", problem.path, problem.message))
    return findings


def _finding(code: str, file: str, severity: str, place: str, message: str) -> FindingFacts:
    """Return a finding whose place is written `file:line:column: path`."""
    where = _PLACE.fullmatch(place)
    line, column, path = (where["line"], where["column"], where["path"]) if where else (None, None, place)
    return {
        "code": code,
        "file": file,
        "severity": severity,
        "path": path or "",
        "line": int(line or 1),
        "column": int(column or 1),
        "message": message,
    }


def simulated(
    name: str,
    source: str | None,
    *,
    people: Mapping[str, Any],
    given: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
) -> JsonObject:
    """Run a ticket through a life cycle in memory. Raises NotFound, or Invalid for a wrong draft or step."""
    from models.definitions import desk
    from models.infomodel import published as infomodel

    imports.load("models.workflow.testing.scenarios")
    from models.workflow.testing import scenarios

    workflow = _workflow(name, source)
    body = {
        "scenarios": name,
        "people": dict(people),
        "cases": [{"name": "tried", "given": dict(given), "steps": list(steps)}],
    }
    try:
        file = scenarios.parse(body)
        types = {one.name: one for one in infomodel.all_models()}
        tried = scenarios.step_through(workflow, file, types, desk.current())
    except Invalid as error:
        raise Invalid([FieldProblem(_pointer(problem.path), problem.message) for problem in error.problems]) from error
    return {
        "steps": [
            {
                "at": rfc3339(entry.at),
                "event": entry.event,
                "state": entry.state,
                "acts": [{"kind": act.kind, "rule": act.rule, "details": _plain(act.details)} for act in entry.acts],
                "rules": [
                    {
                        "rule": look.rule,
                        "outcome": look.outcome,
                        "failed": list(look.failed),
                        "reasons": list(look.reasons),
                    }
                    for look in entry.traces
                ],
            }
            for entry in tried.log
        ],
        "ticket": scenarios.standing(tried),
        "options": [
            {"who": person, "transition": option.name, "possible": not option.reasons, "reasons": list(option.reasons)}
            for person in [*file.people, "requester"]
            for option in tried.options(person)
        ],
    }


def _workflow(name: str, source: str | None) -> Any:
    from models.workflow import definition

    return definition.read(body_of(name, source))


def body_of(name: str, source: str | None) -> JsonObject:
    """Return the body of a draft, or of the version in force. Raises NotFound, or Invalid for a wrong draft."""
    if source is not None:
        return checked("workflow", name, source).body
    in_force = store.latest("workflow", name)
    if in_force is None:
        raise NotFound(f"there is no life cycle {name[:60]!r}")
    return in_force.body


def _pointer(path: str) -> str:
    """The place in the request: `.cases[0].steps[1].when` becomes /steps/1/when."""
    plain = path.removeprefix(".cases[0]").replace("[", "/").replace("]", "").replace(".", "/")
    return plain if plain.startswith(("/given", "/steps", "/people")) else f"/given{plain}"


def _plain(details: Mapping[str, Any]) -> JsonObject:
    import msgspec

    plain: JsonObject = msgspec.to_builtins(dict(details), str_keys=True)
    return plain
