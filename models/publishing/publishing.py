"""Publish what was checked, all or nothing; put an earlier version in force again; say what this
program cannot read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.definitions import desk as desks
from models.definitions import store
from models.infomodel import changes
from models.infomodel import definition as infomodel
from models.kernel.errors import ConfigurationError, FieldProblem, Invalid, NotFound
from models.kernel.storage import database
from models.publishing import kinds
from models.teams import commands as teams
from models.workflow import definition as workflows

if TYPE_CHECKING:  # it reads YAML, which a function must not load at its start
    from models.publishing.catalogue import Found


@dataclass(frozen=True, slots=True)
class Published:
    """A version that came into force."""

    kind: str
    name: str
    version: int


def apply(
    found: Sequence[Found],
    *,
    by: str,
    reason: str = "published",
    origin: store.Origin = "files",
    gone: Collection[tuple[str, str]] = (),
    progress: Callable[[str], None] = lambda line: None,
) -> list[Published]:
    """Publish the definitions that differ from what is in force, and retire those of `gone`: all or nothing.

    Opens a transaction, or joins the caller's. Raises Invalid when a field that is used would go or a life cycle that
    stays would break (nothing is published then), PublishedMeanwhile when another publisher was first.
    """
    new: list[Published] = []
    with database.transaction():
        # It reads YAML, which a function must not load at its start.
        from models.publishing import dependents

        # The decision needs what is in force now, not a few seconds ago.
        store.forget()
        problems = [*(problem for one in found for problem in refusals(one)), *dependents.broken(found, gone=gone)]
        if problems:
            raise Invalid(problems, "\n".join(f"{p.path}: {p.message}" for p in problems))
        for kind, name in gone:
            store.retire(kind, name, by=by, reason=reason)
            if (other := kinds.find(kind)) is not None:
                other.retire(name)
            audit.record(AuditAction.definition_retired, kind, name)
            progress(f"retired {kind} {name}")
        for one in found:
            version, is_new = store.publish(
                one.kind, one.name, one.body, source=one.source, by=by, reason=reason, origin=origin
            )
            if is_new:
                new.append(Published(one.kind, one.name, version))
                audit.record(AuditAction.definition_published, one.kind, one.name, after={"version": version})
                progress(f"published {one.kind} {one.name} version {version}")
            if one.kind == "teams":
                for name, team in one.body["teams"].items():
                    teams.declare(name, team["label"], team.get("visibility", "everyone"))
        for one in found:  # the teams that they name are declared now
            if (other := kinds.find(one.kind)) is not None:
                other.put_in_force(one.name, one.body)
    return new


def refusals(one: Found) -> Iterator[FieldProblem]:
    """Say why a definition must not replace the one in force: values would lose their field."""
    if one.kind != "model":
        return
    before = store.latest("model", one.name)
    if before is None:
        return
    for problem in changes.refusals(infomodel.read(before.body), infomodel.read(one.body)):
        place = one.document.places.of(problem.path) if one.document is not None else one.path
        yield FieldProblem(f"{place}: {problem.path}", problem.message)


def rollback(kind: str, name: str, *, to: int | None, by: str, reason: str) -> int:
    """Put an earlier version in force (the one that was before this, unless `to` names one); joins the caller's
    transaction.

    Tickets stay on the versions that they are on. Raises NotFound, or Invalid when this program cannot read the
    version.
    """
    store.lock(kind, name)  # else another rollback could change what `_before` looks at
    versions = store.history(kind, name)
    if not versions:
        raise NotFound(f"there is no {kind} {name!r}")
    wanted = to if to is not None else _before(versions)
    if wanted not in [row["version"] for row in versions]:
        raise NotFound(
            f"{kind} {name} has no version {wanted}; it has {', '.join(str(row['version']) for row in versions)}"
        )
    definition = store.version_of(kind, name, wanted)
    assert definition is not None, "the history has it"
    _read(kind, definition.body)
    if kind == "model":
        now = store.latest(kind, name)
        lost = list(changes.refusals(infomodel.read(now.body), infomodel.read(definition.body))) if now else []
        if lost:
            raise Invalid(lost)
    # It reads YAML, which a function must not load at its start.
    from models.publishing import dependents

    if broken := list(dependents.broken_by_rollback(kind, name, definition.body)):
        raise Invalid(broken, "\n".join(f"{p.path}: {p.message}" for p in broken))
    store.activate(kind, name, wanted, by=by, reason=reason)
    if (other := kinds.find(kind)) is not None:
        other.put_in_force(name, definition.body)
    audit.record(AuditAction.definition_rolled_back, kind, name, after={"version": wanted})
    return wanted


def _before(versions: Sequence[store.VersionRow]) -> int:
    """Return the version that was in force before the present one, by the order of activations."""
    # Retirements are no versions, so a retired definition goes back to the version that was in force last.
    activations = sorted(
        ((one["serial"], row["version"]) for row in versions for one in row["activations"]),
        key=lambda pair: pair[0],
    )
    in_force = any(row["in_force"] for row in versions)
    now = activations[-1][1] if activations and in_force else None
    earlier = [version for _, version in activations if version != now]
    if not earlier:
        raise Invalid([FieldProblem("", "there is no version before this one; name one with --to")])
    return int(str(earlier[-1]))


def _read(kind: str, body: dict[str, object]) -> None:
    if kind == "workflow":
        workflows.read(body)
    elif kind == "model":
        infomodel.read(body)
    elif kind == desks.KIND:
        desks.read(body)
    elif (other := kinds.find(kind)) is not None:
        other.check(body)


def unreadable() -> list[str]:
    """Versions that this program cannot read: in force, or with live tickets on them. Each with why."""
    wanted = {("workflow", one.name, one.version) for one in store.all_latest("workflow")}
    wanted |= {("model", one.name, one.version) for one in store.all_latest("model")}
    for row in database.run("SELECT DISTINCT workflow, workflow_version FROM tickets WHERE category <> 'closed'"):
        wanted.add(("workflow", row["workflow"], row["workflow_version"]))
    found = []
    for kind, name, version in sorted(wanted):
        definition = store.version_of(kind, name, version)
        if definition is None:
            found.append(f"{kind} {name} version {version} is not in the database, and tickets are on it")
            continue
        try:
            _read(kind, definition.body)
        except Invalid as error:
            found.append(f"{kind} {name} version {version}: {error}")
    return found


def check_readable() -> None:
    """Raise ConfigurationError at start rather than fail at the first ticket."""
    with database.connection():
        found = unreadable()
    if found:
        raise ConfigurationError(
            "this program cannot read definitions that are in use; run the release that published them, or publish and migrate:\n"
            + "\n".join(found)
        )
