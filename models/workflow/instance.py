"""The input and output of the engine: plain data, the same in the desk, in a simulation and in a replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypedDict

from models.definitions.desk import UNDECLARED, Desk
from models.kernel.open_json import JsonObject
from models.sla.clocks import Clock
from models.workflow.acts import AnyAct, Refused

# Characters of a message that conditions see: the words that route a ticket stand at its beginning.
condition_text_chars_max: Final = 32_768
# The ways in which a team assigns the tickets that enter it. `manual`: people do.
Strategy = Literal["manual", "round_robin", "least_busy", "random"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `name`: the timer, signal, field, state, target or approval that it is about."""

    type: str
    name: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    before: Any = None
    after: Any = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor as rules see it. `role` is a user's role, `requester` or `automation`."""

    kind: str = "system"
    id: str = ""
    role: str = "automation"
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who can be given a ticket.

    `open_tickets`: not done or closed; `assigned_at`: when last given one (round robin). `unavailable`: the reason why
    the user gets no ticket now (away, at capacity); empty for a user who does.
    """

    id: str
    name: str
    email: str = ""
    open_tickets: int = 0
    assigned_at: datetime | None = None
    unavailable: str = ""


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A transition that waits. `votes`: user id -> approve | refuse."""

    transition: str
    team: str
    needed: int
    asked_by: str
    expires_at: datetime | None = None
    votes: Mapping[str, str] = field(default_factory=dict)
    comment: str | None = None


@dataclass(slots=True)
class Instance:
    """One ticket as its life cycle sees it. The engine works on a copy and gives it back."""

    state: str
    category: str
    type: str = "question"
    priority: str = "normal"
    number: int = 0
    title: str = ""
    channel: str = "api"
    contact_channel: str = ""
    assignee: str = ""
    assignee_name: str = ""
    team: str = ""
    tags: tuple[str, ...] = ()
    fields: JsonObject = field(default_factory=dict)
    message_count: int = 0
    minutes_spent: int = 0
    created_at: datetime | None = None
    state_since: datetime | None = None
    first_response_at: datetime | None = None
    clocks: dict[str, Clock] = field(default_factory=dict)
    approvals: dict[str, PendingApproval] = field(default_factory=dict)
    # Transitions whose approval was given and stands: it was not withdrawn, and the ticket did not go back.
    approved: frozenset[str] = frozenset()

    def model_view(self) -> JsonObject:
        """Return the names beside `fields` that the conditions of the information model read."""
        return {"ticket": {"type": self.type, "priority": self.priority, "state": self.state}}


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """The outcome of one rule for one event: acted, silent (with the part of its condition that failed), refused, or
    not reached.
    """

    event: str
    rule: str
    outcome: Literal["acted", "silent", "refused", "not_reached"]
    condition: str | None = None
    failed: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The result of an event: the instance after it, the acts in order, and a trace of every rule."""

    instance: Instance
    acts: tuple[AnyAct, ...]
    traces: tuple[RuleTrace, ...]

    @property
    def refusal(self) -> tuple[str, ...]:
        """The reasons of the first refusal; empty when nothing was refused."""
        return next((act.reasons for act in self.acts if isinstance(act, Refused)), ())


def _as_they_are(type_: str, fields: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[str]]:
    return fields, [name for name, value in fields.items() if value not in (None, "", [], {})]


def _any_value(ticket: Instance, wanted: Mapping[str, Any]) -> JsonObject:
    return {**ticket.fields, **wanted}


class MessageView(TypedDict):
    """The facts about a message that conditions may use.

    `automatic` says why the desk must not answer it automatically; empty if it may. `by_machine` says that no person
    wrote it. `length`: characters of the whole text; `text`: its beginning.
    """

    automatic: str
    by_machine: bool
    author_kind: str
    channel: str
    attachments: int
    length: int
    text: str
    text_lower: str


def seen_message(
    author_kind: str, channel: str, text: str, *, automatic: str = "", by_machine: bool = False, attachments: int = 0
) -> MessageView:
    """Return the facts about a message with this text. Of a long text, conditions see the beginning."""
    beginning = text[:condition_text_chars_max]
    return {
        "automatic": automatic,
        "by_machine": by_machine,
        "author_kind": author_kind,
        "channel": channel,
        "attachments": attachments,
        "length": len(text),
        "text": beginning,
        "text_lower": beginning.lower(),
    }


NO_MESSAGE: Final[MessageView] = seen_message("", "", "")


@dataclass(slots=True)
class Context:
    """The surroundings that the engine may query. Answers must be the same for the same ticket, event and instant."""

    now: datetime
    actor: Actor = Actor()
    message: MessageView | None = None
    desk_url: str = ""
    desk: Desk = UNDECLARED
    # A text that differs by event: chance is drawn from it, so that a replay draws the same.
    seed: str = ""
    # Members of a team, or all who take tickets (None), in a stable order.
    roster: Callable[[str | None], Sequence[Candidate]] = lambda team: ()
    # The roster with the availability of each candidate; None: all are available. The second argument says that the
    # choice compares the candidates, so that no other one may happen until this one is written.
    assignable: Callable[[str | None, bool], Sequence[Candidate]] | None = None
    # The strategy by which a team gives the tickets that enter it to its members.
    strategy: Callable[[str], Strategy] = lambda team: "manual"
    # (type, fields) -> (every declared field with its value or zero, names of those with a value).
    fields_view: Callable[[str, Mapping[str, Any]], tuple[Mapping[str, Any], Sequence[str]]] = _as_they_are
    # (ticket, wanted) -> all fields after the change; raises Invalid.
    validate: Callable[[Instance, Mapping[str, Any]], JsonObject] = _any_value
    # The names of the fields that the information model requires of the ticket and that have no value.
    missing: Callable[[Instance], Sequence[str]] = lambda ticket: ()
    # (type, fields, priority): checks the fields of a new ticket that a rule makes; raises Invalid.
    check_new: Callable[[str, Mapping[str, Any], str], object] = lambda type_, fields, priority: None
    # (ticket, type) -> all fields as the type's model has them; raises Invalid when the ticket cannot get the type now.
    retype: Callable[[Instance, str], JsonObject] = lambda ticket, type_: dict(ticket.fields)
    # The reason why the ticket must not enter a state now, or None.
    veto: Callable[[str], str | None] = lambda state: None
    # Texts to the requester contain no words of the requester: name, title and fields are empty.
    hides_words: bool = False
    rating_url: Callable[[], str] = lambda: ""
    # id, name, locale, time_zone, channel and fields of the requester; read only where a rule or a text needs it.
    requester: Callable[[], Mapping[str, Any]] = dict
    # id, name and fields of the requester's organisation; read only where a rule needs it.
    organisation: Callable[[], Mapping[str, Any]] = dict
    # The numbers of `children` and `blockers`, by category; read only where a rule needs them.
    linked: Callable[[], Mapping[str, Mapping[str, int]]] = dict
