"""The removal of uploads that no message uses."""

from __future__ import annotations

from datetime import timedelta

from models.kernel import clock, limits
from models.kernel.storage import database


def collect_uploads(*, batch_max: int) -> int:
    """Delete the uploads that no message used within a day; return their number. Joins the caller's transaction."""
    unused = database.execute(
        "DELETE FROM attachments WHERE id IN (SELECT id FROM attachments WHERE message_id IS NULL AND created_at <"
        " :before LIMIT :batch)"
        " AND message_id IS NULL AND state = 'uploaded'",
        before=clock.now() - timedelta(seconds=limits.unused_blobs_kept_s),
        batch=batch_max,
    )
    return int(unused.rowcount)
