"""One step of the engine in progress: the working copy of the ticket, the acts so far, and the pending events."""

from __future__ import annotations

from collections import deque
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from models.expressions import conditions
from models.expressions.durations import parse_duration
from models.kernel.open_json import JsonObject
from models.sla import working_time
from models.sla.clocks import status
from models.workflow.acts import NO_REASON, AnyAct, ChainStopped, FieldSet, Reason, TimerStarted, TimerStopped
from models.workflow.definition import DateInstant, Timer, Workflow
from models.workflow.execution import date_timers
from models.workflow.instance import NO_MESSAGE, Actor, Context, Event, Instance, RuleTrace, Step
from models.workflow.view import local_time

# An effect causes an event, whose reaction has an effect ...: no sensible life cycle goes deeper, and a loop ends here.
chain_max = 8
# The most acts of one step. The widest shipped life cycle has 9; a definition that reaches the bound is faulty.
acts_max = 100


class Run:
    """A step in the making. Changes go to `instance`, a copy; `end` gives the result."""

    def __init__(self, workflow: Workflow, instance: Instance, context: Context) -> None:
        self.workflow = workflow
        self.context = context
        self.instance = copy(instance)
        self.instance.fields = dict(instance.fields)
        self.instance.clocks = dict(instance.clocks)
        self.instance.approvals = dict(instance.approvals)
        self.acts: list[AnyAct] = []
        self.traces: list[RuleTrace] = []
        self.event = Event("")
        # Whether the ticket entered its team in this step.
        self.entered_team = False
        self._events: deque[tuple[Event, int]] = deque()
        self._depth = 0
        self._names: dict[conditions.Reads | None, conditions.Prepared] = {}
        self._views: dict[tuple[bool, bool, bool], JsonObject] = {}
        self._requester: JsonObject | None = None
        self._organisation: JsonObject | None = None
        self._linked: JsonObject | None = None

    def end(self) -> Step:
        return Step(self.instance, tuple(self.acts), tuple(self.traces))

    # -- telling ------------------------------------------------------------------------------------------------

    def act(self, act: AnyAct) -> None:
        """Add a consequence. Conditions see the ticket after it."""
        self.acts.append(act)
        self._forget_views()

    def trace(self, trace: RuleTrace) -> None:
        self.traces.append(trace)

    def emit(self, event: Event) -> None:
        """Queue an event for the reactions, after the present one."""
        if self._depth >= chain_max or len(self.acts) >= acts_max:
            bound = f"{chain_max} events that cause each other" if self._depth >= chain_max else f"{acts_max} acts"
            self.act(ChainStopped("engine", event=event.type, reason=f"more than {bound} in one step"))
            return
        self._events.append((event, self._depth + 1))

    def next_event(self) -> Event | None:
        """The next event that reactions have not looked at; conditions see it from now on.

        None when there is no more.
        """
        if not self._events:
            self._depth = 0
            return None
        self.event, self._depth = self._events.popleft()
        self._forget_views()
        return self.event

    # -- the view -----------------------------------------------------------------------------------------------

    def explain(self, expression: str) -> conditions.Explanation:
        """Evaluate a condition over the ticket as it is now, and report the values that it read."""
        return conditions.explain(expression, self.names(expression))

    def names(self, expression: str) -> conditions.Prepared:
        """Prepare the view for an expression (`view.ENVIRONMENT` is the contract).

        The requester, the organisation and the linked tickets are read only if the expression names them.
        """
        reads = conditions.reads(expression)
        prepared = self._names.get(reads)
        if prepared is None:
            named = requester, organisation, linked = *_reads_people(reads), _reads_links(reads)
            if named not in self._views:
                self._views[named] = self.view(requester=requester, organisation=organisation, linked=linked)
            self._names[reads] = prepared = conditions.prepare(self._views[named], reads)
        return prepared

    def _forget_views(self) -> None:
        """Let the next condition see the ticket as it is then."""
        if self._names:
            self._names, self._views = {}, {}

    def requester(self) -> JsonObject:
        if self._requester is None:
            found = _REQUESTER | dict(self.context.requester())
            zone = found.get("time_zone") or self.context.desk.zone
            self._requester = found | local_time(self.context.now, zone)
        return self._requester

    def organisation(self) -> JsonObject:
        if self._organisation is None:
            self._organisation = _ORGANISATION | dict(self.context.organisation())
        return self._organisation

    def linked(self) -> JsonObject:
        """Return the numbers of linked tickets."""
        if self._linked is None:
            found = self.context.linked()
            self._linked = {name: zeros | dict(found.get(name, {})) for name, zeros in _LINKED.items()}
        return self._linked

    def view(self, *, requester: bool = True, organisation: bool = True, linked: bool = True) -> JsonObject:
        ticket, context = self.instance, self.context
        fields, filled = context.fields_view(ticket.type, ticket.fields)
        actor = context.actor
        return {
            "ticket": {
                "number": ticket.number,
                "title": ticket.title,
                "type": ticket.type,
                "priority": ticket.priority,
                "state": ticket.state,
                "category": ticket.category,
                "channel": ticket.channel,
                "contact_channel": ticket.contact_channel,
                "assigned": bool(ticket.assignee),
                "assignee": ticket.assignee,
                "team": ticket.team,
                "tags": list(ticket.tags),
                "message_count": ticket.message_count,
                "created_at": ticket.created_at or context.now,
                "state_since": ticket.state_since or context.now,
                "fields": fields,
                "filled": list(filled),
            },
            "fields": fields,
            "requester": (self.requester() if requester else _REQUESTER)
            | ({"organisation": self.organisation()["name"]} if organisation else {}),
            "organisation": self.organisation() if organisation else _ORGANISATION,
            **(self.linked() if linked else _LINKED),
            "event": {
                "type": self.event.type,
                "name": self.event.name,
                "payload": dict(self.event.payload),
                "before": self.event.before,
                "after": self.event.after,
                "count": self.event.count,
            },
            "message": dict(context.message or NO_MESSAGE),
            "actor": {
                "kind": actor.kind,
                "id": actor.id,
                "role": actor.role,
                "teams": list(actor.teams),
                "is_assignee": is_assignee(actor, ticket),
                "is_requester": actor.role == "requester",
            },
            "sla": {
                target: status(ticket.clocks.get(target))
                for target in ("first_response", "next_response", "resolution")
            },
            "desk": local_time(context.now, context.desk.zone),
            "now": context.now,
        }

    # -- timers -------------------------------------------------------------------------------------------------

    def start_timers(self) -> None:
        """Start the timers of the state that a new ticket is in."""
        for name, timer in self.workflow.timers.items():
            if self.instance.state in timer.in_ and not timer.manual:
                self.start_timer(name, timer, rule="state")

    def start_timer(self, name: str, timer: Timer, *, rule: str, count: int = 1, since: datetime | None = None) -> None:
        """Start a timer for its firing number `count`. From the second firing on, the distance is the repeat's."""
        if timer.at is not None and count == 1:
            self._start_date_timer(name, timer.at, rule=rule)
            return
        if count > 1 and timer.repeat is not None:
            seconds = parse_duration(timer.repeat.every)
        else:
            seconds = parse_duration(timer.after) if timer.after is not None else timer.after_s
        self.set_timer(name, self.due(seconds, timer.calendar, since), rule=rule, count=count)

    def set_timer(self, name: str, due_at: datetime, *, rule: str, count: int = 1) -> None:
        """Set a timer to an instant; one in the past is due now."""
        self.act(TimerStarted(rule, timer=name, due_at=max(due_at, self.context.now), count=count))

    def _start_date_timer(self, name: str, at: DateInstant, *, rule: str) -> None:
        due_at = date_timers.due(at, self.instance.fields, self.context.now)
        if due_at is None:
            self.act(TimerStopped(rule, timer=name))
        else:
            self.set_timer(name, due_at, rule=rule)

    def follow_date(self, field: str) -> None:
        """Set the timers of the present state again that fire at the date in a field which has changed."""
        for name, timer in self.workflow.timers.items():
            if timer.at is not None and timer.at.field == field and self.instance.state in timer.in_:
                self._start_date_timer(name, timer.at, rule=field)

    def due(self, seconds: int, calendar: str | None, since: datetime | None = None) -> datetime:
        """The instant `seconds` after now (or `since`), in working time of a calendar or by the
        wall clock without one.
        """
        start = since or self.context.now
        if calendar is None:
            return start + timedelta(seconds=seconds)
        return working_time.add(self.workflow.calendars[calendar], start, seconds)

    def timer_stands(self, event: Event) -> bool:
        """Return True if a fired timer still applies. Starts a repeating timer again."""
        timer = self.workflow.timers.get(event.name)
        if timer is None or (timer.in_ and not timer.keep and self.instance.state not in timer.in_):
            reason = f"the ticket is {self.instance.state}" if timer else "this version has no such timer"
            self.trace(
                RuleTrace("timer", event.name, "silent", reasons=(f"the timer does not stand any more: {reason}",))
            )
            return False
        if timer.repeat is not None and event.count <= timer.repeat.times:
            self.start_timer(event.name, timer, rule="repeat", count=event.count + 1)
        return True

    # -- the ticket ---------------------------------------------------------------------------------------------

    def set_field(self, field: str, value: Any, *, rule: str, why: Reason = NO_REASON) -> None:
        """A field's new, valid value; None takes it away."""
        ticket, before = self.instance, self.instance.fields.get(field)
        if before == value:
            return
        if value is None:
            ticket.fields.pop(field, None)
        else:
            ticket.fields[field] = value
        self.act(FieldSet(rule, why=why, field=field, before=before, after=value))
        self.emit(Event("field_changed", field, before=before, after=value))


