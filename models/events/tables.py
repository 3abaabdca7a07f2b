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
    # The database numbers new rows. NULL: written by a release that did not number them.
    log_position = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "events"


class LogPosition(Table):
    """The place up to which a consumer has read the log (models/events/following)."""

    name = peewee.TextField(primary_key=True)
    number = peewee.BigIntegerField()
    unnumbered_id = IdField(null=True)
    moved_at = InstantField()
    # The event that a careful step has begun and not ended, and how often (models/events/following/parking.py).
    tried_id = IdField(null=True)
    tries = peewee.IntegerField()

    class Meta:
        table_name = "log_positions"


class ParkedLogEvent(Table):
    """An event that a consumer has passed without applying it, because it ended each worker that tried."""

    consumer = peewee.TextField()
    event_id = IdField()
    parked_at = InstantField()

    class Meta:
        table_name = "parked_log_events"
        primary_key = peewee.CompositeKey("consumer", "event_id")
