"""/v1/tickets/{ticket}/why: the decisions of a life cycle about a ticket, with its timers and SLA clocks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models.identity.rules import Permission
from models.kernel.open_json import JsonObject
from models.sla.clocks import status
from models.ticket_workflow import why
from models.visibility.seen import Guard

operations = Operations()


class RuleTrace(msgspec.Struct):
    """The outcome of a rule for an event: acted, silent (with the failed conditions), refused (with reasons), or
    not_reached (an earlier rule ended the evaluation).
    """

    event: str
    rule: str
    outcome: str
    condition: str | None = None
    failed: list[str] = []
    values: JsonObject = {}
    reasons: list[str] = []


class Decision(msgspec.Struct):
    """An event with the outcome of every rule. `events` lists the sequence numbers of the history that it wrote."""

    event: str
    at: datetime
    workflow: str
    workflow_version: int
    state: str
    causation_id: str | None
    events: list[int]
    rules: list[RuleTrace]


class TimerShown(msgspec.Struct):
    """A running timer."""

    timer: str
    due_at: datetime


class Promise(msgspec.Struct):
    """An SLA clock. `due_at` is null while the clock is paused and after it has stopped."""

    target: str
    policy: str
    status: str
    target_s: int
    due_at: datetime | None
    warn_at: datetime | None
    breached_at: datetime | None
    met_at: datetime | None


class Why(msgspec.Struct):
    """The decisions that led to the ticket's state, with the running timers and SLA clocks."""

    state: str
    workflow: str
    workflow_version: int
    decisions: list[Decision]
    timers: list[TimerShown]
    promises: list[Promise]
    next_cursor: str | None


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/why",
    summary="Explain a ticket's state",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: Why},
    problems=(404,),
)
def read_why(call: Call[None, pages.PageQuery]) -> Answer:
    """Lists the decisions of the life cycle: each event with the outcome of every rule, including rules that did not
    act. Also lists the running timers and SLA clocks.
    """
    ticket = ticket_of(call)
    after = pages.decode(call.query.cursor, "why", UUID)
    rows = why.decisions(ticket.id, after=after[0] if after else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "why", lambda row: (row["id"],))
    guard = Guard.of(ticket, call.caller.role)
    decisions = [
        Decision(
            row["event"],
            row["at"],
            row["workflow"],
            row["workflow_version"],
            row["state"],
            row["causation_id"],
            list(range(row["first_sequence"], row["last_sequence"] + 1)),
            msgspec.convert(guard.rule_traces(row["looks"]), list[RuleTrace]),
        )
        for row in page
    ]
    promises = [
        Promise(
            clock.target,
            clock.policy,
            status(clock),
            clock.target_s,
            clock.due_at,
            clock.warn_at,
            clock.breached_at,
            clock.met_at,
        )
        for clock in why.promises(ticket.id)
    ]
    timers = [TimerShown(name, due_at) for name, due_at in why.timers(ticket.id)]
    return Answer(Why(ticket.state, ticket.workflow, ticket.workflow_version, decisions, timers, promises, cursor))
