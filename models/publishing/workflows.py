"""Workflows as published in the database, parsed once per version and process."""

from __future__ import annotations

import threading

from models.definitions import store
from models.kernel.errors import ConfigurationError
from models.workflow.definition import Workflow, WorkflowVersion, read

_lock = threading.Lock()
_parsed: dict[tuple[str, int], Workflow] = {}


def newest(name: str) -> WorkflowVersion:
    """Return the version that a new ticket starts on. Raises ConfigurationError when nothing is published."""
    definition = store.latest("workflow", name)
    if definition is None:
        raise ConfigurationError(f"no life cycle {name!r} is published: run `python -m scripts.defs apply`")
    return WorkflowVersion(_read(name, definition.version, definition.body), definition.version)


def names() -> list[str]:
    """Return the names of the life cycles in force, sorted."""
    return [definition.name for definition in store.all_latest("workflow")]


def of_version(name: str, version: int) -> WorkflowVersion:
    """Return the version that a ticket is on. Raises ConfigurationError when it is not in the database."""
    key = (name, version)
    if key in _parsed:
        return WorkflowVersion(_parsed[key], version)
    definition = store.version_of("workflow", name, version)
    if definition is None:
        raise ConfigurationError(f"version {version} of life cycle {name!r} is not in the database")
    return WorkflowVersion(_read(name, version, definition.body), version)


def _read(name: str, version: int, body: dict[str, object]) -> Workflow:
    key = (name, version)
    workflow = _parsed.get(key)
    if workflow is None:
        workflow = read(body)
        with _lock:
            _parsed[key] = workflow
    return workflow


def forget() -> None:
    """Drop what was parsed (between tests, whose databases give the same version numbers to other texts)."""
    with _lock:
        _parsed.clear()
