"""/t/{ticket}/transitions: move a ticket through its life cycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from functions.console.frame import formats, rendering, texts
from functions.console.frame.pages import Pages
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.console.ticket import field_inputs
from functions.console.ticket.field_inputs import FieldInput
from functions.console.ticket.finding import Place, back, ticket_of
from functions.http.operations import Answer, AnyCall, Call
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.kernel.errors import Invalid, NotFound
from models.kernel.storage.savepoint import savepoint
from models.ticket_actions import commands
from models.ticket_workflow import steps
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.seen import Guard

pages = Pages()
operations = pages.operations


@dataclass(frozen=True, slots=True)
class Option:
    """A transition from the current state. `asks`: it needs a form first: fields, a comment or a confirmation."""

    name: str
    label: str
    group: str
    possible: bool
    reasons: list[str]
    requires: tuple[str, ...]
    comment: str
    confirm: str
    approval: str

    @property
    def asks(self) -> bool:
        """Return True if the transition needs something from the person."""
        return bool(self.requires or self.confirm) or self.comment == "required"


class TransitionForm(msgspec.Struct):
    """A transition to take. `confirm` says that the person read the question. `values` has the fields by name."""

    comment: Comment | None = None
    confirm: bool = False
    place: Place = ""
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    values: dict[str, list[str]] = {}


def options(call: AnyCall, ticket: Ticket) -> list[Option]:
    """Return the transitions from the current state: the possible ones first, in the order of the definition."""
    change = TicketChange(ticket, actor=call.caller.actor, new=False)
    states = steps.workflow_of(change).states
    guard = Guard.of(ticket, call.caller.role)
    found = []
    for one in steps.options(change, role=call.caller.role):
        transition, target = one.transition, states.get(one.transition.to)
        needs = tuple(name for name in one.missing if name != "time_spent")
        found.append(
            Option(
                one.name,
                texts.label(transition.label, one.name),
                formats.GROUPS.get(target.category if target is not None else "", "open"),
                not one.obstacles,
                [guard.text(reason) for reason in one.obstacles],
                needs,
                transition.comment,
                texts.label(transition.confirm, "") if transition.confirm else "",
                transition.approval.team if transition.approval is not None else "",
            )
        )
    return sorted(found, key=lambda option: not option.possible)


def _option(call: AnyCall, ticket: Ticket) -> Option:
    for one in options(call, ticket):
        if one.name == call.params["transition"]:
            return one
    raise NotFound(_("This transition does not start in the current state."))


@pages.get("/t/{ticket}/transitions/{transition}", "Ask for a transition", needs=Permission.tickets_write)
def show_transition(call: Call) -> Answer:
    """The form of a transition that needs fields, a comment or a confirmation."""
    ticket = ticket_of(call)
    with reading(rendering.speaking(call)):
        option = _option(call, ticket)
    return _form(call, ticket, option, [], TransitionForm())


def _form(
    call: AnyCall, ticket: Ticket, option: Option, problems: list[str], given: TransitionForm, status: int = 200
) -> Answer:
    with reading(rendering.speaking(call)):
        inputs: list[FieldInput] = field_inputs.wanted(ticket, call.caller.role, option.requires)
        for one in inputs:
            if one.id in given.values:
                one.value = given.values[one.id] if one.kind == "multi_choice" else given.values[one.id][-1]
        title = f"{option.label} #{ticket.number}"
    return rendering.page(
        call,
        "ticket/transition.html",
        title=title,
        status=status,
        ticket=ticket,
        option=option,
        inputs=inputs,
        problems=problems,
        given=given,
    )


@pages.post(
    "/t/{ticket}/transitions/{transition}", "Take a transition", form=TransitionForm, needs=Permission.tickets_write
)
def move_ticket(call: Call[TransitionForm]) -> Answer:
    """A refused transition shows its form again with the reasons, which the history keeps too."""
    body, ticket = call.body, ticket_of(call)
    with reading(rendering.speaking(call)):
        option = _option(call, ticket)
        if option.confirm and not body.confirm:
            return _form(call, ticket, option, [], body)
        try:
            with savepoint():
                row, reasons = commands.transition(
                    ticket.id,
                    option.name,
                    fields=field_inputs.read(ticket, body.values),
                    comment=(body.comment or "").strip() or None,
                    role=call.caller.role,
                    actor=call.caller.actor,
                    confirmed=body.confirm,
                )
        except Invalid as error:
            return _form(call, ticket, option, [error.message], body, 422)
        if reasons:
            guard = Guard.of(row, call.caller.role)
            return _form(call, row, option, [guard.text(one) for one in reasons], body, 409)
        return back(row, body.place, _("%(transition)s: done", transition=option.label))
