"""Create, read, update and delete macros. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

import msgspec
import peewee

from models.audit.actions import AuditAction
from models.kernel.errors import Conflict, Invalid
from models.kernel.storage.advisory_lock import advisory_lock
from models.macros import acts
from models.macros.acts import MacroAct
from models.macros.tables import Macro
from models.saved_replies.reach import Reach, Scope
from models.saved_replies.shared_texts import SharedTexts

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


_MACROS = SharedTexts(Macro, MacroRow, "macro", "macro")


def get(macro_id: UUID, reach: Reach) -> MacroRow:
    """Return a macro that the caller sees. Raises NotFound."""
    return _MACROS.get(macro_id, reach)


def page(reach: Reach, *, folder: str | None, after: tuple[str, str, UUID] | None, limit: int) -> list[MacroRow]:
    """Return the macros that a caller sees, sorted by folder and name, after a position (folder, name, id)."""
    return _MACROS.page(reach, [] if folder is None else [Macro.folder == folder], after=after, limit=limit)


def create(content: MacroContent, reach: Reach) -> MacroRow:
    """Store a new macro. Raises Invalid, Forbidden, TooManyMacros."""
    _check(content, reach)
    advisory_lock("macros")  # counts and inserts; otherwise two requests pass the bound together
    if _MACROS.count() >= macros_max:
        raise TooManyMacros(f"expected at most {macros_max} macros; delete some")
    return _MACROS.insert(_columns(content, reach), reach, AuditAction.macro_created)


def update(macro_id: UUID, content: MacroContent, reach: Reach, *, expected_version: int | None) -> MacroRow:
    """Replace a macro. Raises NotFound, Invalid, Forbidden, PreconditionFailed, PublishedFromFile."""
    version = _MACROS.hold(macro_id, reach, expected_version=expected_version)
    _check(content, reach)
    return _MACROS.replace(macro_id, version, _columns(content, reach), reach, AuditAction.macro_updated)


def delete(macro_id: UUID, reach: Reach) -> None:
    """Delete a macro. Raises NotFound, Forbidden, PublishedFromFile."""
    _MACROS.delete(macro_id, reach, AuditAction.macro_deleted)


def count_use(macro_id: UUID) -> None:
    """Count that a macro was applied."""
    _MACROS.count_use([macro_id])


def _check(content: MacroContent, reach: Reach) -> None:
    reach.check(content.scope, content.team)
    if found := acts.problems(content.acts):
        raise Invalid(found)


def _columns(content: MacroContent, reach: Reach) -> dict[peewee.Field, object]:
    return {
        Macro.name: content.name,
        Macro.folder: content.folder,
        Macro.scope: str(content.scope),
        Macro.user_id: reach.user_id if content.scope is Scope.own else None,
        Macro.team: content.team,
        Macro.acts: msgspec.to_builtins(list(content.acts)),
    }
