"""Facts of tickets and daily sums, from which the numbers of the desk are read."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE ticket_facts (ticket_id {id} PRIMARY KEY, type text NOT NULL, channel text NOT NULL,
            team text NOT NULL, category text NOT NULL, assignee text NOT NULL, created_at {instant} NOT NULL,
            created_day text NOT NULL, response_day text, responder text NOT NULL, response_s bigint,
            response_working_s bigint, resolved_day text, resolver text NOT NULL, resolution_s bigint,
            resolution_working_s bigint, reopened integer NOT NULL, sums {json} NOT NULL)""",
        "CREATE INDEX ticket_facts_response ON ticket_facts (response_day) WHERE response_day IS NOT NULL",
        "CREATE INDEX ticket_facts_resolved ON ticket_facts (resolved_day) WHERE resolved_day IS NOT NULL",
        "CREATE INDEX ticket_facts_open ON ticket_facts (created_at) WHERE category IN ('todo', 'waiting')",
        """CREATE TABLE state_facts (ticket_id {id} NOT NULL, state text NOT NULL, seconds bigint NOT NULL,
            PRIMARY KEY (ticket_id, state))""",
        # One promise of a ticket that ended: kept or broken.
        """CREATE TABLE promise_facts (ticket_id {id} NOT NULL, target text NOT NULL, outcome text NOT NULL,
            ended_day text NOT NULL, PRIMARY KEY (ticket_id, target))""",
        "CREATE INDEX promise_facts_ended ON promise_facts (ended_day)",
        """CREATE TABLE daily_sums (day text NOT NULL, metric text NOT NULL, team text NOT NULL, channel text NOT NULL,
            type text NOT NULL, agent text NOT NULL, amount bigint NOT NULL,
            PRIMARY KEY (metric, day, team, channel, type, agent))""",
    ]
