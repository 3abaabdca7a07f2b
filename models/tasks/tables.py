"""Tables of tasks."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import InstantField, JsonField, Table


class Task(Table):
    """One piece of work. `state`: ready, leased, done, dead, discarded."""

    id = peewee.BigAutoField()
    kind = peewee.TextField()
    queue = peewee.TextField()
    key = peewee.TextField(null=True)
    payload = JsonField()
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


class Timer(Table):
    """A name and an instant at which it makes a task, once or repeatedly."""

    name = peewee.TextField(primary_key=True)
    kind = peewee.TextField()
    queue = peewee.TextField()
    key = peewee.TextField(null=True)
    payload = JsonField()
    due_at = InstantField()
    every_s = peewee.IntegerField(null=True)
    fired = peewee.IntegerField()
    enabled = peewee.BooleanField()

    class Meta:
        table_name = "timers"


class RateBucket(Table):
    """The state of one rate limit (GCRA); instants in seconds since 1970."""

    bucket = peewee.TextField(primary_key=True)
    tat_s = peewee.DoubleField()
    blocked_until_s = peewee.DoubleField()
    changed_s = peewee.DoubleField()

    class Meta:
        table_name = "rate_buckets"
