"""The details of a ticket: its properties, promises, fields, people, links, and the reasons of its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from functions.console.frame import formats, texts
from functions.console.frame.texts import gettext as _
from functions.console.ticket import field_inputs, history
from functions.console.ticket.field_inputs import FieldInput
from functions.http.operations import AnyCall
from models.identity import colleagues
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.open_json import JsonObject
from models.requesters import queries as requesters
from models.requesters.row_types import RequesterRow
from models.sla.clocks import Clock, status
from models.teams import queries as teams
from models.ticket_lists.page import listed
from models.ticket_lists.resolving import resolve
from models.ticket_lists.words import FilterWords
from models.ticket_workflow import why
from models.tickets.tables import Ticket
from models.visibility import sight
from models.visibility.seen import Guard
from models.visibility.sight import Sight

# -- limits ------------------------------------------------------------------------------------------------------------
_other_tickets_max: Final = 5  # of the requester; the list of the requester has all
_decisions_max: Final = 10  # the last ones; the tab History has the whole log


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise as a clock. `group`: its colour. `used`, `whole`: working seconds, for a bar; None when it stands."""

    title: str
    group: str
    verdict: str
    detail: str
    used: int | None
    whole: int


@dataclass(frozen=True, slots=True)
class Reason:
    """The outcome of a rule of the life cycle. `icon`: check (it acted), minus (silent), alert (refused)."""

    icon: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """An event that the life cycle met, with what each rule did."""

    event: str
    at: datetime
    reasons: list[Reason]


@dataclass(slots=True)
class Side:
    """The details of a ticket. `assignees` and `teams`: pairs of value and text, for choices."""

    fields: list[FieldInput]
    promises: list[Promise]
    assignees: list[tuple[str, str]]
    teams: list[tuple[str, str]]
    team: str
    priorities: list[tuple[str, str]]
    requester: RequesterRow | None
    other_tickets: Sequence[Any]
    decisions: list[Decision]
    timers: list[tuple[str, datetime]]
    merged: Sequence[Ticket]


def of(call: AnyCall, ticket: Ticket) -> Side:
    """Return the details that the caller may see."""
    caller = Sight.of(call.caller)
    all_teams = teams.all_teams()
    labels = {one["name"]: texts.label(one["label"], one["name"]) for one in all_teams}
    seen_teams = [name for name in labels if sight.sees_team(caller, name)]
    requester = requesters.get(ticket.requester_id) if ticket.requester_id is not None else None
    return Side(
        field_inputs.of(ticket, call.caller.role),
        [_promise(one) for one in why.promises(ticket.id)],
        _assignees(call),
        [(name, labels[name]) for name in seen_teams],
        labels.get(ticket.team or "", ticket.team or ""),
        history.priorities(),
        requester,
        _other_tickets(ticket, caller),
        _decisions(call, ticket),
        [(texts.label(None, name), at) for name, at in why.timers(ticket.id)],
        sight.merged_into(ticket.id, caller),
    )


def _assignees(call: AnyCall) -> list[tuple[str, str]]:
    if Permission.tickets_assign not in call.caller.permissions:
        return []
    return [(str(one.id), one.name) for one in colleagues.readers_of_tickets()]


def _other_tickets(ticket: Ticket, caller: Sight) -> Sequence[Any]:
    if ticket.requester_id is None:
        return ()
    wanted = resolve(FilterWords(requester=[ticket.requester_id]), caller)
    found = listed(wanted, sort="-updated_at", after=None, limit=_other_tickets_max + 1, sight=caller)
    return [row.ticket for row in found if row.ticket.id != ticket.id][:_other_tickets_max]


def _promise(one: Clock) -> Promise:
    now = clock.now()
    title = _("%(target)s in %(time)s", target=history.target_label(one.target), time=_length(one.target_s))
    state = status(one)
    if one.state == "met" and one.breached_at is None:
        at = formats.time_of_day(one.met_at) if one.met_at is not None else ""
        return Promise(title, "open", _("Kept"), at, None, one.target_s)
    if one.breached_at is not None:
        detail = _("Due %(when)s", when=formats.moment(one.breached_at))
        return Promise(title, "bad", _("Broken"), detail, None, one.target_s)
    if one.state == "paused":
        return Promise(title, "wait", _("Paused"), "", None, one.target_s)
    if one.due_at is None:
        return Promise(title, "done", texts.label(None, state), "", None, one.target_s)
    left = formats.due(one.due_at)
    used = min(one.target_s, max(0, one.target_s - int((one.due_at - now).total_seconds())))
    urgency = {"late": "bad", "soon": "wait"}.get(formats.due_kind(one.due_at), "open")
    return Promise(title, urgency, left, _("Due %(when)s", when=formats.moment(one.due_at)), used, one.target_s)


def _length(seconds: int) -> str:
    if seconds % 86_400 == 0 and seconds >= 2 * 86_400:
        return _("%(n)s d", n=seconds // 86_400)
    if seconds >= 3_600:
        hours = f"{seconds / 3_600:g}"
        return _("%(n)s h", n=hours)
    return _("%(n)s min", n=max(1, seconds // 60))


def _decisions(call: AnyCall, ticket: Ticket) -> list[Decision]:
    rows = why.last_decisions(ticket.id, limit=_decisions_max)
    guard = Guard.of(ticket, call.caller.role)
    return [
        Decision(
            texts.label(None, row["event"]),
            row["at"],
            [_reason(one) for one in guard.rule_traces(row["looks"]) if one["outcome"] != "not_reached"],
        )
        for row in rows
    ]


def _reason(trace: JsonObject) -> Reason:
    outcome = trace["outcome"]
    if outcome == "acted":
        return Reason("check", trace["rule"], _("acted"))
    if outcome == "refused":
        return Reason("alert", trace["rule"], _("refused: %(why)s", why="; ".join(trace.get("reasons", ()))))
    return Reason("minus", trace["rule"], _("silent: %(why)s", why="; ".join(trace.get("failed", ())) or "—"))
