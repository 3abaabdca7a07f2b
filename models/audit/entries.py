"""Record audit entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.audit import callers
from models.audit.actions import AuditAction, Outcome
from models.audit.tables import AuditEntry
from models.kernel import clock
from models.kernel.names import ANY_SCRIPT
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.kernel.telemetry import trace

# Names of roles, permissions, states, definitions, channels and languages, in any script. A text of several words does
# not fit.
_WORD = re.compile(rf"(?:[A-Za-z0-9_.:*/+{{}}-]|{ANY_SCRIPT}){{0,100}}")


def record(
    action: AuditAction,
    object_kind: str,
    object_id: UUID | str | int | None,
    *,
    outcome: Outcome = Outcome.done,
    reason: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: tuple[str, str | None] | None = None,
) -> None:
    """Record an action in the caller's transaction, so that the entry exists exactly when the action happened.

    `before` and `after` hold ids, instants, numbers, truth values and closed words, or lists of them. `actor` (kind and
    id) replaces the identity of the current caller, for a sign-in and for commands. Raises ValueError for a value that
    can hold a person's text.
    """
    assert database.in_transaction(), "the entry and the action are committed together"
    caller = callers.current()
    kind, actor_id = actor or (caller.kind, caller.id)
    columns = [name for name in AuditEntry.columns() if name != "serial"]
    places = ", ".join(f":{name}" for name in columns)
    database.execute(
        f"INSERT INTO audit_entries ({', '.join(columns)}) VALUES ({places})",
        at=clock.now(),
        action=str(action),
        outcome=str(outcome),
        reason=reason,
        actor_kind=kind,
        actor_id=actor_id,
        object_kind=object_kind,
        object_id=None if object_id is None else _word("object_id", str(object_id)),
        address=caller.address,
        user_agent=caller.user_agent,
        request_id=trace.current_request_id(),
        before=_values(before),
        after=_values(after),
    )


def is_closed(value: Any) -> bool:
    """Return True if an entry accepts the value."""
    try:
        _value("value", value)
    except ValueError:
        return False
    return True


def record_apart(action: AuditAction, object_kind: str, object_id: UUID | str | None, **details: Any) -> None:
    """Record an action in a transaction of its own: a refusal, whose request changes nothing."""
    with database.connection(), database.transaction():
        record(action, object_kind, object_id, **details)


def _values(given: Mapping[str, Any] | None) -> str | None:
    if given is None:
        return None
    return as_json({_word("a key", name): _value(name, value) for name, value in given.items()})


def _value(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID | StrEnum):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        items = [_value(name, item) for item in value]
        return sorted(items) if isinstance(value, set | frozenset) else items
    if isinstance(value, str):
        return _word(name, value)
    raise ValueError(f"audit entry: {name}: expected an id, a number or a closed word, found {type(value).__name__}")


def _word(name: str, text: str) -> str:
    if _WORD.fullmatch(text) is None:
        raise ValueError(f"audit entry: {name}: expected an id or a closed word; other texts can name a person")
    return text
