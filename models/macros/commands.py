"""Create, read, update and delete macros. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

import msgspec
import peewee

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.kernel import clock
from models.kernel.errors import Conflict, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import for_update
from models.macros import acts
from models.macros.acts import MacroAct
from models.macros.tables import Macro
from models.saved_replies.commands import check_not_published
from models.saved_replies.reach import Reach, Scope

macros_max = 2_000  # of a desk, each by people and by files; a menu of more is not read by anybody


class TooManyMacros(Conflict):
    """The desk has too many macros; delete some."""

    code = "too_many_macros"


@dataclass(frozen=True, slots=True)
class MacroContent:
    """The content of a macro."""

    name: str
    folder: str
    scope: Scope
    team: str | None
    acts: Sequence[MacroAct]


class MacroRow(TypedDict):
    """A stored macro. `acts`: as `acts.decoded` reads them."""

    id: UUID
    name: str
    folder: str
    scope: str
    user_id: UUID | None
    team: str | None
    acts: list[Any]
    definition: str | None
    uses: int
    last_used_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


def get(macro_id: UUID, reach: Reach) -> MacroRow:
    """Return a macro that the caller sees. Raises NotFound."""
    return _one(Macro.select().where(Macro.id == macro_id, reach.condition(Macro)), macro_id)


def page(reach: Reach, *, folder: str | None, after: tuple[str, str, UUID] | None, limit: int) -> list[MacroRow]:
    """Return the macros that a caller sees, sorted by folder and name, after a position (folder, name, id)."""
    query = Macro.select().where(reach.condition(Macro))
    if folder is not None:
        query = query.where(Macro.folder == folder)
    if after is not None:
        place = peewee.Tuple(after[0], after[1], str(after[2]))
        query = query.where(peewee.Tuple(Macro.folder, Macro.name, Macro.id) > place)
    return database.rows_as(MacroRow, query.order_by(Macro.folder, Macro.name, Macro.id).limit(limit))


def create(content: MacroContent, reach: Reach) -> MacroRow:
    """Store a new macro. Raises Invalid, Forbidden, TooManyMacros."""
    _check(content, reach)
    advisory_lock("macros")  # counts and inserts; otherwise two requests pass the bound together
    if Macro.select().where(Macro.definition.is_null()).count() >= macros_max:
        raise TooManyMacros(f"expected at most {macros_max} macros; delete some")
    macro_id, now = new_id(), clock.now()
    fixed = {Macro.id: macro_id, Macro.created_at: now, Macro.updated_at: now}
    Macro.insert({**_columns(content, reach), **fixed}).execute()
    _record(AuditAction.macro_created, macro_id, content.scope, content.team)
    return get(macro_id, reach)


def update(macro_id: UUID, content: MacroContent, reach: Reach, *, expected_version: int | None) -> MacroRow:
    """Replace a macro. Raises NotFound, Invalid, Forbidden, PreconditionFailed."""
    row = _held(macro_id, reach)
    if expected_version not in (None, row["version"]):
        raise PreconditionFailed(f"If-Match: expected version {row['version']}, found {expected_version}")
    check_not_published(row["definition"])
    reach.check(Scope(row["scope"]), row["team"])
    _check(content, reach)
    changed = {Macro.version: row["version"] + 1, Macro.updated_at: clock.now()}
    Macro.update({**_columns(content, reach), **changed}).where(Macro.id == macro_id).execute()
    _record(AuditAction.macro_updated, macro_id, content.scope, content.team)
    return get(macro_id, reach)


def delete(macro_id: UUID, reach: Reach) -> None:
    """Delete a macro. Raises NotFound, Forbidden."""
    row = _held(macro_id, reach)
    check_not_published(row["definition"])
    reach.check(Scope(row["scope"]), row["team"])
    Macro.delete().where(Macro.id == macro_id).execute()
    _record(AuditAction.macro_deleted, macro_id, Scope(row["scope"]), row["team"])


def count_use(macro_id: UUID) -> None:
    """Count that a macro was applied."""
    counted = {Macro.uses: Macro.uses + 1, Macro.last_used_at: clock.now()}
    Macro.update(counted).where(Macro.id == macro_id).execute()


def _check(content: MacroContent, reach: Reach) -> None:
    reach.check(content.scope, content.team)
    if found := acts.problems(content.acts):
        raise Invalid(found)


def _held(macro_id: UUID, reach: Reach) -> MacroRow:
    return _one(for_update(Macro.select().where(Macro.id == macro_id, reach.condition(Macro))), macro_id)


def _one(query: Any, macro_id: UUID) -> MacroRow:
    for row in database.rows_as(MacroRow, query):
        return row
    raise NotFound(f"there is no macro {macro_id}")


def _record(action: AuditAction, macro_id: UUID, scope: Scope, team: str | None) -> None:
    """Record what happens to a macro that others use; a person's own macros have no history."""
    if scope is not Scope.own:
        audit.record(action, "macro", macro_id, after={"scope": str(scope), "team": team})


def _columns(content: MacroContent, reach: Reach) -> dict[peewee.Field, object]:
    return {
        Macro.name: content.name,
        Macro.folder: content.folder,
        Macro.scope: str(content.scope),
        Macro.user_id: reach.user_id if content.scope is Scope.own else None,
        Macro.team: content.team,
        Macro.acts: msgspec.to_builtins(list(content.acts)),
    }
