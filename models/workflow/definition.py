"""A life cycle as data: the schema of the YAML file and its defaults. `checks` holds the rules of consistency.

Published versions stay readable, so no key is ever removed or given another meaning. `after_s` of a timer is such an
old key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from models.definitions import shape
from models.kernel.open_json import JsonObject
from models.sla.working_time import Calendar

Category = Literal["todo", "waiting", "done", "closed"]
Target = Literal["first_response", "next_response", "resolution"]
EventType = Literal[
    "ticket_created",
    "requester_message",
    "agent_reply",
    "note",
    "assigned",
    "delivery_failed",
    "timer",
    "signal",
    "field_changed",
    "state_entered",
    "sla_warning",
    "sla_breached",
    "approval_requested",
    "approval_refused",
    "approval_expired",
    "approval_withdrawn",
    "rated",
    "linked_ticket_done",
    "webhook_failed",
]
# Events that are about one thing of the definition or of the ticket, and the key by which a reaction names it.
NAMED_EVENTS: dict[str, str] = {
    "timer": "timer",
    "signal": "signal",
    "field_changed": "field",
    "state_entered": "state",
    "sla_warning": "target",
    "sla_breached": "target",
    "approval_requested": "approval",
    "approval_refused": "approval",
    "approval_expired": "approval",
    "approval_withdrawn": "approval",
}
TARGETS: tuple[Target, ...] = ("first_response", "next_response", "resolution")
ROLES = ("admin", "manager", "accountant", "agent", "requester", "automation")
WHO = (*ROLES, "assignee")  # and team:<name>
# Language (BCP 47) -> text.
Label = dict[str, str]
Name = str
Duration = str


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state of a ticket.

    `requester_label`: the label for the requester, if it differs; `pauses`: the SLA clocks that pause here.
    """

    category: Category
    label: Label
    requester_label: Label | None = None
    pauses: list[Target] = []
    description: str = ""


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A notice to agents: the assignee, a team or one person (by e-mail address); `text` is a template."""

    text: Name
    assignee: bool = False
    team: Name | None = None
    user: str | None = None


class Assign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An assignment. The assignee comes from `team`, or from all agents without one; `user` is an e-mail address.

    `team_strategy` is the strategy of `team`, or of the ticket's team without one (`assignment` in teams.yaml).
    """

    how: Literal["round_robin", "least_busy", "random", "team_strategy", "person", "nobody"]
    team: Name | None = None
    user: str | None = None


class Charge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fee (the agent owes) or a reward (the agent is owed).

    `amount` is a decimal text in major units, such as "4.50"; `currency` defaults to the desk's.
    """

    kind: Literal["fee", "reward"]
    amount: str
    currency: str = ""
    to: Literal["assignee", "actor"] = "assignee"


class LinkedTicket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket to make. `title` and `description` are templates; `link` says what it is to this one."""

    title: Name
    type: Name
    description: Name | None = None
    workflow: Name | None = None
    priority: Name | None = None
    team: Name | None = None
    fields: dict[Name, Any] = {}
    link: Literal["child", "related"] = "child"


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that follows; exactly one property besides `when` (a CEL condition) is set.

    `send`: a template goes to the requester over the ticket's channel. `set`: field -> value, or {cel: expression}.
    `type`: the ticket gets another type, and moves to the life cycle of that type.
    """

    send: Name | None = None
    note: Name | None = None
    notify: Notify | None = None
    set: dict[Name, Any] | None = None
    assign: Assign | None = None
    team: Name | None = None
    priority: Name | None = None
    add_tags: list[Name] | None = None
    remove_tags: list[Name] | None = None
    start_timer: Name | None = None
    stop_timer: Name | None = None
    webhook: Name | None = None
    charge: Charge | None = None
    create_ticket: LinkedTicket | None = None
    ask_rating: Name | None = None
    type: Name | None = None
    when: str | None = None

    @property
    def kind(self) -> str:
        """The name of the property that is set."""
        return next(name for name in EFFECTS if getattr(self, name) is not None)


EFFECTS: tuple[str, ...] = tuple(name for name in Effect.__struct_fields__ if name != "when")


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transition that waits for `count` members of a team. One refusal ends it; so does `expires`.

    `refused` and `expired` name the transitions that follow then. `own`: may who asked also approve? `withdrawn_by`:
    fields whose change withdraws the approval, while it waits and after it was given; `withdrawn` names the transition
    that follows.
    """

    team: Name
    count: int = 1
    expires: Duration | None = None
    refused: Name | None = None
    expired: Name | None = None
    own: bool = False
    withdrawn_by: list[Name] = []
    withdrawn: Name | None = None

    @property
    def follow_ups(self) -> dict[str, Name]:
        """The transitions that follow the ends of the approval, by key."""
        named = {"refused": self.refused, "expired": self.expired, "withdrawn": self.withdrawn}
        return {key: name for key, name in named.items() if name is not None}


