"""The kinds of definition: how a file shows which it is, how it is checked, and what must fit between files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.definitions import desk as desks
from models.definitions import files, store
from models.definitions.files import Document
from models.identity import colleagues
from models.infomodel import checks as infomodel_checks
from models.infomodel import definition as infomodel
from models.infomodel import published
from models.kernel import names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.publishing import kinds, translations
from models.publishing.surroundings import Surroundings as Surroundings
from models.teams import assignment
from models.teams import queries as teams
from models.teams.visibility import VISIBILITIES
from models.workflow import analysis
from models.workflow import checks as workflow_checks
from models.workflow import definition as workflows
from models.workflow.analysis import Finding
from models.workflow.definition import Workflow


@dataclass(frozen=True)
class Found:
    """A checked definition."""

    kind: str
    name: str
    body: JsonObject
    source: str
    path: Path
    document: Document | None = field(default=None, compare=False)


def kind_of(body: Mapping[str, Any]) -> str | None:
    """Return `workflow`, `model`, `teams`, `desk`, `channel`, `fragment` or a kind of `kinds`, by the key at the
    top; None for scenarios, which are not published.
    """
    if files.FRAGMENT in body:
        return files.FRAGMENT
    for key, kind in (
        ("channel", "channel"),
        ("type", "model"),
        ("entity", "model"),
        ("teams", "teams"),
        ("workflow", "workflow"),
        ("desk", "desk"),
        *((kind, kind) for kind in kinds.MODULES),
    ):
        if key in body:
            return kind
    if "scenarios" in body:
        return None
    keys = "`workflow:`, `type:`, `entity:`, `teams:`, `desk:`, `answers:`, `channel:`, `scenarios:` or `fragment:`"
    raise Invalid([FieldProblem("", f"expected a definition with {keys} at its top")])


def name_of(kind: str, body: Mapping[str, Any], account: Callable[[Mapping[str, Any]], str] | None = None) -> str:
    """Check a definition and return the name that it is published under. Raises Invalid."""
    if kind == "workflow":
        return workflow_checks.parse(dict(body)).workflow
    if kind == "model":
        return infomodel_checks.parse(dict(body)).name
    if kind == "teams":
        return _teams(body)
    if kind == desks.KIND:
        return _desk(body)
    if (other := kinds.find(kind)) is not None:
        return other.check(body)
    assert account is not None, "channel accounts are checked by who knows the channels"
    return account(body)


def _teams(body: Mapping[str, Any]) -> str:
    problems = [FieldProblem(f".{key}", "unknown key") for key in body.keys() - {"teams", "description"}]
    teams = body["teams"]
    if not isinstance(teams, dict):
        raise Invalid([FieldProblem(".teams", "expected a mapping of names")])
    for name, team in teams.items():
        if not names.is_name(name):
            problems.append(FieldProblem(f".teams.{name}", names.EXPECTED))
        if not _has_labels(team):
            problems.append(FieldProblem(f".teams.{name}", "expected {label: {en: ...}}"))
        elif wrong := list(desks.label_problems(f".teams.{name}.label", team["label"])):
            problems.extend(wrong)
        else:
            problems.extend(_word_problems(f".teams.{name}", team))
    if problems:
        raise Invalid(problems)
    return "teams"


def _word_problems(place: str, team: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """Find the keys of a team whose value is none of their words."""
    for key, words in (("visibility", VISIBILITIES), (assignment.KEY, assignment.STRATEGIES)):
        if key in team and team[key] not in words:
            yield FieldProblem(f"{place}.{key}", f"expected one of {', '.join(words)}, found {team[key]!r}")


def _has_labels(team: object) -> bool:
    if not isinstance(team, dict) or not set(team) <= {"label", "description", "visibility", assignment.KEY}:
        return False
    label = team.get("label")
    return isinstance(label, dict) and all(isinstance(text, str) for text in label.values())


def _desk(body: Mapping[str, Any]) -> str:
    desk = desks.parse(dict(body))
    if problems := list(translations.text_problems(desk.texts)):
        raise Invalid(problems)
    return desks.NAME


def surroundings_of(found: Iterable[Found], base: Surroundings | None = None) -> Surroundings:
    """Return the names that the definitions of a folder offer to each other, in addition to the published ones."""
    types = dict(base.types) if base else {}
    teams, workflow_names = set(base.teams) if base else set(), set(base.workflows) if base else set()
    desk = base.desk if base else desks.UNDECLARED
    transitions, priorities = (set(base.transitions), set(base.priorities)) if base else (set(), set())
    for one in found:
        if one.kind == "model":
            types[one.name] = infomodel.read(one.body)
        elif one.kind == "teams":
            teams |= set(one.body["teams"])
        elif one.kind == "workflow":
            workflow_names.add(one.name)
            transitions |= set(one.body["transitions"])
            priorities |= set(workflows.read(one.body).priorities)
        elif one.kind == desks.KIND:
            desk = desks.read(one.body)
    return Surroundings(types, teams, workflow_names, desk, None, transitions, priorities)


def published_surroundings() -> Surroundings:
    """Return the names that are in force in the database."""
    types = {one.name: one for one in published.all_models()}
    life_cycles = store.all_latest("workflow")
    return Surroundings(
        types,
        [team["name"] for team in teams.all_teams()],
        [one.name for one in life_cycles],
        desks.current(),
        colleagues.active_addresses(),
        {name for one in life_cycles for name in one.body["transitions"]},
        {name for one in life_cycles for name in workflows.read(one.body).priorities},
    )


def findings(workflow: Workflow, around: Surroundings) -> list[Finding]:
    """Return the findings of static analysis about a life cycle among the other definitions."""
    return analysis.analyse(
        workflow,
        types=around.types,
        teams=around.teams,
        workflows=around.workflows,
        desk=around.desk,
        people=around.people,
    )


def judged(found: Sequence[Found], around: Surroundings) -> list[tuple[Found, Finding]]:
    """Return the findings of every life cycle, the ticket types that name a wrong one, and the texts that lack a
    language.
    """
    return [(one, finding) for one in found for finding in _judged(one, around)]


def _judged(one: Found, around: Surroundings) -> Iterator[Finding]:
    if one.kind == "workflow":
        yield from findings(workflows.read(one.body), around)
    elif one.kind == "model":
        entity = infomodel.read(one.body)
        if entity.type is not None and entity.workflow not in around.workflows:
            told = f"there is no life cycle {entity.workflow!r}"
            yield Finding("undefined_workflow", "error", ".workflow", told)
        if entity.open and (
            others := [name for name, type_ in around.types.items() if type_.open and name != entity.name]
        ):
            yield Finding("several_open_types", "error", ".open", f"{others[0]} is open already; one type is")
        yield from translations.of_model(entity, around.desk)
    elif one.kind == "channel":
        yield from _account_names(one.body, around)
        for problem in (*_text_keys(one.body), *translations.text_problems(one.body.get("texts") or {})):
            yield Finding("unknown_text", "warning", problem.path, problem.message)
    elif one.kind == "teams":
        yield from translations.of_teams(one.body["teams"], around.desk)
    elif one.kind == desks.KIND:
        yield from translations.of_desk(desks.read(one.body))
    elif (other := kinds.find(one.kind)) is not None:
        yield from other.findings(one.body, around)


def _text_keys(body: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """Find the languages of an account's texts and commands that are no tags."""
    for name, texts in (body.get("texts") or {}).items():
        yield from desks.label_problems(f".texts.{name}", texts)
    for name, command in (body.get("commands") or {}).items():
        yield from desks.label_problems(f".commands.{name}.text", command.get("text"))
        yield from desks.label_problems(f".commands.{name}.description", command.get("description") or None)


def _account_names(body: Mapping[str, Any], around: Surroundings) -> Iterator[Finding]:
    """Find the names of a channel account that lead nowhere: its tickets could not be opened as it says."""
    for key, kind, known in (
        ("workflow", "life cycle", around.workflows),
        ("ticket_type", "ticket type", around.types),
        ("team", "team", around.teams),
    ):
        if (name := body.get(key)) is not None and name not in known:
            yield Finding(
                f"undefined_{key.removeprefix('ticket_')}", "error", f".{key}", f"there is no {kind} {name!r}"
            )
