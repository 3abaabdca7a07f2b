"""/v1/tickets/{ticket}/why: the decisions of a life cycle about a ticket, with its timers and SLA clocks."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models.identity.rules import Permission
from models.sla.clocks import status
from models.ticket_workflow import why
from models.tickets import queries

operations = Operations()


class RuleLook(msgspec.Struct):
    """What a rule made of an event: acted, silent (and what failed), refused (and why), not_reached (an earlier one ended it)."""

    event: str
    rule: str
    outcome: str
    condition: str | None = None
    failed: list[str] = []
    values: dict[str, Any] = {}
    reasons: list[str] = []


class Decision(msgspec.Struct):
    """One event and every rule that looked at it. `events`: the sequence numbers of the history that it wrote (none: nothing changed)."""

    event: str
    at: datetime
    workflow: str
    workflow_version: int
    state: str
    causation_id: str | None
    events: list[int]
    rules: list[RuleLook]


class TimerShown(msgspec.Struct):
    timer: str
    due_at: datetime


class Promise(msgspec.Struct):
    """An SLA clock. `due_at` is null while it stands still and when it is over."""

    target: str
    policy: str
    status: str
    target_s: int
    due_at: datetime | None
    warn_at: datetime | None
    breached_at: datetime | None
    met_at: datetime | None


class Why(msgspec.Struct):
    """Why the ticket is what it is: what happened to it by which rule, and what will happen by itself."""

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
    summary="Why a ticket is what it is",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: Why},
    problems=(404,),
)
def read_why(call: Call[None, pages.PageQuery]) -> Answer:
    """Every event with what each rule made of it, also of the rules that stayed silent; then the timers and promises that run."""
    ticket = queries.find(call.params["ticket"])
    after = pages.decode(call.query.cursor, "why", UUID)
    rows = why.decisions(ticket.id, after=after[0] if after else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "why", lambda row: (row["id"],))
    decisions = [
        Decision(
            row["event"],
            row["at"],
            row["workflow"],
            row["workflow_version"],
            row["state"],
            row["causation_id"],
            list(range(row["first_sequence"], row["last_sequence"] + 1)),
            msgspec.convert(row["looks"], list[RuleLook]),
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
