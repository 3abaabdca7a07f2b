"""Delete old audit entries: the only deletion that the database permits."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.audit.tables import AuditEntry, AuditRetention
from models.kernel import clock, limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database


def delete_before(before: datetime, *, started_by: str) -> int:
    """Delete the entries of all calendar months (UTC) that end at or before `before`; return their number.

    The deletion itself stays on record in `audit_retentions`, with the operator's name. Raises Invalid for a day within
    `limits.audit_kept_days_min`.
    """
    now = clock.now()
    month = before.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if month > now - timedelta(days=limits.audit_kept_days_min):
        raise Invalid(
            [FieldProblem("before", f"expected a month that ended at least {limits.audit_kept_days_min} days ago")]
        )
    with database.transaction():
        # The triggers permit a deletion while this row is open, and only of older entries.
        serial = AuditRetention.insert(before=month, started_at=now, started_by=started_by).execute()
        deleted = AuditEntry.delete().where(AuditEntry.at < month).execute()
        AuditRetention.update(finished_at=now, deleted=deleted).where(AuditRetention.serial == serial).execute()
    return int(deleted)
