"""/t/{ticket}/messages: write replies and notes, take them back before they are sent, send them again; drafts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from functions.console.frame import rendering
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.console.ticket import show, transitions
from functions.console.ticket.finding import Place, address, back, living_ticket_of, message_of, ticket_of
from functions.console.ticket.show import Composer
from functions.http.operations import Answer, Call
from functions.views import message_views
from functions.views.texts import Email, Instant
from models.attachments import commands as attachments
from models.deliveries import corrections, retries
from models.drafts import commands as drafts
from models.drafts.commands import DraftText
from models.identity.rules import Permission
from models.kernel import clock, limits
from models.kernel.errors import NestorError
from models.kernel.ids import parse_id
from models.kernel.storage.savepoint import savepoint
from models.presence import commands as presence
from models.saved_replies import commands as replies
from models.saved_replies.reach import Reach
from models.ticket_actions import answering, commands
from models.ticket_actions.thread_position import ThreadMovedOn
from models.tickets.tables import Ticket
from queues import channels

pages = Pages()
operations = pages.operations

# -- limits ------------------------------------------------------------------------------------------------------------
# The time in which a person notices a mistake in a text that has just been sent.
undo_s: Final = 8

_Text = Annotated[str, msgspec.Meta(max_length=limits.message_body_chars_max)]


class MessageForm(msgspec.Struct):
    """A reply or a note. `then`: the transition that follows a sent reply. `seen`: the last message that was shown."""

    kind: Literal["reply", "note"] = "reply"
    body: _Text = ""
    body_format: Literal["text", "markdown"] = "markdown"
    to: str = ""
    send_at: str = ""
    seen: str = ""
    anyway: bool = False
    then: Annotated[str, msgspec.Meta(max_length=100)] = ""
    files: Annotated[list[UUID], msgspec.Meta(max_length=limits.attachments_per_message_max)] = []
    used: Annotated[list[UUID], msgspec.Meta(max_length=replies.uses_named_max)] = []
    place: Place = ""


class DraftForm(msgspec.Struct):
    """The text in the composer. `version` is that of the stored draft, 0 without one."""

    kind: Literal["reply", "note"] = "reply"
    body: _Text = ""
    to: str = ""
    seen: str = ""
    version: Annotated[int, msgspec.Meta(ge=0)] | None = None
    files: Annotated[list[UUID], msgspec.Meta(max_length=limits.attachments_per_message_max)] = []


class BackForm(msgspec.Struct):
    """The list beside the ticket."""

    place: Place = ""


@pages.post("/t/{ticket}/messages", "Write a message", form=MessageForm, needs=Permission.tickets_write)
def add_reply_or_note(call: Call[MessageForm]) -> Answer:
    """A reply waits for some seconds before it is sent, and can be taken back.

    A refused message shows the page again with its text. So does a reply to a conversation that moved on meanwhile.
    """
    body = call.body
    ticket = living_ticket_of(call)
    with reading(rendering.speaking(call)):
        if not body.body.strip():
            return _again(call, ticket, _("Write a text first."), 422)
        try:
            with savepoint():
                message_id = _note(call, ticket) if body.kind == "note" else _reply(call, ticket)
                if body.files:
                    attachments.use(body.files, ticket_id=ticket.id, message_id=message_id, by=call.caller.key)
                if body.used:
                    replies.count_use(set(body.used), Reach.of(call.caller))
                if call.caller.kind == "user":
                    drafts.delete(ticket.id, call.caller.id)
        except ThreadMovedOn:
            return _again(call, ticket, "", 409, held=True)
        except NestorError as error:
            return _again(call, ticket, error.message, error.http_status)
        if body.kind == "note":
            return back(ticket, body.place, _("Note added"))
        if body.then:
            # The reply stays when the life cycle refuses: its text is worth more than the transition.
            refused = _then(call, ticket)
            if refused is not None:
                return refused
        return back(
            ticket, body.place, _("The reply goes out in a moment"), undo=address(ticket, f"/undo/{message_id}")
        )


def _note(call: Call[MessageForm], ticket: Ticket) -> UUID:
    return answering.note(ticket.id, call.body.body, actor=call.caller.actor, body_format=call.body.body_format)


def _reply(call: Call[MessageForm], ticket: Ticket) -> UUID:
    body = call.body
    soonest = clock.now() + timedelta(seconds=undo_s)
    send_at = max(msgspec.convert(body.send_at, Instant), soonest) if body.send_at else soonest
    message_views.check_send_at(send_at)
    return answering.reply(
        ticket.id,
        body.body,
        actor=call.caller.actor,
        body_format=body.body_format,
        send_at=send_at,
        to=msgspec.convert(body.to, Email) if body.to else None,
        seen_id=None if body.anyway else parse_id(body.seen),
    )


def _then(call: Call[MessageForm], ticket: Ticket) -> Answer | None:
    """Take the transition that follows the reply. Returns the page that says why it was refused."""
    for option in transitions.options(call, ticket):
        if option.name == call.body.then:
            if option.asks or not option.possible:
                return see(address(ticket, f"/transitions/{option.name}"))
            commands.transition(
                ticket.id, option.name, fields=None, comment=None, role=call.caller.role, actor=call.caller.actor
            )
    return None


def _again(call: Call[MessageForm], ticket: Ticket, problem: str, status: int, *, held: bool = False) -> Answer:
    body = call.body
    composer = Composer(body.kind, body.body, problem, held, body.to)
    return show.shown(call, ticket, composer=composer, status=status)


@pages.post("/t/{ticket}/undo/{message}", "Take a reply back", form=BackForm, needs=Permission.tickets_write)
def undo_reply(call: Call[BackForm]) -> Answer:
    """Only while the reply waits. Its text becomes the draft again, behind a text that was begun meanwhile."""
    ticket = ticket_of(call)
    row = message_of(call, ticket)
    corrections.delete(row["id"], actor=call.caller.actor, can=_operations_of)
    begun = show.draft_of(call, ticket)
    body = row["body"] if begun is None or not begun["body"].strip() else f"{begun['body']}\n\n{row['body']}"
    text = DraftText("reply", body, row["body_format"], None, None, [], None)
    drafts.store(ticket.id, call.caller.id, text, expected_version=None)
    with reading(rendering.speaking(call)):
        return back(ticket, call.body.place, _("Taken back. The text is in the composer."))


def _operations_of(channel: str) -> frozenset[str]:
    return channels.get(channel).operations


@pages.post("/t/{ticket}/messages/{message}/retry", "Send again", form=BackForm, needs=Permission.tickets_write)
def retry_message(call: Call[BackForm]) -> Answer:
    """Sends a message again that was not delivered."""
    ticket = ticket_of(call)
    row = message_of(call, ticket)
    of_others = Permission.deliveries_manage in call.caller.permissions
    retries.retry(row["id"], actor=call.caller.actor, of_others=of_others)
    with reading(rendering.speaking(call)):
        return back(ticket, call.body.place, _("The message is sent again"))


@pages.post("/t/{ticket}/draft", "Keep a draft", form=DraftForm, needs=Permission.tickets_write)
def store_draft(call: Call[DraftForm]) -> Answer:
    """Keeps the text of the composer. Answers the new version, or 412 when another window stored a text."""
    body, ticket = call.body, ticket_of(call)
    if not body.body.strip():
        drafts.delete(ticket.id, call.caller.id)
        return Answer({"version": 0})
    text = DraftText(
        kind=body.kind,
        body=body.body,
        body_format="markdown",
        recipient=body.to or None,
        copies=None,
        attachments=list(body.files),
        seen_message_id=parse_id(body.seen),
    )
    row = drafts.store(ticket.id, call.caller.id, text, expected_version=body.version)
    presence.say(ticket.id, call.caller.id, "writing")
    return Answer({"version": row["version"]})
