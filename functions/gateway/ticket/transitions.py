"""/v1/tickets/{ticket}/transitions and /signals: move a ticket through its life cycle."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.gateway.ticket.tickets import bounded, represented
from functions.gateway.ticket.time_entries import TimeWanted
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.http.problems import problem
from functions.views import representations as show
from functions.views.texts import Comment, Word
from models.events import queries as events
from models.identity.rules import Permission
from models.kernel.clock import rfc3339
from models.kernel.open_json import JsonObject
from models.kernel.storage.savepoint import RollBack, savepoint
from models.ticket_actions import commands
from models.ticket_actions.sorting import time_spent
from models.ticket_workflow import signals, steps
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.seen import Guard

operations = Operations()
NOT_REFUSED: tuple[str, ...] = ()


class TransitionWanted(msgspec.Struct, forbid_unknown_fields=True):
    """A transition to take. `confirm`: required for a transition whose `confirm` asks a person first.

    `time_spent`: minutes that the caller spent on the ticket, recorded if the transition is taken.
    """

    transition: Word
    fields: JsonObject = {}
    comment: Comment | None = None
    confirm: bool = False
    time_spent: TimeWanted | None = None


class ApprovalNeeded(msgspec.Struct):
    """The approval that the transition needs: votes of `count` members of a team."""

    team: str
    count: int


class TransitionOption(msgspec.Struct):
    """A transition from the current state: possible, or refused with reasons.

    `confirm` is the question that a person is asked before; the transition then needs `confirm: true`.
    """

    transition: str
    to: str
    label: dict[str, str]
    possible: bool
    reasons: list[str]
    comment: str
    requires: list[str]
    confirm: dict[str, str] | None
    approval: ApprovalNeeded | None


class TransitionOptions(msgspec.Struct):
    """The transitions from the current state."""

    state: str
    items: list[TransitionOption]


class Signal(msgspec.Struct, forbid_unknown_fields=True):
    """An event from outside the desk, to which the life cycle can react by name."""

    signal: Word
    payload: JsonObject = {}


class SignalTaken(msgspec.Struct):
    """The id of the signal's event in the ticket's history."""

    event_id: UUID


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/transitions",
    summary="List a ticket's transitions",
    needs=Permission.tickets_read,
    answers={200: TransitionOptions},
    problems=(404,),
)
def list_transitions(call: Call) -> Answer:
    """Every transition from the current state, with the reasons why it is refused."""
    ticket = ticket_of(call)
    looked_at = TicketChange(ticket, actor=call.caller.actor, new=False)
    options = steps.options(looked_at, role=call.caller.role)
    guard = Guard.of(ticket, call.caller.role)
    return Answer(
        TransitionOptions(
            ticket.state,
            [
                TransitionOption(
                    option.name,
                    option.transition.to,
                    dict[str, str](option.transition.label.items()),
                    not option.reasons,
                    [guard.text(reason) for reason in option.reasons],
                    option.transition.comment,
                    list(option.requires),
                    dict[str, str](option.transition.confirm.items()) if option.transition.confirm else None,
                    ApprovalNeeded(option.transition.approval.team, option.transition.approval.count)
                    if option.transition.approval
                    else None,
                )
                for option in options
            ],
        )
    )


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/transitions",
    summary="Take a transition",
    needs=Permission.tickets_write,
    body=TransitionWanted,
    answers={200: show.Ticket},
    problems=(404, 409),
    etag="optional",
)
def make_transition(call: Call[TransitionWanted]) -> Answer:
    """A transition that the life cycle refuses answers 409 with the reasons and the last transition.

    The refusal is recorded in the history. A transition that asks for a confirmation answers 409
    `confirmation_required` without `confirm: true`, and nothing is recorded.

    A transition that needs an approval answers 200 with the ticket in its current state; see its approvals. With
    If-Match (optional), a ticket that was changed since that version answers 412.
    """
    body = call.body
    expected = call.optional_version()
    ticket = ticket_of(call)
    row, reasons = ticket, NOT_REFUSED
    if body.time_spent is not None:
        # The minutes count only with the transition: a repeated request would count them twice.
        with savepoint():
            time_spent.add(
                ticket.id,
                minutes=body.time_spent.minutes,
                note=body.time_spent.note,
                user_id=call.caller.owner_id,
                actor=call.caller.actor,
                expected_version=expected,
            )
            row, reasons = _taken(call, ticket.id, None)
            if reasons:
                raise RollBack
    if body.time_spent is None or reasons:
        row, reasons = _taken(call, ticket.id, expected)
    return refused(call, row, reasons) if reasons else represented(call, row)


def _taken(call: Call[TransitionWanted], ticket_id: UUID, expected: int | None) -> tuple[Ticket, tuple[str, ...]]:
    body = call.body
    return commands.transition(
        ticket_id,
        body.transition,
        fields=bounded(body.fields),
        comment=body.comment,
        role=call.caller.role,
        actor=call.caller.actor,
        expected_version=expected,
        confirmed=body.confirm,
    )


def refused(call: AnyCall, row: Ticket, found: tuple[str, ...]) -> Answer:
    """The 409 of a refused transition: the reasons, the state of the ticket, and its last transition."""
    guard = Guard.of(row, call.caller.role)
    reasons = [guard.text(reason) for reason in found]
    move = events.last_of("ticket", row.id, "ticket_state_changed")
    last_move = None
    if move is not None:
        payload = move["payload"]
        last_move = {
            "from": payload["from"],
            "to": payload["to"],
            "transition": payload["transition"],
            "rule": payload["rule"],
            "actor_kind": move["actor_kind"],
            "actor_id": move["actor_id"],
            "at": rfc3339(move["occurred_at"]),
        }
    document = problem(
        409,
        "transition_refused",
        "; ".join(reasons),
        reasons=reasons,
        state=row.state,
        version=row.version,
        last_move=last_move,
    )
    return Answer(document, status=409, headers={"Content-Type": "application/problem+json"})


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/signals",
    summary="Send a signal to a ticket",
    needs=Permission.tickets_write,
    body=Signal,
    answers={202: SignalTaken},
    problems=(404,),
)
def send_signal(call: Call[Signal]) -> Answer:
    """Records an automation's signal. The life cycle processes it asynchronously. An unknown signal changes nothing."""
    ticket = ticket_of(call)
    event_id = signals.receive(ticket.id, call.body.signal, call.body.payload, actor=call.caller.actor)
    return Answer(SignalTaken(event_id), status=202)
