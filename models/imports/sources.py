"""The rows that records became, by the source's ids. This makes an import idempotent and joins its records.

A dry run writes no rows of the desk. It keeps its ids under a source of its own, which its end deletes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from models.imports.tables import ImportSource
from models.kernel.storage import database


def key_of(source_id: str) -> str:
    """Return the hash under which an id is kept: an id of a person can be an address."""
    return hashlib.sha256(source_id.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Sources:
    """The ids of one source, as one import sees them."""

    source: str
    import_id: UUID
    dry_run: bool

    @property
    def _own(self) -> str:
        return f"dry:{self.import_id}" if self.dry_run else self.source

    def find(self, kind: str, source_id: str) -> UUID | None:
        """Return the id of the row that a record became, or None."""
        return self.find_all(kind, [source_id]).get(source_id)

    def find_all(self, kind: str, source_ids: Iterable[str]) -> dict[str, UUID]:
        """Return the ids of the rows that records became, for the records that are known."""
        keys = {key_of(one): one for one in source_ids}
        query = ImportSource.select(ImportSource.key, ImportSource.row_id).where(
            ImportSource.source.in_({self.source, self._own}),
            ImportSource.kind == kind,
            ImportSource.key.in_(list(keys)),
        )
        return {keys[row["key"]]: row["row_id"] for row in database.rows(query)} if keys else {}

    def remember(self, kind: str, source_id: str, row_id: UUID) -> None:
        """Store the row that a record became. Joins the caller's transaction."""
        ImportSource.insert(
            source=self._own, kind=kind, key=key_of(source_id), row_id=row_id, import_id=self.import_id
        ).execute()

    def end(self) -> None:
        """Delete the ids of a dry run."""
        if self.dry_run:
            ImportSource.delete().where(ImportSource.source == self._own).execute()
