"""The consequences of an event, one frozen Struct per kind.

The classes are Structs and not dataclasses, because a dataclass costs a process half a millisecond at its import.

The engine gives acts in order; the desk turns each into rows, events and tasks, and a simulation keeps them in memory.
A handler matches on `AnyAct` and ends with `assert_never`, so a type checker finds a kind without a handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from models.kernel import type_info
from models.kernel.open_json import JsonObject
from models.sla.clocks import Clock


class Reason(msgspec.Struct, frozen=True):
    """The condition that held, and the values that it saw. Both are empty where a rule has no condition."""

    condition: str | None = None
    values: Mapping[str, Any] = msgspec.field(default_factory=dict)


NO_REASON = Reason()


class _Ruled(msgspec.Struct, frozen=True):
    """The field that may be given by its position."""

    rule: str


class Act(_Ruled, frozen=True, kw_only=True):
    """One consequence. `rule`: the name of the reaction, transition, timer or policy that caused it."""

    kind: ClassVar[str]

    why: Reason = NO_REASON

    @property
    def condition(self) -> str | None:
        """The condition that held."""
        return self.why.condition

    @property
    def values(self) -> Mapping[str, Any]:
        """The values that the condition saw."""
        return self.why.values

    @property
    def details(self) -> JsonObject:
        """The act's own fields by their public names, as events and the API show them."""
        return {name.rstrip("_"): getattr(self, name) for name in self.__struct_fields__[_COMMON:]}


type_info.only_encoded(Act)
_COMMON = 2  # `rule` and `why`: the fields that all acts share come first


class Moved(Act, frozen=True, kw_only=True):
    """The ticket moved to another state."""

    kind = "moved"
    from_: str
    to: str
    transition: str
    event: str
    comment: str | None = None


class FieldSet(Act, frozen=True, kw_only=True):
    """A field got another value; None: it lost its value."""

    kind = "field_set"
    field: str
    before: Any
    after: Any


class PrioritySet(Act, frozen=True, kw_only=True):
    """The priority changed."""

    kind = "priority_set"
    before: str
    after: str


class TypeSet(Act, frozen=True, kw_only=True):
    """The ticket type changed. `fields`: the fields by the model of the new type."""

    kind = "type_set"
    before: str
    after: str
    fields: JsonObject


class TeamSet(Act, frozen=True, kw_only=True):
    """The team changed; an empty name is no team."""

    kind = "team_set"
    before: str
    after: str


class TagsSet(Act, frozen=True, kw_only=True):
    """The tags changed."""

    kind = "tags_set"
    before: list[str]
    after: list[str]


class Assigned(Act, frozen=True, kw_only=True):
    """The assignee changed. `before` and `after` are user ids, empty for no assignee; `name` is the new assignee's.

    `choice`: the strategy with everybody whom it considered; None where nobody was chosen by a strategy.
    """

    kind = "assigned"
    before: str
    after: str
    how: str
    name: str
    choice: JsonObject | None = None


class MessageSent(Act, frozen=True, kw_only=True):
    """The requester gets a message."""

    kind = "message_sent"
    template: str
    text: str


class RatingAsked(Act, frozen=True, kw_only=True):
    """The requester gets a message that asks for a rating."""

    kind = "rating_asked"
    template: str
    text: str


class NoteAdded(Act, frozen=True, kw_only=True):
    """The ticket gets an internal note."""

    kind = "note_added"
    template: str
    text: str


class Notified(Act, frozen=True, kw_only=True):
    """Users (ids) get a notice; `team` is the team that was named, if one was."""

    kind = "notified"
    users: list[str]
    team: str | None
    text: str


class Withheld(Act, frozen=True, kw_only=True):
    """An effect did not happen."""

    kind = "withheld"
    effect: str
    reason: str


class TimerStarted(Act, frozen=True, kw_only=True):
    """A timer is set to `due_at`. `count` is the number of this firing, from 1."""

    kind = "timer_started"
    timer: str
    due_at: datetime
    count: int


class TimerStopped(Act, frozen=True, kw_only=True):
    """A timer no longer fires."""

    kind = "timer_stopped"
    timer: str


class WebhookCalled(Act, frozen=True, kw_only=True):
    """A webhook of the life cycle is called."""

    kind = "webhook_called"
    webhook: str
    event: str


class Charged(Act, frozen=True, kw_only=True):
    """A user (id) is charged a fee or granted a reward, in minor units of the currency."""

    kind = "charged"
    # The public name is `kind`, which is the act's own kind here.
    charge_kind: Literal["fee", "reward"]
    amount_minor: int
    currency: str
    user: str

    @property
    def details(self) -> JsonObject:
        told = super().details
        return {"kind": told.pop("charge_kind"), **told}


class TicketMade(Act, frozen=True, kw_only=True):
    """Another ticket is created."""

    kind = "ticket_made"
    title: str
    description: str | None
    type: str
    workflow: str | None
    priority: str | None
    team: str | None
    fields: JsonObject
    link: str


class ClockChanged(Act, frozen=True, kw_only=True):
    """An SLA clock changed."""

    kind = "clock_changed"
    target: str
    clock: Clock


class SlaWarned(Act, frozen=True, kw_only=True):
    """A promise comes close to its due instant."""

    kind = "sla_warned"
    target: str
    due_at: datetime | None


class SlaBreached(Act, frozen=True, kw_only=True):
    """The due instant of a promise passed unmet."""

    kind = "sla_breached"
    target: str
    due_at: datetime | None


class ApprovalAsked(Act, frozen=True, kw_only=True):
    """A transition waits for the approval of a team."""

    kind = "approval_asked"
    transition: str
    team: str
    needed: int
    expires_at: datetime | None
    comment: str | None


class ApprovalVoted(Act, frozen=True, kw_only=True):
    """A member of the team voted."""

    kind = "approval_voted"
    transition: str
    user: str
    vote: str
    comment: str | None


class ApprovalDecided(Act, frozen=True, kw_only=True):
    """An approval ended: approved, refused, expired, cancelled, withdrawn (`field` changed) or lapsed (the ticket went
    back to a state from where the approval is asked for again).
    """

    kind = "approval_decided"
    transition: str
    outcome: str
    field: str | None = None


class Refused(Act, frozen=True, kw_only=True):
    """A transition was refused, for `reasons` in words.

    `transition` is None where a reaction without one was refused.
    """

    kind = "refused"
    event: str
    transition: str | None
    reasons: tuple[str, ...]


class Unmatched(Act, frozen=True, kw_only=True):
    """No reaction matched an event that the life cycle wants matched."""

    kind = "unmatched"
    event: str
    name: str


class ChainStopped(Act, frozen=True, kw_only=True):
    """Events that cause each other reached the bound of one step."""

    kind = "chain_stopped"
    event: str
    reason: str


AnyAct = (
    Moved
    | FieldSet
    | PrioritySet
    | TypeSet
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
