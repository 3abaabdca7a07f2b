"""/v1/tickets/{ticket}/why: the decisions of a life cycle about a ticket, with its timers and SLA clocks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.gateway.ticket.promises import Promise, shown
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models.identity.rules import Permission
from models.kernel.open_json import JsonObject
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
    promises = shown(why.promises(ticket.id))
    timers = [TimerShown(name, due_at) for name, due_at in why.timers(ticket.id)]
    return Answer(Why(ticket.state, ticket.workflow, ticket.workflow_version, decisions, timers, promises, cursor))
