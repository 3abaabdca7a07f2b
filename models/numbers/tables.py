"""Tables of numbers. Empty texts stand for nobody and nothing, because the columns are parts of keys."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class TicketFact(Table):
    """The facts of one ticket. Days are days in the zone of the desk, as YYYY-MM-DD; `_s` are seconds.

    `sums`: the ticket's part of the daily sums, as lists of day, metric, agent and amount.
    """

    ticket_id = IdField(primary_key=True)
    type = peewee.TextField()
    channel = peewee.TextField()
    team = peewee.TextField()
    category = peewee.TextField()
    assignee = peewee.TextField()
    created_at = InstantField()
    created_day = peewee.TextField()
    response_day = peewee.TextField(null=True)
    responder = peewee.TextField()
    response_s = peewee.BigIntegerField(null=True)
    response_working_s = peewee.BigIntegerField(null=True)
    resolved_day = peewee.TextField(null=True)
    resolver = peewee.TextField()
    resolution_s = peewee.BigIntegerField(null=True)
    resolution_working_s = peewee.BigIntegerField(null=True)
    reopened = peewee.IntegerField()
    sums = JsonField()

    class Meta:
        table_name = "ticket_facts"


class StateFact(Table):
    """The seconds that a ticket has spent in a state it has left."""

    ticket_id = IdField()
    state = peewee.TextField()
    seconds = peewee.BigIntegerField()

    class Meta:
        table_name = "state_facts"
        primary_key = peewee.CompositeKey("ticket_id", "state")


class PromiseFact(Table):
    """A promise of a ticket that ended. `outcome`: kept or broken."""

    ticket_id = IdField()
    target = peewee.TextField()
    outcome = peewee.TextField()
    ended_day = peewee.TextField()

    class Meta:
        table_name = "promise_facts"
        primary_key = peewee.CompositeKey("ticket_id", "target")


class DailySum(Table):
    """The sum of one metric on one day, by team, channel, type and agent."""

    day = peewee.TextField()
    metric = peewee.TextField()
    team = peewee.TextField()
    channel = peewee.TextField()
    type = peewee.TextField()
    agent = peewee.TextField()
    amount = peewee.BigIntegerField()

    class Meta:
        table_name = "daily_sums"
        primary_key = peewee.CompositeKey("metric", "day", "team", "channel", "type", "agent")
