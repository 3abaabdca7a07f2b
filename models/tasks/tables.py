"""Tables of the task engine."""

from __future__ import annotations

import peewee

from models.kernel.database import InstantField, Table


class Task(Table):
    """One piece of work. `state`: ready, leased, done, dead, discarded."""

    id = peewee.BigAutoField()
    kind = peewee.TextField()
    queue = peewee.TextField()
    key = peewee.TextField(null=True)
    payload = peewee.JSONField()
    state = peewee.TextField()
    attempts = peewee.IntegerField()
    due_at = InstantField()
    lease_id = peewee.TextField(null=True)
    lease_until = InstantField(null=True)
    hints = peewee.IntegerField()
    next_hint_at = InstantField()
    dedupe_key = peewee.TextField(null=True)
    last_error = peewee.TextField(null=True)
    caused_by = peewee.TextField(null=True)
    trace = peewee.TextField(null=True)
    created_at = InstantField()
    first_run_at = InstantField(null=True)
    finished_at = InstantField(null=True)

    class Meta:
        table_name = "tasks"
