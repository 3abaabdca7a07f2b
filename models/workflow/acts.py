"""The consequences of an event, one frozen dataclass per kind.

The engine gives acts in order; the desk turns each into rows, events and tasks, and a simulation keeps them in memory.
A handler matches on `AnyAct` and ends with `assert_never`, so a type checker finds a kind without a handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Literal

from models.sla.clocks import Clock


@dataclass(frozen=True, slots=True)
class Reason:
    """The condition that held, and the values that it saw. Both are empty where a rule has no condition."""

    condition: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


NO_REASON = Reason()


@dataclass(frozen=True, slots=True)
class Act:
    """One consequence. `rule`: the name of the reaction, transition, timer or policy that caused it."""

    kind: ClassVar[str]

    rule: str
    why: Reason = field(default=NO_REASON, kw_only=True)

    @property
    def condition(self) -> str | None:
        """The condition that held."""
        return self.why.condition

    @property
    def values(self) -> Mapping[str, Any]:
        """The values that the condition saw."""
        return self.why.values

    @property
    def details(self) -> dict[str, Any]:
        """The act's own fields by their public names, as events and the API show them."""
        return {spec.name.rstrip("_"): getattr(self, spec.name) for spec in fields(self)[_COMMON:]}


_COMMON = 2  # `rule` and `why`: the fields that all acts share come first


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Act):
    """The ticket moved to another state."""

    kind = "moved"
    from_: str
    to: str
    transition: str
    event: str
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSet(Act):
    """A field got another value; None: it lost its value."""

    kind = "field_set"
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PrioritySet(Act):
    """The priority changed."""

    kind = "priority_set"
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSet(Act):
    """The team changed; an empty name is no team."""

    kind = "team_set"
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsSet(Act):
    """The tags changed."""

    kind = "tags_set"
    before: list[str]
    after: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned(Act):
    """The assignee changed. `before` and `after` are user ids, empty for no assignee; `name` is the new assignee's."""

    kind = "assigned"
    before: str
    after: str
    how: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Act):
    """The requester gets a message."""

    kind = "message_sent"
    template: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingAsked(Act):
    """The requester gets a message that asks for a rating."""

    kind = "rating_asked"
    template: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded(Act):
    """The ticket gets an internal note."""

    kind = "note_added"
    template: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified(Act):
    """Users (ids) get a notice; `team` is the team that was named, if one was."""

    kind = "notified"
    users: list[str]
    team: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld(Act):
    """An effect did not happen."""

    kind = "withheld"
    effect: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerStarted(Act):
    """A timer is set to `due_at`. `count` is the number of this firing, from 1."""

    kind = "timer_started"
    timer: str
    due_at: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerStopped(Act):
    """A timer no longer fires."""

    kind = "timer_stopped"
    timer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCalled(Act):
    """A webhook of the life cycle is called."""

    kind = "webhook_called"
    webhook: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged(Act):
    """A user (id) is charged a fee or granted a reward, in minor units of the currency."""

    kind = "charged"
    # The public name is `kind`, which is the act's own kind here.
    charge_kind: Literal["fee", "reward"]
    amount_minor: int
    currency: str
    user: str

    @property
    def details(self) -> dict[str, Any]:
        told = Act.details.fget(self)  # type: ignore[attr-defined]  # a slotted dataclass has no working super()
        return {"kind": told.pop("charge_kind"), **told}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMade(Act):
    """Another ticket is created."""

    kind = "ticket_made"
    title: str
    description: str | None
    type: str
    workflow: str | None
    priority: str | None
    team: str | None
    fields: dict[str, Any]
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChanged(Act):
    """An SLA clock changed."""

    kind = "clock_changed"
    target: str
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaWarned(Act):
    """A promise comes close to its due instant."""

    kind = "sla_warned"
    target: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaBreached(Act):
    """The due instant of a promise passed unmet."""

    kind = "sla_breached"
    target: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked(Act):
    """A transition waits for the approval of a team."""

    kind = "approval_asked"
    transition: str
    team: str
    needed: int
    expires_at: datetime | None
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalVoted(Act):
    """A member of the team voted."""

    kind = "approval_voted"
    transition: str
    user: str
    vote: str
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(Act):
    """An approval ended: approved, refused, expired or cancelled."""

    kind = "approval_decided"
    transition: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Act):
    """A transition was refused, for `reasons` in words.

    `transition` is None where a reaction without one was refused.
    """

    kind = "refused"
    event: str
    transition: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched(Act):
    """No reaction matched an event that the life cycle wants matched."""

    kind = "unmatched"
    event: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStopped(Act):
    """Events that cause each other reached the bound of one step."""

    kind = "chain_stopped"
    event: str
    reason: str


AnyAct = (
    Moved
    | FieldSet
    | PrioritySet
    | TeamSet
    | TagsSet
    | Assigned
    | MessageSent
    | RatingAsked
    | NoteAdded
    | Notified
    | Withheld
    | TimerStarted
    | TimerStopped
    | WebhookCalled
    | Charged
    | TicketMade
    | ClockChanged
    | SlaWarned
    | SlaBreached
    | ApprovalAsked
    | ApprovalVoted
    | ApprovalDecided
    | Refused
    | Unmatched
    | ChainStopped
)
