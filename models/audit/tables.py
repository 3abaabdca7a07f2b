"""Tables of the audit trail."""

from __future__ import annotations

import peewee

from models.audit.actions import AuditAction, Outcome
from models.kernel.storage.table import EnumField, InstantField, JsonField, Table


class AuditEntry(Table):
    """One audited action. Triggers refuse changes, and deletions outside a retention."""

    serial = peewee.BigAutoField()
    at = InstantField()
    action = EnumField(AuditAction)
    outcome = EnumField(Outcome)
    # Why it was refused or failed: an error code.
    reason = peewee.TextField(null=True)
    # user, api_key, requester, provider, operator (a command line) or system.
    actor_kind = peewee.TextField()
    actor_id = peewee.TextField(null=True)
    object_kind = peewee.TextField()
    object_id = peewee.TextField(null=True)
    # The caller's network address and User-Agent header, when the action came by HTTP.
    address = peewee.TextField(null=True)
    user_agent = peewee.TextField(null=True)
    request_id = peewee.TextField(null=True)
    before = JsonField(null=True)
    after = JsonField(null=True)

    class Meta:
        table_name = "audit_entries"


class AuditRetention(Table):
    """One deletion of old entries. `finished_at` is null only while its transaction runs."""

    serial = peewee.BigAutoField()
    before = InstantField()
    started_at = InstantField()
    finished_at = InstantField(null=True)
    started_by = peewee.TextField()
    deleted = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "audit_retentions"