# Stands among `requires` for the minutes that people recorded on the ticket.
TIME_SPENT: Final = "time_spent"


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A move that is allowed. `who` may make it: roles, `assignee`, `requester`, `automation`, `team:<name>`.

    `requires`: fields that must have a value, and `time_spent` for recorded minutes; `guard`: a CEL condition;
    `confirm`: what a person is asked before.
    """

    to: Name
    label: Label
    who: list[str]
    from_: list[Name] | Literal["any"] = msgspec.field(name="from")
    guard: str | None = None
    comment: Literal["optional", "required", "none"] = "optional"
    requires: list[Name] = []
    confirm: Label | None = None
    approval: Approval | None = None
    do: list[Effect] = []
    description: str = ""

    def starts_in(self, state: str) -> bool:
        return state != self.to if self.from_ == "any" else state in self.from_


class Reaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that reacts to an event. Reactions are tried in the order of the file: the first that matches acts, and
    the search ends unless it says `continue`.

    `timer`, `signal`, `field`, `state`, `target`, `approval` name what `on` is about; left out, any (`on: timer:x` is
    short for both).
    """

    on: str
    name: Name
    in_: list[Name] | None = msgspec.field(default=None, name="in")
    timer: Name | None = None
    signal: Name | None = None
    field: Name | None = None
    state: Name | None = None
    target: Target | None = None
    approval: Name | None = None
    when: str | None = None
    transition: Name | None = None
    do: list[Effect] = []
    continue_: bool = msgspec.field(default=False, name="continue")
    description: str = ""

    @property
    def event(self) -> str:
        """The type of event: `timer` of `on: timer:x`."""
        return self.on.partition(":")[0]

    @property
    def about(self) -> str | None:
        """The one thing that the event must be about, or None for any."""
        _, colon, short = self.on.partition(":")
        if colon:
            return short
        key = NAMED_EVENTS.get(self.on)
        named: str | None = getattr(self, key) if key else None
        return named


class Repeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A timer goes off again `every` so often, `times` times more."""

    every: Duration
    times: int


class DateInstant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The date in a field: the beginning of that day in `zone`, or its end; `before`: so much earlier.

    A reminder with `before` does not fire when its instant has passed as the timer starts.
    """

    field: Name
    before: Duration | None = None
    day: Literal["begins", "ends"] = "begins"
    zone: str = "UTC"


class Timer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fires the event `timer` when a ticket has been in one of the states for `after` (working time with a calendar).

    `at` fires it at the date in a field instead, and a changed date moves it. Leaving the states stops it, unless
    `keep`. A `manual` one is started by the effect `start_timer` only.
    """

    in_: list[Name] = msgspec.field(name="in", default_factory=list)
    after: Duration | None = None
    after_s: int = 0
    at: DateInstant | None = None
    calendar: Name | None = None
    repeat: Repeat | None = None
    keep: bool = False
    manual: bool = False


class SlaPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Promises to the tickets that match `when`; the first policy that matches applies.

    `targets`: a duration, or one per priority (`default` for the others). Clocks pause in `pause_in` and in states that
      `pauses` them.
    """

    name: Name
    targets: dict[Target, Duration | dict[Name, Duration]]
    when: str | None = None
    calendar: Name | None = None
    warn_before: Duration | None = None
    pause_in: list[Name] = []


class SecretName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secret: Name


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address that an effect calls, signed with a secret that is named here and never contained."""

    url: str
    secret: SecretName


class Workflow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole life cycle. `types`: the ticket types whose fields its conditions may read. `templates`: message texts
    with {{ variables }}, by language.

    `unmatched`: events to note in the history when no rule matches. `states_from`: where a ticket starts whose type
    changed: another life cycle -> its state -> a state of this one. Without an entry it starts in the initial state.
    """

    workflow: Name
    label: Label
    initial: Name
    states: dict[Name, State]
    transitions: dict[Name, Transition]
    reactions: list[Reaction] = []
    unmatched: list[EventType] = []
    timers: dict[Name, Timer] = {}
    calendars: dict[Name, Calendar] = {}
    sla: list[SlaPolicy] = []
    templates: dict[Name, Label] = {}
    webhooks: dict[Name, Webhook] = {}
    types: list[Name] = []
    priorities: tuple[str, ...] = ("low", "normal", "high", "urgent")
    tags: list[Name] = []
    states_from: dict[Name, dict[Name, Name]] = {}
    description: str = ""


@dataclass(frozen=True)
class WorkflowVersion:
    """A workflow as published: the definition and the version that tickets stay on."""

    definition: Workflow
    version: int


def read(body: JsonObject) -> Workflow:
    """The structure alone: what was checked when it was published is not checked again. Raises Invalid."""
    return shape.convert(body, Workflow)


def json_schema() -> JsonObject:
    """JSON Schema 2020-12 of the file, for editors (`# yaml-language-server: $schema=`)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Workflow)}
