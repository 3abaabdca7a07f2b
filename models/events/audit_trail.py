"""Audit entries of the events of users, roles, API keys and outgoing webhooks: every such event is audited.

An event holds names and addresses; its audit entry holds ids and closed words only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from models.audit import entries
from models.audit.actions import AuditAction, Outcome
from models.events.payload import EventPayload, as_mapping, type_of

if TYPE_CHECKING:
    from models.events.commands import Actor

# Payload keys whose texts are closed words, such as the name of a role. Other texts can name a person.
_CLOSED = frozenset(
    {
        "role",
        "roles",
        "based_on",
        "locale",
        "reason",
        "event_types",
        "changed",
        "permissions",
        "scopes",
        "kind",
        "scope",
        "team",
    }
)
_FAILURES = frozenset({AuditAction.sign_in_failed})


def record(aggregate: str, aggregate_id: UUID, payload: EventPayload, *, actor: Actor) -> None:
    """Record the audit entry of an event in the caller's transaction. The desk itself acts on behalf of the current
    caller: a failed sign-in is the stranger's.
    """
    action = AuditAction(type_of(type(payload)))
    given = as_mapping(payload)
    changes: Mapping[str, Any] = given.pop("changes", {})
    after = {name: value for name, value in given.items() if _is_closed(name, value)}
    known = {name: change for name, change in changes.items() if _is_closed(name, change["to"])}
    before = {name: change["from"] for name, change in known.items() if _is_closed(name, change["from"])}
    after |= {name: change["to"] for name, change in known.items()}
    if changes:
        after["changed"] = sorted(changes)
    entries.record(
        action,
        aggregate,
        aggregate_id,
        outcome=Outcome.failed if action in _FAILURES else Outcome.done,
        before=before or None,
        after=after or None,
        actor=None if actor.kind == "system" else (actor.kind, actor.id),
    )


def _is_closed(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool | int | float | UUID | datetime):
        return True
    return name in _CLOSED and entries.is_closed(value)
