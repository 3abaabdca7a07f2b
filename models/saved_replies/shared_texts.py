"""Texts that agents share: the commands that a saved reply and a macro have in common.

Both have an author, a team or the whole desk as readers, a folder, a version, and a count of their uses; both may be
published from a file. Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import peewee

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.kernel import clock
from models.kernel.errors import Conflict, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.table import for_update
from models.saved_replies.reach import Reach, Scope

R = TypeVar("R")
Columns = Mapping[peewee.Field, object]


class PublishedFromFile(Conflict):
    """This text is published from a file; change the file and publish it again."""

    code = "published_from_file"


@dataclass(frozen=True, slots=True)
class SharedTexts(Generic[R]):
    """One kind of shared texts. `row`: the TypedDict of a stored one; `noun`: its name in messages; `object_kind`: its
    name in audit entries.
    """

    table: Any
    row: type[R]
    noun: str
    object_kind: str

    def get(self, text_id: UUID, reach: Reach) -> R:
        """Return a text that the caller sees. Raises NotFound."""
        return self._one(self._seen(text_id, reach), text_id)

    def page(self, reach: Reach, wanted: Iterable[Any], *, after: tuple[str, str, UUID] | None, limit: int) -> list[R]:
        """Return the texts that a caller sees and that meet the conditions, by folder and name, after a position."""
        table = self.table
        query = table.select().where(reach.condition(table), *wanted)
        if after is not None:
            place = peewee.Tuple(after[0], after[1], str(after[2]))
            query = query.where(peewee.Tuple(table.folder, table.name, table.id) > place)
        return database.rows_as(self.row, query.order_by(table.folder, table.name, table.id).limit(limit))

    def insert(self, columns: Columns, reach: Reach, action: AuditAction) -> R:
        """Store a new text. The caller has checked the scope and the content."""
        text_id, now = new_id(), clock.now()
        fixed = {self.table.id: text_id, self.table.created_at: now, self.table.updated_at: now}
        self.table.insert({**columns, **fixed}).execute()
        return self._recorded(text_id, reach, action)

    def hold(self, text_id: UUID, reach: Reach, *, expected_version: int | None = None) -> int:
        """Lock a text that the caller may change; return its version.

        Raises NotFound, PreconditionFailed, PublishedFromFile, Forbidden.
        """
        row: Any = self._one(for_update(self._seen(text_id, reach)), text_id)
        if expected_version not in (None, row["version"]):
            raise PreconditionFailed(f"If-Match: expected version {row['version']}, found {expected_version}")
        if row["definition"] is not None:
            raise PublishedFromFile(f"{PublishedFromFile.__doc__} Its set is `answers: {row['definition']}`.")
        reach.check(Scope(row["scope"]), row["team"])
        return int(row["version"])

    def replace(self, text_id: UUID, version: int, columns: Columns, reach: Reach, action: AuditAction) -> R:
        """Replace a text that `hold` has locked."""
        changed = {self.table.version: version + 1, self.table.updated_at: clock.now()}
        self.table.update({**columns, **changed}).where(self.table.id == text_id).execute()
        return self._recorded(text_id, reach, action)

    def delete(self, text_id: UUID, reach: Reach, action: AuditAction) -> None:
        """Delete a text. Raises NotFound, PublishedFromFile, Forbidden."""
        self.hold(text_id, reach)
        self._recorded(text_id, reach, action)
        self.table.delete().where(self.table.id == text_id).execute()

    def count_use(self, text_ids: Iterable[UUID]) -> None:
        """Count that texts were used."""
        counted = {self.table.uses: self.table.uses + 1, self.table.last_used_at: clock.now()}
        self.table.update(counted).where(self.table.id.in_(sorted(text_ids))).execute()

    def count(self) -> int:
        """Return the number of texts that people wrote."""
        return int(self.table.select().where(self.table.definition.is_null()).count())

    def _seen(self, text_id: UUID, reach: Reach) -> Any:
        return self.table.select().where(self.table.id == text_id, reach.condition(self.table))

    def _one(self, query: Any, text_id: UUID) -> R:
        for row in database.rows_as(self.row, query):
            return row
        raise NotFound(f"there is no {self.noun} {text_id}")

    def _recorded(self, text_id: UUID, reach: Reach, action: AuditAction) -> R:
        """Record what happens to a text that others use; return it. A person's own texts have no history."""
        found: Any = self.get(text_id, reach)
        if found["scope"] != Scope.own:
            after = {"scope": found["scope"], "team": found["team"]}
            audit.record(action, self.object_kind, text_id, after=after)
        shown: R = found
        return shown
