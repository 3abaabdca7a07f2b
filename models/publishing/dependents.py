"""Published definitions that a publication does not replace, and that it would break."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from models.definitions import store
from models.infomodel import definition as infomodel
from models.kernel.errors import ConfigurationError, FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.publishing import catalogue, workflows
from models.publishing.catalogue import Found, Surroundings
from models.workflow import definition
from models.workflow.analysis import Finding
from models.workflow.definition import Workflow

Key = tuple[str, str]  # kind and name
_WAY_OUT = {
    "in force": "publish the life cycle in the same bundle, or keep a field with `retired: true`",
    "live tickets": "migrate its tickets first, or keep a field with `retired: true`",
}


def broken(found: Sequence[Found], *, gone: Collection[Key] = ()) -> Iterator[FieldProblem]:
    """Find the errors that a publication causes in life cycles and types that stay: versions in force, and versions
    with live tickets. `gone`: the definitions that it retires.

    An error that a version has already does not count.
    """
    replaced = {(one.kind, one.name) for one in found}
    if not gone and not any(one.kind in ("model", store.DESK) for one in found):
        # New names, labels and accounts break nothing; fields and priorities that are gone do.
        return
    before = catalogue.published_surroundings()
    after = without(catalogue.surroundings_of(found, before), gone)
    for name, version, reason in _versions(replaced | set(gone)):
        try:
            workflow = workflows.of_version(name, version).definition
        except (ConfigurationError, Invalid):
            continue  # `publishing.unreadable` reports it
        known = set(_errors(workflow, before))
        for finding in _errors(workflow, after):
            if finding not in known:
                where = f"life cycle {name}, version {version} ({reason}): {finding.path}"
                yield FieldProblem(where, f"{finding.message} [{finding.code}]; {_WAY_OUT[reason]}")
    yield from _types_without(gone, after)


def broken_by_rollback(kind: str, name: str, body: JsonObject) -> Iterator[FieldProblem]:
    """Find what an earlier version would break, and the names that it uses and that are gone since."""
    earlier = Found(kind, name, body, "", Path(f"{name}.yaml"))
    yield from broken([earlier])
    if kind == "workflow":
        around = catalogue.surroundings_of([earlier], catalogue.published_surroundings())
        for finding in _errors(definition.read(body), around):
            if finding.code.startswith("undefined_") or finding.code == "wrong_condition":
                yield FieldProblem(finding.path, f"{finding.message} [{finding.code}]")


def without(around: Surroundings, gone: Collection[Key]) -> Surroundings:
    """Return the names that are left when definitions are retired."""
    return Surroundings(
        {name: one for name, one in around.types.items() if ("model", name) not in gone},
        around.teams,
        [name for name in around.workflows if ("workflow", name) not in gone],
        around.desk,
    )


def _errors(workflow: Workflow, around: Surroundings) -> list[Finding]:
    return [one for one in catalogue.findings(workflow, around) if one.severity == "error"]


def _versions(replaced: Collection[Key]) -> Iterator[tuple[str, int, str]]:
    """List the versions of life cycles that stay: name, version and why it is needed."""
    in_force = {one.name: one.version for one in store.all_latest("workflow")}
    for name, version in sorted(in_force.items()):
        if ("workflow", name) not in replaced:
            yield name, version, "in force"
    rows = database.run(
        "SELECT DISTINCT workflow, workflow_version FROM tickets WHERE category <> 'closed'"
        " ORDER BY workflow, workflow_version"
    )
    for row in rows:
        name, version = row["workflow"], row["workflow_version"]
        if ("workflow", name) in replaced or in_force.get(name) != version:
            yield name, version, "live tickets"


def _types_without(gone: Collection[Key], after: Surroundings) -> Iterator[FieldProblem]:
    """Find the types and accounts in force that name a definition which is retired."""
    for one in store.all_latest("model"):
        if ("model", one.name) in gone:
            continue
        entity = infomodel.read(one.body)
        if entity.type is not None and ("workflow", entity.workflow) in gone:
            yield FieldProblem(f"ticket type {one.name}: .workflow", f"names the life cycle {entity.workflow}")
    for one in store.all_latest("channel"):
        if ("channel", one.name) in gone:
            continue
        for kind, key in (("workflow", "workflow"), ("model", "ticket_type")):
            if (kind, one.body.get(key)) in gone:
                yield FieldProblem(f"channel account {one.name}: .{key}", f"names {one.body[key]}")
