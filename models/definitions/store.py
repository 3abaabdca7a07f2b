"""Publish and look up definitions. Look-ups are cached for limits.definition_cache_s; versions never change."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict, cast

import peewee

from models.definitions import tables
from models.definitions.tables import DefinitionActivation
from models.kernel import clock, limits
from models.kernel.errors import Conflict
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.batch import as_json


@dataclass(frozen=True, slots=True)
class Definition:
    """One published version of one definition."""

    kind: str
    name: str
    version: int
    body: JsonObject


_lock = threading.Lock()
_latest: dict[str, tuple[float, dict[str, Definition]]] = {}
_versions: dict[tuple[str, str, int], Definition] = {}
_newest = {"serial": 0}  # the newest activation that this process has seen


class PublishedMeanwhile(Conflict):
    """A concurrent request published another version of this definition; review it and publish again."""

    code = "published_meanwhile"


# The kind of the desk's own definition. It is one small row that nearly every decision reads, so each look-up of a kind
# brings it along and it costs no statement of its own.
DESK = "desk"
# The version of an activation that takes a definition out of force.
RETIRED = 0
Origin = Literal["files", "api"]


def publish(
    kind: str,
    name: str,
    body: JsonObject,
    *,
    source: str,
    by: str,
    reason: str = "published",
    origin: Origin = "files",
) -> tuple[int, bool]:
    """Publish a new version, and put it in force, unless the version in force has the same content. Returns the version
    in force, and True if it is new.

    The content of an older version becomes a new version, because versions record each publication. Joins the
    caller's transaction. Raises PublishedMeanwhile when another publication commits first.
    """
    digest = digest_of(body)
    rows = database.run(
        "SELECT version, sha256 FROM definitions WHERE kind = :kind AND name = :name ORDER BY version DESC",
        kind=kind,
        name=name,
    )
    in_force = _activated(kind, name)
    if in_force is None:
        in_force = rows[0]["version"] if rows else RETIRED
    if any(row["version"] == in_force and row["sha256"] == digest for row in rows):
        return int(in_force), False
    version = int(rows[0]["version"]) + 1 if rows else 1
    try:
        _insert(kind, name, version, body, digest, source=source, by=by, origin=origin)
    except peewee.IntegrityError as error:
        raise PublishedMeanwhile() from error
    activate(kind, name, version, by=by, reason=reason)
    return version, True


def digest_of(body: JsonObject) -> str:
    return hashlib.sha256(as_json(body).encode()).hexdigest()


def _insert(
    kind: str, name: str, version: int, body: JsonObject, digest: str, *, source: str, by: str, origin: Origin
) -> None:
    database.execute(
        "INSERT INTO definitions (kind, name, version, body, source, sha256, published_at, published_by,"
        " origin) VALUES (:kind, :name, :version, :body, :source, :sha256, :at, :by, :origin)",
        kind=kind,
        name=name,
        version=version,
        body=as_json(body),
        source=source,
        sha256=digest,
        at=clock.now(),
        by=by,
        origin=origin,
    )


def retire(kind: str, name: str, *, by: str, reason: str) -> None:
    """Take a definition out of force; its versions stay, and a publication or a rollback puts one in force again.

    Joins the caller's transaction.
    """
    activate(kind, name, RETIRED, by=by, reason=reason)


def lock(kind: str, name: str) -> None:
    """Lock the choice of the version in force until this transaction ends."""
    advisory_lock(f"definition:{kind}:{name}")


def activate(kind: str, name: str, version: int, *, by: str, reason: str) -> None:
    """Put a published version in force and record the person and the reason. Joins the caller's transaction.

    The newest activation is the one with the highest serial. The lock makes serials follow the order of the commits:
    the activation that is confirmed last is the one in force.
    """
    lock(kind, name)
    database.execute(
        "INSERT INTO definition_activations (id, kind, name, version, activated_at, activated_by, reason)"
        " VALUES (:id, :kind, :name, :version, :at, :by, :reason)",
        id=new_id(),
        kind=kind,
        name=name,
        version=version,
        at=clock.now(),
        by=by,
        reason=reason,
    )
    database.on_commit(forget)


def _activated(kind: str, name: str) -> int | None:
    row = database.one(
        "SELECT version FROM definition_activations WHERE kind = :kind AND name = :name ORDER BY serial DESC LIMIT 1",
        kind=kind,
        name=name,
    )
    return int(row["version"]) if row is not None else None


class ActivationRow(TypedDict):
    """The activation of a version."""

    serial: int
    version: int
    activated_at: datetime
    activated_by: str
    reason: str


class VersionRow(TypedDict):
    """A published version with its activations, oldest first."""

    version: int
    sha256: str
    published_at: datetime
    published_by: str
    in_force: bool
    activations: list[ActivationRow]


def history(kind: str, name: str) -> list[VersionRow]:
    """Every version, newest first: who published it and when, whether it is in force, and when it was put in force."""
    rows = database.run(
        "SELECT version, sha256, published_at, published_by FROM definitions WHERE kind = :kind AND name = :name"
        " ORDER BY version DESC",
        kind=kind,
        name=name,
    )
    activations = database.run(
        "SELECT serial, version, activated_at, activated_by, reason FROM definition_activations WHERE kind = :kind"
        " AND name = :name"
        " ORDER BY serial",
        kind=kind,
        name=name,
    )
    in_force = activations[-1]["version"] if activations else (rows[0]["version"] if rows else None)
    activations = [DefinitionActivation.converted(activation) for activation in activations]
    return [
        cast(
            VersionRow,
            tables.Definition.converted(row)
            | {
                "in_force": row["version"] == in_force,
                "activations": [one for one in activations if one["version"] == row["version"]],
            },
        )
        for row in rows
    ]


def origin_of(kind: str, name: str, version: int) -> Origin:
    """Return where a version comes from."""
    row = database.one(
        "SELECT origin FROM definitions WHERE kind = :kind AND name = :name AND version = :version",
        kind=kind,
        name=name,
        version=version,
    )
    return "api" if row is not None and row["origin"] == "api" else "files"


def retired_at(kind: str, name: str) -> ActivationRow | None:
    """Return the activation that took a definition out of force, or None while it is in force."""
    rows = database.run(
        "SELECT serial, version, activated_at, activated_by, reason FROM definition_activations WHERE kind = :kind"
        " AND name = :name ORDER BY serial DESC LIMIT 1",
        kind=kind,
        name=name,
    )
    if not rows or rows[0]["version"] != RETIRED:
        return None
    return cast(ActivationRow, DefinitionActivation.converted(rows[0]))


def source_of(kind: str, name: str, version: int) -> str | None:
    """Return the text of a version as it was published."""
    row = database.one(
        "SELECT source FROM definitions WHERE kind = :kind AND name = :name AND version = :version",
        kind=kind,
        name=name,
        version=version,
    )
    return str(row["source"]) if row is not None else None


def latest(kind: str, name: str) -> Definition | None:
    """Return the version in force, at most limits.definition_cache_s old."""
    return _all(kind).get(name)


def all_latest(kind: str) -> list[Definition]:
    """Return the version in force of every definition of a kind, by name."""
    return [definition for _, definition in sorted(_all(kind).items())]


def version_of(kind: str, name: str, version: int) -> Definition | None:
    """Return one version; cached without end, because versions never change."""
    key = (kind, name, version)
    if key not in _versions:
        row = database.one(
            "SELECT body FROM definitions WHERE kind = :kind AND name = :name AND version = :version",
            kind=kind,
            name=name,
            version=version,
        )
        if row is None:
            return None
        _versions[key] = Definition(kind, name, version, tables.Definition.converted(row)["body"])
    return _versions[key]


def forget() -> None:
    """Drop the cache (after publishing, and between tests)."""
    with _lock:
        _latest.clear()
        _versions.clear()
        _newest["serial"] = 0


def _all(kind: str) -> dict[str, Definition]:
    found = _latest.get(kind)
    if found is not None and time.monotonic() - found[0] < limits.definition_cache_s:
        return found[1]
    rows = database.run(
        "SELECT d.kind, d.name, d.version, d.body, (SELECT max(serial) FROM definition_activations) AS serial"
        " FROM definitions AS d WHERE d.kind IN (:kind, :desk) AND d.version = COALESCE("
        "(SELECT a.version FROM definition_activations AS a WHERE a.kind = d.kind AND a.name = d.name ORDER BY"
        " a.serial DESC LIMIT 1),"
        " (SELECT max(n.version) FROM definitions AS n WHERE n.kind = d.kind AND n.name = d.name))",
        kind=kind,
        desk=DESK,
    )
    serial = max((row.pop("serial") or 0 for row in rows), default=0)
    by_kind: dict[str, dict[str, Definition]] = {kind: {}, DESK: {}}
    for row in map(tables.Definition.converted, rows):
        known = _known(row["kind"], row["name"], row["version"])
        by_kind[row["kind"]][row["name"]] = known or Definition(row["kind"], row["name"], row["version"], row["body"])
    with _lock:
        if serial > _newest["serial"]:
            # Another process published. A type and its life cycle come into force together, so the other kinds are
            # read again as well.
            _latest.clear()
            _newest["serial"] = serial
        _latest.update({one: (time.monotonic(), by_name) for one, by_name in by_kind.items()})
    return by_kind[kind]


def _known(kind: str, name: str, version: int) -> Definition | None:
    """Return the object of the last look-up if the version is the same: readers compare bodies by identity."""
    found = _latest.get(kind, (0.0, {}))[1].get(name)
    return found if found is not None and found.version == version else None
