"""Files that an edit replaces stay as a version: the part of a message that a file belongs to, and its replacement."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # The provider's id of one part of an album, which an edit names. NULL: a file of an earlier release.
        "ALTER TABLE attachments ADD COLUMN part_id text",
        "ALTER TABLE attachments ADD COLUMN replaced_at {instant}",
    ]