_REQUESTER: JsonObject = {
    "id": "",
    "name": "",
    "locale": "",
    "channel": "",
    "time_zone": "",
    "organisation": "",
    "fields": {},
    "hour": 0,
    "time": "",
    "weekday": "",
}
_LINKED: JsonObject = {"children": {"total": 0, "open": 0, "done": 0}, "blockers": {"total": 0, "open": 0}}
_ORGANISATION: JsonObject = {"id": "", "name": "", "fields": {}}


def _reads_people(reads: conditions.Reads | None) -> tuple[bool, bool]:
    """Return whether an expression reads the requester, and whether it reads the organisation."""
    if reads is None:
        return True, True
    named = {name for name, _ in reads}
    return "requester" in named, "organisation" in named or ("requester", "organisation") in reads


def _reads_links(reads: conditions.Reads | None) -> bool:
    """Return whether an expression reads the numbers of linked tickets."""
    return reads is None or not _LINKED.keys().isdisjoint(name for name, _ in reads)


def is_assignee(actor: Actor, ticket: Instance) -> bool:
    return bool(actor.id) and actor.kind == "user" and actor.id == ticket.assignee


def not_evaluated(condition: str, explained: conditions.Explanation) -> str:
    """Describe a condition that is neither true nor false: what failed, and the values that it saw."""
    seen = conditions.in_words(explained.values)
    return f"the condition {condition!r} cannot be evaluated: {explained.error}{seen}"
