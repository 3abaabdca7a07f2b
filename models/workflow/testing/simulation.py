"""One ticket in memory, driven by the desk's own engine, with a clock that callers move.

Scenarios, `simulate`, `replay` and the property tests use it. It touches no database and sends nothing. Dictionaries
hold what the desk keeps in rows (timers, SLA clocks, votes); `acts` holds what the desk would send.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from models.definitions.desk import UNDECLARED, Desk
from models.kernel.open_json import JsonObject
from models.workflow import engine
from models.workflow.acts import (
    AnyAct,
    ApprovalAsked,
    ApprovalDecided,
    Assigned,
    ClockChanged,
    Refused,
    TimerStarted,
    TimerStopped,
)
from models.workflow.definition import Workflow
from models.workflow.instance import Actor, Candidate, Context, Event, Instance, MessageView, RuleTrace, Step, Strategy
from models.workflow.testing.messages import message_of

firings_max = 10_000  # timers that one `advance` lets go off; a loop that would not end stops here

FieldsView = Callable[[str, Mapping[str, Any]], tuple[Mapping[str, Any], Sequence[str]]]
Validate = Callable[[Instance, Mapping[str, Any]], JsonObject]


class TooManyFirings(Exception):
    """The timers of the life cycle go off without end."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a simulation's cast. `role`: as a user's, or `requester`."""

    id: str
    name: str = ""
    role: str = "agent"
    email: str = ""
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event at an instant, in words, and the engine's result."""

    at: datetime
    event: str
    acts: tuple[AnyAct, ...]
    traces: tuple[RuleTrace, ...]
    state: str = ""


