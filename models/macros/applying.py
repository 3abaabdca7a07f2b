"""Apply a macro to a ticket, and preview what that would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.conversations import queries as conversations
from models.conversations.row_types import MessageRow
from models.events import queries as events
from models.events.answering_payloads import MacroApplied
from models.events.commands import Actor
from models.events.row_types import WholeEvent
from models.identity.rules import Permission
from models.kernel import names
from models.kernel.errors import Conflict, FieldProblem, Forbidden, Invalid, NestorError
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.macros import acts, commands
from models.macros.acts import MacroAct, MacroText
from models.macros.commands import MacroRow
from models.ticket_actions import answering
from models.ticket_actions import commands as tickets
from models.ticket_actions.sorting import snoozing
from models.ticket_actions.sorting.snoozing import Snooze
from models.ticket_workflow import agent_texts
from models.tickets import queries
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.seen import Guard

shown_max = 200  # events and messages of a preview; an act of a life cycle causes some ten


@dataclass(frozen=True, slots=True)
class Applicant:
    """The author of the acts of an applied macro, with their role and permissions."""

    actor: Actor
    role: str
    permissions: frozenset[Permission]


class MacroRefused(Conflict):
    """An act of the macro is not possible for this ticket. Nothing was changed."""

    code = "macro_refused"

    def __init__(self, index: int, kind: str, why: str, code: str) -> None:
        super().__init__(f"Act {index + 1} of the macro ({kind}) is not possible: {why} Nothing was changed.")
        self.why = why
        # Members of the problem document.
        self.members: JsonObject = {"act": index, "act_kind": kind, "act_code": code}


@dataclass(frozen=True, slots=True)
class Preview:
    """The state of a ticket after a macro, with the events and messages that the macro and the life cycle
    would make.
    """

    ticket: Ticket
    events: Sequence[WholeEvent]
    messages: Sequence[MessageRow]


class _TakenBack(Exception):
    """Ends the transaction of a preview, so that nothing of it stays."""


def apply(ticket_id: UUID, macro: MacroRow, applicant: Applicant, *, expected_version: int | None = None) -> Ticket:
    """Apply a macro to a ticket. Joins the caller's transaction, which must not commit after an error.

    Raises MacroRefused, Forbidden for an act that the applicant has no permission for, PreconditionFailed.
    """
    found = acts.decoded(macro["acts"])
    for act in found:
        if act.assign is not None and Permission.tickets_assign not in applicant.permissions:
            raise Forbidden("The macro assigns the ticket, which needs the permission `tickets_assign`.")
    change = TicketChange.of(ticket_id, actor=applicant.actor)
    change.expect_version(expected_version)
    change.record(MacroApplied(macro_id=macro["id"], name=macro["name"]))
    change.save()
    for index, act in enumerate(found):
        try:
            _act(ticket_id, act, applicant)
        except Invalid as error:
            places = [FieldProblem(f"/acts/{index}{_rooted(one.path)}", one.message) for one in error.problems]
            why = "; ".join(f"{one.path}: {one.message}" for one in places) or error.message
            raise MacroRefused(index, act.kinds[0], f"{why}.", error.code) from error
        except NestorError as error:
            if error.http_status >= 500:
                raise
            raise MacroRefused(index, act.kinds[0], error.message, error.code) from error
    commands.count_use(macro["id"])
    return queries.find(str(ticket_id))


def preview(ticket: Ticket, macro: MacroRow, applicant: Applicant) -> Preview:
    """Return what a macro would do to a ticket. Opens a transaction and takes it back, so nothing stays and no task
    starts.

    Raises MacroRefused and Forbidden as `apply` does.
    """
    assert not database.in_transaction(), "the preview takes its transaction back"
    found: Preview | None = None
    try:
        with database.transaction():
            after = apply(ticket.id, macro, applicant)
            found = Preview(
                after,
                events.of_aggregate("ticket", ticket.id, after_sequence=ticket.event_sequence, limit=shown_max),
                conversations.page(ticket.id, after_sequence=ticket.message_count, limit=shown_max),
            )
            raise _TakenBack
    except _TakenBack:
        pass
    assert found is not None, "the transaction ends by _TakenBack, or the error leaves"
    return found


def _rooted(path: str) -> str:
    return path if not path or path.startswith("/") else f"/{path}"


def _act(ticket_id: UUID, act: MacroAct, applicant: Applicant) -> None:
    if act.reply is not None or act.note is not None:
        _write(ticket_id, act, applicant)
    elif act.transition is not None:
        _transition(ticket_id, act, applicant)
    elif act.assign is not None:
        tickets.assign(ticket_id, _assignee(act.assign, applicant), actor=applicant.actor)
    elif act.snooze is not None:
        snoozing.snooze(ticket_id, Snooze(distance=act.snooze.for_, note=act.snooze.note), actor=applicant.actor)
    else:
        changes = _changes(ticket_id, act)
        tickets.update(ticket_id, changes, expected_version=None, actor=applicant.actor, role=applicant.role)


def _write(ticket_id: UUID, act: MacroAct, applicant: Applicant) -> None:
    text = act.reply or act.note
    assert text is not None, "the caller looked"
    body = _rendered(ticket_id, text, applicant)
    add = answering.reply if act.reply is not None else answering.note
    add(ticket_id, body, actor=applicant.actor, body_format=text.body_format)


def _rendered(ticket_id: UUID, text: MacroText, applicant: Applicant) -> str:
    """Render a text with the ticket as the acts before have left it. Raises Invalid for an empty text."""
    ticket = queries.find(str(ticket_id))
    made = agent_texts.render(ticket, text.texts, None, actor=applicant.actor, role=applicant.role)
    if not made.text.strip():
        raise Invalid([FieldProblem("/texts", "the text is empty for this ticket")])
    return made.text


def _transition(ticket_id: UUID, act: MacroAct, applicant: Applicant) -> None:
    assert act.transition is not None, "the caller looked"
    row, reasons = tickets.transition(
        ticket_id,
        act.transition.name,
        fields=None,
        comment=act.transition.comment,
        role=applicant.role,
        actor=applicant.actor,
        confirmed=act.transition.confirm,
    )
    if reasons:
        guard = Guard.of(row, applicant.role)
        raise Conflict("; ".join(guard.text(reason) for reason in reasons))


def _assignee(assignee: str, applicant: Applicant) -> UUID | None:
    if assignee == "none":
        return None
    if assignee != "me":
        return UUID(assignee)
    if applicant.actor.kind != "user" or applicant.actor.id is None:
        raise Conflict("`me` is no user: an API key applies the macro.")
    return UUID(applicant.actor.id)


def _changes(ticket_id: UUID, act: MacroAct) -> JsonObject:
    if act.fields is not None:
        return {"fields": act.fields}
    if act.priority is not None:
        return {"priority": act.priority}
    if act.team is not None:
        return {"team": act.team}
    assert act.tags is not None, "an act has one member"
    before = queries.lock(ticket_id).tags
    removed = {names.folded(tag) for tag in act.tags.remove}
    added = [names.folded(tag) for tag in act.tags.add]
    return {"tags": list(dict.fromkeys([*(tag for tag in before if tag not in removed), *added]))}
