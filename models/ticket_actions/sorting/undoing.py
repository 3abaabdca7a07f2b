"""Undo of changes of one ticket: its properties, tags, assignment and snooze.

An undo restores the values that the act changed, also those that a rule changed with it. A value that changed again
since then stays, and the undo names it. A ticket that moved to another state is not moved back: the life cycle has
transitions for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from models.events.commands import Actor
from models.identity import principals
from models.identity.rules import Permission
from models.kernel.clock import rfc3339
from models.kernel.errors import NestorError
from models.kernel.open_json import JsonObject
from models.ticket_actions import commands
from models.ticket_actions.sorting import snoozing
from models.ticket_actions.tagging import TagEdit
from models.tickets import queries, surroundings
from models.tickets.surroundings import Surroundings
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.undo import commands as undos
from models.undo.restorers import Restorer
from models.undo.row_types import UndoRow

KIND: Final = "ticket_change"
BIN_KIND: Final = "ticket_bin"
_PLAIN: Final = ("title", "priority", "team", "assignee_id")


def undoable(work: Callable[[], Ticket], *, actor: Actor) -> Ticket:
    """Run a change of one ticket and remember its undo. Joins the caller's transaction."""
    with surroundings.within(Surroundings()) as seen:
        ticket = work()
    remember(seen, ticket.id, actor=actor)
    return ticket


def remember(seen: Surroundings, ticket_id: UUID, *, actor: Actor, group_id: UUID | None = None) -> UUID | None:
    """Remember the undo of a ticket's change; None if nothing can be restored: no value changed, something left the
    desk, or the ticket moved in its life cycle.
    """
    if ticket_id not in seen.rows or seen.delivery_ids or seen.calls_out:
        return None
    before, after = seen.rows[ticket_id]
    if any(before[name] != after[name] for name in ("state", "type", "workflow")):
        return None
    if before["binned_as"] != after["binned_as"]:
        act = {"bin": [before["binned_as"], after["binned_as"]]}
        return undos.remember(BIN_KIND, act, actor=actor, ticket_id=ticket_id, group_id=group_id)
    found = differences(before, after)
    return undos.remember(KIND, found, actor=actor, ticket_id=ticket_id, group_id=group_id) if found else None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> JsonObject:
    """Return the values that an undo restores: name -> [value before, value after]."""
    found = {name: [_plain(before[name]), _plain(after[name])] for name in _PLAIN if before[name] != after[name]}
    if before["tags"] != after["tags"]:
        found["tags"] = [list(before["tags"]), list(after["tags"])]
    fields = (before["fields"], after["fields"])
    for name in sorted(fields[0].keys() | fields[1].keys()):
        if fields[0].get(name) != fields[1].get(name):
            found[f"fields.{name}"] = [fields[0].get(name), fields[1].get(name)]
    snoozes = (_snooze(before), _snooze(after))
    if snoozes[0] != snoozes[1]:
        found["snooze"] = list(snoozes)
    if before["binned_as"] != after["binned_as"]:
        found["bin"] = [before["binned_as"], after["binned_as"]]
    return found


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _snooze(row: Mapping[str, Any]) -> JsonObject | None:
    if row["snoozed_at"] is None:
        return None
    until = row["snoozed_until"]
    return {"until": None if until is None else rfc3339(until), "note": row["snooze_note"]}


def _restore(undo: UndoRow, actor: Actor) -> list[str]:
    """Restore what did not change since. Raises UndoRefused if nothing can be restored."""
    ticket_id = undo["ticket_id"]
    assert ticket_id is not None, "an undo of this kind is about a ticket"
    caller = principals.find(actor)
    if caller is None:
        raise undos.UndoRefused("its caller may not act any more")
    ticket = queries.lock(ticket_id)
    now = _values(ticket, undo["act"])
    kept = [name for name, (_, after) in undo["act"].items() if name != "tags" and now[name] != after]
    wanted = {name: pair for name, pair in undo["act"].items() if name not in kept}
    if not wanted:
        raise undos.UndoRefused("every value changed again since")
    try:
        changes = dict(_changes(wanted))
        if changes:
            commands.update(
                ticket_id, changes, expected_version=None, actor=actor, role=caller.role, keeps_assignee=True
            )
        if "assignee_id" in wanted:
            before = wanted["assignee_id"][0]
            commands.assign(ticket_id, None if before is None else UUID(before), actor=actor)
        if "snooze" in wanted:
            _restore_snooze(ticket_id, wanted["snooze"][0], actor)
    except undos.UndoRefused:
        raise
    except NestorError as refused:
        if refused.http_status >= 500:
            raise
        raise undos.UndoRefused(refused.message) from refused
    return [f"{name} changed again since and stays" for name in kept]


def _values(ticket: Ticket, act: Mapping[str, Any]) -> JsonObject:
    """Return the present values of the names that an act changed, in the form of `differences`."""
    row = ticket.row()
    found: JsonObject = {name: _plain(row[name]) for name in _PLAIN} | {"snooze": _snooze(row), "tags": ticket.tags}
    for name in act:
        if name.startswith("fields."):
            found[name] = ticket.fields.get(name.removeprefix("fields."))
    return found


def _changes(wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("title", "priority", "team"):
        if name in wanted:
            yield name, wanted[name][0]
    fields = {name.removeprefix("fields."): pair[0] for name, pair in wanted.items() if name.startswith("fields.")}
    if fields:
        yield "fields", fields
    if "tags" in wanted:
        # Tags that other people added or removed since then stay as they are now.
        before, after = wanted["tags"]
        yield "tags", TagEdit([tag for tag in before if tag not in after], [tag for tag in after if tag not in before])


def _restore_snooze(ticket_id: UUID, before: Mapping[str, Any] | None, actor: Actor) -> None:
    change = TicketChange.of(ticket_id, actor=actor)
    if before is None:
        snoozing.end(change, by="person")
        change.save()
        return
    until = None if before["until"] is None else datetime.fromisoformat(before["until"])
    if until is not None and until <= change.at:
        raise undos.UndoRefused("the instant of the snooze is past")
    snoozing.put(change, until, before["note"])
    change.save()


def _needs_also(undo: UndoRow) -> tuple[Permission, ...]:
    return (Permission.tickets_assign,) if "assignee_id" in undo["act"] else ()


RESTORER: Final = Restorer(Permission.tickets_write, _restore, _needs_also)
