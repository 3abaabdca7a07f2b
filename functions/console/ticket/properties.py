"""/t/{ticket}: assignment, priority, team, tags, title, fields and snooze, and the undo of their changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from functions.console.frame import rendering
from functions.console.frame.pages import Pages
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.console.ticket import field_inputs
from functions.console.ticket.finding import Place, address, back, ticket_of
from functions.http.operations import Answer, AnyCall, Call
from functions.views import pages as addresses
from functions.views.texts import Comment, Instant, Title, Word
from models.identity.rules import Permission
from models.kernel import clock, names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.ids import parse_id
from models.regrouping import merging
from models.ticket_actions import commands, tagging
from models.ticket_actions.sorting import snoozing, undoing
from models.tickets import surroundings
from models.tickets.surroundings import Surroundings
from models.tickets.tables import Ticket
from models.undo import commands as undos
from models.undo import restorers
from models.visibility import sight
from models.visibility.sight import Sight

pages = Pages()
operations = pages.operations

_HOURS: Final = {"1h": 1, "4h": 4, "1d": 24, "3d": 72, "1w": 168}


class PropertyForm(msgspec.Struct):
    """Properties to change; those left out keep their values. An empty team removes it."""

    title: Title | None = None
    priority: Word | None = None
    team: str | None = None
    add_tags: Annotated[str, msgspec.Meta(max_length=500)] = ""
    remove_tag: Word | None = None
    place: Place = ""
    values: dict[str, list[str]] = {}


class AssignForm(msgspec.Struct):
    """The responsible user: an id, `me`, or nothing to remove the assignment."""

    assignee: Annotated[str, msgspec.Meta(max_length=40)] = ""
    place: Place = ""


class SnoozeForm(msgspec.Struct):
    """The end of a snooze: a preset, an instant, or `answer`; `wake` ends one."""

    until: Literal["1h", "4h", "1d", "3d", "1w", "answer", "wake", ""] = ""
    instant: str = ""
    note: Comment | None = None
    place: Place = ""


class MergeForm(msgspec.Struct):
    """The ticket into which this one is merged, by number."""

    into: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    confirmed: bool = False
    place: Place = ""


class UndoForm(msgspec.Struct):
    """The list beside the ticket."""

    place: Place = ""


def _changed(call: AnyCall, ticket: Ticket, place: str, text: str, work: Callable[[], Ticket]) -> Answer:
    """Run a change and answer with its undo, if it has one."""
    actor = call.caller.actor
    with surroundings.within(Surroundings()) as seen:
        row = work()
    undo = undoing.remember(seen, ticket.id, actor=actor)
    return back(row, place, text, undo=None if undo is None else address(row, f"/changes/{undo}/undo"))


@pages.post("/t/{ticket}/properties", "Change properties", form=PropertyForm, needs=Permission.tickets_write)
def change_properties(call: Call[PropertyForm]) -> Answer:
    """Changes what the form names."""
    body, ticket = call.body, ticket_of(call)
    changes: dict[str, object] = {}
    if body.title is not None:
        changes["title"] = body.title.strip()
    if body.priority is not None:
        changes["priority"] = body.priority
    if body.team is not None:
        changes["team"] = body.team or None
    fields = field_inputs.read(ticket, body.values)
    if fields:
        changes["fields"] = fields
    added = [names.folded(one) for one in body.add_tags.replace(",", " ").split()]
    removed = [names.folded(body.remove_tag)] if body.remove_tag is not None else []
    if added or removed:
        changes["tags"] = tagging.TagEdit(added, removed)
    if not changes:
        raise Invalid([FieldProblem("", "expected a property to change, found none")])
    actor, role = call.caller.actor, call.caller.role
    with reading(rendering.speaking(call)):
        return _changed(
            call,
            ticket,
            body.place,
            _("Changed"),
            lambda: commands.update(ticket.id, changes, expected_version=None, actor=actor, role=role),
        )


@pages.post("/t/{ticket}/assignment", "Assign", form=AssignForm, needs=Permission.tickets_assign)
def assign(call: Call[AssignForm]) -> Answer:
    """Gives the ticket to an active user, or to nobody."""
    body, ticket = call.body, ticket_of(call)
    wanted = call.caller.id if body.assignee == "me" else _user(body.assignee)
    actor = call.caller.actor
    with reading(rendering.speaking(call)):
        text = _("Assigned") if wanted is not None else _("The assignment was removed")
        return _changed(call, ticket, body.place, text, lambda: commands.assign(ticket.id, wanted, actor=actor))


def _user(text: str) -> UUID | None:
    """Return the id of a user; None for nobody. Raises Invalid."""
    found = parse_id(text) if text else None
    if text and found is None:
        raise Invalid([FieldProblem("assignee", "expected the id of a user")])
    return found


@pages.post("/t/{ticket}/snooze", "Snooze", form=SnoozeForm, needs=Permission.tickets_write)
def snooze(call: Call[SnoozeForm]) -> Answer:
    """The ticket leaves the lists until the instant, or until the requester writes."""
    body, ticket = call.body, ticket_of(call)
    actor = call.caller.actor
    with reading(rendering.speaking(call)):
        if body.until == "wake":
            return _changed(
                call, ticket, body.place, _("The snooze ended"), lambda: snoozing.wake(ticket.id, actor=actor)
            )
        wish = snoozing.Snooze(until=_until(body), distance=None, note=body.note)
        return _changed(call, ticket, body.place, _("Snoozed"), lambda: snoozing.snooze(ticket.id, wish, actor=actor))


def _until(body: SnoozeForm) -> datetime | None:
    if body.until == "answer":
        return None
    if body.until:
        return clock.now() + timedelta(hours=_HOURS[body.until])
    try:
        return msgspec.convert(body.instant, Instant)
    except msgspec.ValidationError as error:
        raise Invalid([FieldProblem("instant", "expected the end of the snooze")]) from error


@pages.post("/t/{ticket}/merge", "Merge", form=MergeForm, needs=Permission.tickets_merge)
def merge(call: Call[MergeForm]) -> Answer:
    """Moves the messages of this ticket into another one. It can be undone for an hour."""
    body, source = call.body, ticket_of(call)
    target = sight.find(body.into.strip().lstrip("#"), Sight.of(call.caller))
    caller = Sight.of(call.caller)
    undo = merging.merge(source.id, target.id, actor=call.caller.actor, sight=caller, confirmed=body.confirmed)
    with reading(rendering.speaking(call)):
        text = _("#%(source)s was merged into this ticket", source=source.number)
        return back(target, body.place, text, undo=address(target, f"/changes/{undo}/undo"))


@pages.post("/t/{ticket}/changes/{undo}/undo", "Undo a change", form=UndoForm, needs=Permission.tickets_read)
def undo_change(call: Call[UndoForm]) -> Answer:
    """Restores what the act changed, within an hour. An undo needs the permission of its act."""
    ticket = ticket_of(call)
    undo = undos.get(addresses.id_of(call.params["undo"], "undo"))
    for ticket_id in (undo["ticket_id"], undo["other_ticket_id"]):
        sight.require(Sight.of(call.caller), ticket_id, "undo", undo["id"])
    restorers.restore(undo["id"], actor=call.caller.actor, permissions=call.caller.permissions)
    with reading(rendering.speaking(call)):
        return back(ticket, call.body.place, _("Undone"))
