"""Tables of events."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class EventRow(Table):
    """One thing that happened. Rows are only inserted."""

    event_id = IdField(primary_key=True)
    event_type = peewee.TextField()
    event_version = peewee.IntegerField()
    occurred_at = InstantField()
    aggregate = peewee.TextField()
    aggregate_id = IdField()
    sequence = peewee.IntegerField()
    actor_kind = peewee.TextField()
    actor_id = peewee.TextField(null=True)
    request_id = peewee.TextField(null=True)
    causation_id = peewee.TextField(null=True)
    payload = JsonField()

    class Meta:
        table_name = "events"
