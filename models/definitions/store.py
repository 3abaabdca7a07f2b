"""Publish and look up definitions. Look-ups are cached for limits.definition_cache_s; versions never change."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from typing import Any

from models.kernel import clock, database, limits
from models.kernel.batch import as_json, from_json


@dataclass(frozen=True, slots=True)
class Definition:
    """One published version of one definition."""

    kind: str
    name: str
    version: int
    body: dict[str, Any]


_lock = threading.Lock()
_latest: dict[str, tuple[float, dict[str, Definition]]] = {}
_versions: dict[tuple[str, str, int], Definition] = {}


def publish(kind: str, name: str, body: dict[str, Any], *, source: str, by: str) -> tuple[int, bool]:
    """Publish a new version unless the newest one has the same content; returns the version and whether it is new.

    Joins the caller's transaction. Two publishers of the same version meet at the primary key; one of them fails.
    """
    digest = hashlib.sha256(as_json(body).encode()).hexdigest()
    newest = database.one(
        "SELECT version, sha256 FROM definitions WHERE kind = :kind AND name = :name ORDER BY version DESC LIMIT 1",
        kind=kind,
        name=name,
    )
    if newest is not None and newest["sha256"] == digest:
        return int(newest["version"]), False
    version = int(newest["version"]) + 1 if newest else 1
    database.execute(
        "INSERT INTO definitions (kind, name, version, body, source, sha256, published_at, published_by)"
        " VALUES (:kind, :name, :version, :body, :source, :sha256, :at, :by)",
        kind=kind,
        name=name,
        version=version,
        body=as_json(body),
        source=source,
        sha256=digest,
        at=clock.now(),
        by=by,
    )
    database.on_commit(forget)
    return version, True


def latest(kind: str, name: str) -> Definition | None:
    """The newest version, at most limits.definition_cache_s old."""
    return _all(kind).get(name)


def all_latest(kind: str) -> list[Definition]:
    """The newest version of every definition of a kind, by name."""
    return [definition for _, definition in sorted(_all(kind).items())]


def version_of(kind: str, name: str, version: int) -> Definition | None:
    """One version; cached for ever, because versions never change."""
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
        _versions[key] = Definition(kind, name, version, from_json(row["body"]))
    return _versions[key]


def forget() -> None:
    """Drop the cache (after publishing, and between tests)."""
    with _lock:
        _latest.clear()
        _versions.clear()


def _all(kind: str) -> dict[str, Definition]:
    found = _latest.get(kind)
    if found is not None and time.monotonic() - found[0] < limits.definition_cache_s:
        return found[1]
    rows = database.run(
        "SELECT d.name, d.version, d.body FROM definitions AS d WHERE d.kind = :kind AND d.version ="
        " (SELECT max(n.version) FROM definitions AS n WHERE n.kind = d.kind AND n.name = d.name)",
        kind=kind,
    )
    by_name = {
        row["name"]: Definition(kind, row["name"], row["version"], from_json(row["body"])) for row in rows
    }
    with _lock:
        _latest[kind] = (time.monotonic(), by_name)
    return by_name
