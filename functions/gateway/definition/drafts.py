"""Read, check and simulate definitions that are sent over the API. The YAML reader is imported with the first draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from models.definitions import store
from models.kernel import imports
from models.kernel.clock import rfc3339
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.open_json import JsonObject

if TYPE_CHECKING:
    from models.publishing.catalogue import Found

# The bound of a file (models/definitions/files.py).
source_chars_max = 512 * 1024
# The steps of one simulation. Longer stories belong in scenario files.
steps_max = 200


def checked(kind: str, name: str, source: str) -> Found:
    """The draft, ready to be published as `name`. Raises Invalid with line and column of every error."""
    found, problems = _read(kind, name, source)
    if found is not None:
        problems = [*problems, *_errors(found)]
    if found is None or problems:
        raise Invalid([_located(problem) for problem in problems])
    return found


def _errors(found: Found) -> Sequence[FieldProblem]:
    """The errors of the static analysis; without any, the reasons against publishing."""
    from models.publishing import publishing

    errors = [one for one in _findings(found) if one.severity == "error"]
    problems = [FieldProblem(_place(found, one.path), f"{one.message} [{one.code}]") for one in errors]
    return problems or list(publishing.refusals(found))


def _located(problem: FieldProblem) -> FieldProblem:
    one = _finding("", "error", problem.path, problem.message)
    place = f"line {one['line']}, column {one['column']}: {one['path']}"
    return FieldProblem("/source", f"{place}: {one['message']}")


def _read(kind: str, name: str, source: str) -> tuple[Found | None, list[FieldProblem]]:
    from pathlib import Path

    from models.definitions import desk, files
    from models.publishing import catalogue, desk_defaults

    shown = f"{name}.yaml"
    try:
        document = files.loads(source, shown)
    except Invalid as error:
        return None, error.problems
    try:
        if files.INCLUDE in document.body:
            raise Invalid(
                [
                    FieldProblem(
                        f".{files.INCLUDE}",
                        "expected no includes in a definition that is sent over the API",
                    )
                ]
            )
        found_kind = catalogue.kind_of(document.body)
        desk_defaults.fill(document.body, desk.current())
        if found_kind != kind:
            raise Invalid([FieldProblem("", f"expected a {kind}, found {found_kind or 'an unknown kind'}")])
        found_name = catalogue.name_of(kind, document.body)
        if found_name != name:
            raise Invalid(
                [FieldProblem(f".{kind if kind == 'workflow' else 'type'}", f"expected {name}, found {found_name}")]
            )
    except Invalid as error:
        return None, document.located(error).problems
    return catalogue.Found(kind, found_name, document.body, source, Path(shown), document), []


def _findings(found: Found) -> list[Any]:
    from models.publishing import catalogue

    around = catalogue.surroundings_of([found], catalogue.published_surroundings())
    return [finding for _, finding in catalogue.judged([found], around)]


def _place(found: Found, path: str) -> str:
    assert found.document is not None, "a draft has its document"
    return f"{found.document.places.of(path)}: {path}"


class FindingFacts(TypedDict):
    """An error or a warning about a draft, with its place."""

    code: str
    severity: str
    path: str
    line: int
    column: int
    message: str


def judged(kind: str, name: str, source: str) -> list[FindingFacts]:
    """All errors and warnings with their places. Does not raise for an invalid draft."""
    from models.publishing import publishing

    found, problems = _read(kind, name, source)
    findings = [_finding("invalid", "error", problem.path, problem.message) for problem in problems]
    if found is not None:
        findings += [_finding(one.code, one.severity, _place(found, one.path), one.message) for one in _findings(found)]
        findings += [_finding("values_lost", "error", one.path, one.message) for one in publishing.refusals(found)]
    return findings


def _finding(code: str, severity: str, place: str, message: str) -> FindingFacts:
    """A finding whose place is written `file:line:column: path`."""
    where, _, path = place.partition(": ")
    parts = where.split(":")
    line, column = (int(part) if part.isdecimal() else 1 for part in [*parts[1:3], "1", "1"][:2])
    return {
        "code": code,
        "severity": severity,
        "path": path,
        "line": line,
        "column": column,
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
        types = {one.name: one for one in infomodel.all_types()}
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
    """The life cycle of a draft, or the one in force. Raises NotFound, or Invalid for a wrong draft."""
    from models.workflow import definition

    if source is not None:
        return definition.read(checked("workflow", name, source).body)
    in_force = store.latest("workflow", name)
    if in_force is None:
        raise NotFound(f"there is no life cycle {name[:60]!r}")
    return definition.read(in_force.body)


def _pointer(path: str) -> str:
    """The place in the request: `.cases[0].steps[1].when` becomes /steps/1/when."""
    plain = path.removeprefix(".cases[0]").replace("[", "/").replace("]", "").replace(".", "/")
    return plain if plain.startswith(("/given", "/steps", "/people")) else f"/given{plain}"


def _plain(details: Mapping[str, Any]) -> JsonObject:
    import msgspec

    plain: JsonObject = msgspec.to_builtins(dict(details), str_keys=True)
    return plain