@dataclass(slots=True)
class Simulation:
    """See the module's docstring. Change `now` by `advance` only, so that timers go off in between."""

    workflow: Workflow
    now: datetime
    people: Sequence[Person] = ()
    requester: Mapping[str, Any] = field(default_factory=lambda: {"id": "requester", "name": "Ada", "locale": "en"})
    desk: Desk = UNDECLARED
    organisation: Mapping[str, Any] = field(default_factory=dict)
    linked: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    strategies: Mapping[str, Strategy] = field(default_factory=dict)
    fields_view: FieldsView | None = None
    validate: Validate | None = None
    missing: Callable[[Instance], Sequence[str]] = lambda ticket: ()
    check_new: Callable[[str, Mapping[str, Any], str], object] = lambda type_, fields, priority: None
    # (type, state) -> the names of the fields that nobody may change in the state.
    locked: Callable[[str, str], Collection[str]] = lambda type_, state: ()
    instance: Instance = field(default_factory=lambda: Instance("", ""))
    timers: dict[str, tuple[datetime, Event]] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    _assigned_at: dict[str, datetime] = field(default_factory=dict)

    # -- what happens ---------------------------------------------------------------------------------------

    def create(
        self,
        *,
        text: str = "",
        title: str = "A question",
        type: str = "question",
        priority: str = "normal",
        channel: str = "api",
        contact_channel: str | None = None,
        fields: Mapping[str, Any] | None = None,
        team: str = "",
        tags: Sequence[str] = (),
        automatic: str = "",
        by_machine: bool | None = None,
        by: str = "requester",
    ) -> Step:
        """Open the ticket, by a message of the requester unless `by` names another person."""
        self.instance = Instance(
            state=self.workflow.initial,
            category=self.workflow.states[self.workflow.initial].category,
            type=type,
            priority=priority,
            number=1,
            title=title,
            channel=channel,
            team=team,
            tags=tuple(tags),
            contact_channel=channel if contact_channel is None else contact_channel,
            fields=dict(fields or {}),
            message_count=1,
            created_at=self.now,
            state_since=self.now,
        )
        self._take("ticket opened", engine.start(self.workflow, self.instance, self._context(by)))
        message = message_of(text, automatic, by_machine, "requester" if by == "requester" else "agent", channel)
        return self._react("ticket_created", by=by, message=message)

    def message(
        self, text: str = "", *, automatic: str = "", by_machine: bool | None = None, channel: str | None = None
    ) -> Step:
        """Let the requester write again. `automatic` and `by_machine` are those of `MessageView`; without `by_machine`
        a message that is automatic, other than "bulk" and "own", is a machine's.
        """
        self.instance.message_count += 1
        message = message_of(text, automatic, by_machine, "requester", channel or self.instance.channel)
        return self._react("requester_message", message=message)

    def reply(self, by: str, text: str = "") -> Step:
        """An agent answers the requester."""
        self.instance.message_count += 1
        step = self._react("agent_reply", by=by, message=message_of(text, "", None, "agent", "api"))
        self.instance.first_response_at = self.instance.first_response_at or self.now
        return step

    def note(self, by: str) -> Step:
        self.instance.message_count += 1
        return self._react("note", by=by)

    def transition(
        self, name: str, by: str, *, comment: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> Step:
        """Somebody asks for a transition; `step.refusal` has the reasons when it is refused."""
        context = self._context(by)
        changed = dict(fields or {})
        if changed:
            after = context.validate(self.instance, changed)
            changed = {field: after.get(field) for field in changed}
            if (refusal := self._held(after, "request", name)) is not None:
                return self._take(f"{by} asks for {name}", refusal)
        step = engine.request(self.workflow, self.instance, context, name, comment=comment, fields=changed)
        return self._take(f"{by} asks for {name}", step)

    def vote(self, name: str, by: str, vote: str, *, comment: str | None = None) -> Step:
        """`vote`: approve or refuse."""
        step = engine.vote(self.workflow, self.instance, self._context(by), name, vote=vote, comment=comment)
        return self._take(f"{by} votes {vote} on {name}", step)

    def assign(self, to: str | None, by: str) -> Step:
        """Assign the ticket to a person, or to nobody, on a person's request."""
        self.instance.assignee = to or ""
        self.instance.assignee_name = self.person(to).name if to else ""
        return self._react("assigned", by=by)

    def change(self, by: str, *, priority: str | None = None, fields: Mapping[str, Any] | None = None) -> Step:
        """A person changes priority or fields."""
        context, events = self._context(by), []
        if priority is not None and priority != self.instance.priority:
            events.append(Event("field_changed", "priority", before=self.instance.priority, after=priority))
            self.instance = replace(self.instance, priority=priority)
        if fields:
            after = context.validate(self.instance, fields)
            if (refusal := self._held(after, "field_changed", None)) is not None:
                return self._take(f"{by} changes {', '.join(fields)}", refusal)
            for name in fields:
                before = self.instance.fields.get(name)
                if before != after.get(name):
                    events.append(Event("field_changed", name, before=before, after=after.get(name)))
            self.instance = replace(self.instance, fields={k: v for k, v in after.items() if v is not None})
        step = engine.touched(self.workflow, self.instance, context, events)
        return self._take(f"{by} changes {', '.join(event.name for event in events) or 'nothing'}", step)

    def arrive(self, state: str, *, type: str) -> Step:
        """The type changed, and the ticket enters this life cycle in a state, from another life cycle."""
        events = [Event("field_changed", "type", before=self.instance.type, after=type)]
        how = (self.workflow, replace(self.instance, type=type), self._context(None), state)
        step = engine.reclassified(*how, old=self.workflow, reason="the caller says so", events=events)
        return self._take(f"type changed to {type}", step)

    def _held(self, after: Mapping[str, Any], event: str, transition: str | None) -> Step | None:
        """The refusal of a change of locked fields, or None."""
        ticket = self.instance
        held = [one for one in self.locked(ticket.type, ticket.state) if ticket.fields.get(one) != after.get(one)]
        if not held:
            return None
        reasons = tuple(f"{one} is locked while the ticket is {ticket.state}" for one in sorted(held))
        return Step(ticket, (Refused("locked", event=event, transition=transition, reasons=reasons),), ())

    def signal(self, name: str, payload: Mapping[str, Any] | None = None) -> Step:
        return self._react("signal", name=name, payload=dict(payload or {}))

    def event(self, type: str, name: str = "", payload: Mapping[str, Any] | None = None) -> Step:
        """Any other event: delivery_failed, rated, linked_ticket_done, webhook_failed."""
        return self._react(type, name=name, payload=dict(payload or {}))

    def advance(self, *, seconds: float = 0, to: datetime | None = None) -> list[Step]:
        """Let time pass; timers, SLA clocks and approvals go off in their order. Raises TooManyFirings."""
        end = to or self.now + timedelta(seconds=seconds)
        steps: list[Step] = []
        while (due := self._next_due(end)) is not None:
            if len(steps) >= firings_max:
                raise TooManyFirings(f"more than {firings_max} timers went off until {end.isoformat()}")
            name, at, event = due
            del self.timers[name]
            self.now = max(self.now, at)
            steps.append(self._fire(event))
        self.now = max(self.now, end)
        return steps

    def _next_due(self, end: datetime) -> tuple[str, datetime, Event] | None:
        due = [(at, name, event) for name, (at, event) in self.timers.items() if at <= end]
        if not due:
            return None
        at, name, event = min(due, key=lambda one: one[:2])
        return name, at, event

    def _fire(self, event: Event) -> Step:
        if event.type == "sla":
            step = engine.clock_due(self.workflow, self.instance, self._context(None), event.name)
        elif event.type == "approval_expired":
            step = engine.approval_expired(self.workflow, self.instance, self._context(None), event.name)
        else:
            step = engine.react(self.workflow, self.instance, self._context(None), event)
        return self._take(f"{event.type} {event.name}".strip(), step)

    # -- what there is --------------------------------------------------------------------------------------

    @property
    def acts(self) -> list[AnyAct]:
        """Return everything that followed, in order."""
        return [act for entry in self.log for act in entry.acts]

    def options(self, by: str) -> list[engine.Option]:
        return engine.options(self.workflow, self.instance, self._context(by))

    def person(self, name: str) -> Person:
        """A member of the cast by id, name or e-mail address. Raises KeyError."""
        for one in self.people:
            if name in (one.id, one.name, one.email):
                return one
        raise KeyError(f"nobody is called {name!r}; there are {', '.join(one.id for one in self.people)}")

    # -- inside ---------------------------------------------------------------------------------------------

    def _react(
        self,
        type: str,
        *,
        name: str = "",
        by: str | None = None,
        message: MessageView | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Step:
        context = self._context(by, message)
        step = engine.react(self.workflow, self.instance, context, Event(type, name, payload or {}))
        who = f" by {by}" if by else ""
        return self._take(f"{type} {name}".strip() + who, step)

    def _take(self, event: str, step: Step) -> Step:
        self.instance = step.instance
        self.log.append(Entry(self.now, event, step.acts, step.traces, step.instance.state))
        for act in step.acts:
            self._keep(act)
        return step

    def _keep(self, act: AnyAct) -> None:
        """Keep in memory what the desk keeps in rows; other acts need nothing kept."""
        match act:
            case TimerStarted():
                self.timers[act.timer] = (act.due_at, Event("timer", act.timer, count=act.count))
            case TimerStopped():
                self.timers.pop(act.timer, None)
            case ClockChanged():
                self._keep_clock(act.target)
            case ApprovalAsked(expires_at=datetime() as expires_at):
                expiry = Event("approval_expired", act.transition)
                self.timers[f"approval:{act.transition}"] = (expires_at, expiry)
            case ApprovalDecided():
                self.timers.pop(f"approval:{act.transition}", None)
            case Assigned() if act.after:
                self._assigned_at[act.after] = self.now

    def _keep_clock(self, target: str) -> None:
        clock = self.instance.clocks[target]
        self.timers.pop(f"sla:{target}", None)
        if clock.state == "running" and clock.breached_at is None:
            at = clock.warn_at if clock.warn_at is not None and clock.warned_at is None else clock.due_at
            if at is not None:
                self.timers[f"sla:{target}"] = (at, Event("sla", target))

    def _context(self, by: str | None, message: MessageView | None = None) -> Context:
        context = Context(
            now=self.now,
            actor=self._actor(by),
            message=message,
            desk_url="http://desk.example.test",
            desk=self.desk,
            seed=f"{len(self.log)}",
            roster=self._roster,
            strategy=lambda team: self.strategies.get(team, "manual"),
            requester=lambda: self.requester,
            organisation=lambda: self.organisation,
            linked=lambda: self.linked,
            rating_url=lambda: "http://desk.example.test/rating",
            missing=self.missing,
            check_new=self.check_new,
        )
        if self.fields_view is not None:
            context.fields_view = self.fields_view
        if self.validate is not None:
            context.validate = self.validate
        return context

    def _actor(self, by: str | None) -> Actor:
        if by is None or by == "automation":
            return Actor()
        if by == "requester":
            return Actor("requester", str(self.requester.get("id", "")), "requester")
        person = self.person(by)
        return Actor("user", person.id, person.role, person.teams)

    def _roster(self, team: str | None) -> Sequence[Candidate]:
        busy = self.instance.assignee
        return [
            Candidate(
                one.id,
                one.name or one.id,
                one.email,
                open_tickets=int(one.id == busy),
                assigned_at=self._assigned_at.get(one.id),
            )
            for one in sorted(self.people, key=lambda one: one.id)
            if one.role in ("agent", "manager", "admin") and (team is None or team in one.teams)
        ]
