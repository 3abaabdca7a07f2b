"""Messages of agents in a ticket's topic: replies, notes, commands. Joins the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.conversations import messages
from models.dialogues import commands as dialogues
from models.events.commands import Actor
from models.identity import roles
from models.identity.queries import User
from models.infomodel import published as infomodel
from models.kernel.errors import NestorError, is_final
from models.ports import channel_facts
from models.ports.inbound import StaffMessage
from models.staff import addresses
from models.staff_chat import ticket_posts
from models.tasks import commands as tasks
from models.tasks.payloads import SendNotice
from models.ticket_actions import answering, input_needed
from models.ticket_actions import commands as tickets
from models.tickets import merged
from models.tickets.ticket_change import TicketChange
from models.visibility import sight
from models.visibility.sight import Sight


@dataclass(frozen=True, slots=True)
class Heard:
    """The result of a message: a reason for people who read the inbox, and the ticket."""

    reason: str
    ticket_id: UUID | None


def hear(account: ChannelAccount, told: StaffMessage, *, event_id: UUID) -> Heard:
    """Act for the linked agent who wrote the message. Anybody else changes nothing, and reads how to link an agent."""
    ticket_id = ticket_posts.ticket_of(account, told.chat_address)
    if ticket_id is None:
        return Heard("said in the staff's group, in no ticket's topic", None)
    user = addresses.owner(account.channel, told.author_address)
    if user is None or not roles.works_on_tickets(user.role):
        title = channel_facts.of(account.channel).title or account.channel
        _answer(
            account,
            told,
            texts.text(account, "staff_not_linked", None, channel=title),
            event_id,
        )
        return Heard("said in the staff's group by somebody who is no linked agent", ticket_id)
    # The topic of a merged ticket goes on in the ticket that it was merged into.
    ticket_id = merged.id_of_target(ticket_id)
    if not sight.sees_id(Sight.of_user(user), ticket_id):
        _answer(account, told, texts.text(account, "staff_not_seen", None), event_id)
        return Heard("said in the topic of a ticket that the agent may not see", ticket_id)
    try:
        said = _done(account, told, ticket_id, user, event_id)
    except NestorError as error:
        if not is_final(error):
            raise
        said = error.message
    if said:
        _answer(account, told, said, event_id)
    return Heard(f"{user.name} wrote it in the ticket's topic" + (f": {said}" if said else ""), ticket_id)


def _done(account: ChannelAccount, told: StaffMessage, ticket_id: UUID, user: User, event_id: UUID) -> str:
    """Return the answer that the agent reads in the topic; empty when none is needed."""
    command, _, rest = told.text.partition(" ")
    name = command.partition("@")[0].lower()
    if name == "/cancel":
        left = dialogues.leave(account, told.chat_address, told.author_address)
        return texts.text(account, "dialogue_none" if left is None else "dialogue_left", None)
    if name == "/do":
        return _do(account, told, ticket_id, user, rest.strip(), event_id)
    if name.startswith("/"):
        act = _COMMANDS.get(name)
        return texts.text(account, "staff_help", None) if act is None else act(account, ticket_id, user, rest.strip())
    if told.text.strip() and not told.has_files:
        where, author = told.chat_address, told.author_address
        if dialogues.answer(account, where, author, told.text, event_id=event_id) is not None:
            return ""
    if told.has_files or not told.text.strip():
        return texts.text(account, "staff_text_only", None)
    origin = _origin(account, told.external_id)
    answering.reply(
        ticket_id, told.body or told.text, actor=actor_of(user), body_format=told.body_format, details=origin
    )
    return ""


def _origin(account: ChannelAccount, external_id: str | None) -> dict[str, str | None]:
    return {"said_in": f"{account.channel}.{account.name}", "said_as": external_id}


def actor_of(user: User) -> Actor:
    return Actor("user", str(user.id), user.name)


def _note(account: ChannelAccount, ticket_id: UUID, user: User, rest: str) -> str:
    if not rest:
        return texts.text(account, "staff_note_needs_text", None)
    answering.note(ticket_id, rest, actor=actor_of(user), details=_origin(account, None))
    return texts.text(account, "staff_noted", None)


def _mine(account: ChannelAccount, ticket_id: UUID, user: User, rest: str) -> str:
    tickets.assign(ticket_id, user.id, actor=actor_of(user))
    return ""


def _do(account: ChannelAccount, told: StaffMessage, ticket_id: UUID, user: User, rest: str, event_id: UUID) -> str:
    """Take a transition as the agent, or ask for the input that it needs.

    Returns the reasons of a refusal; empty when it was taken. Raises NotFound, Invalid.
    """
    name, _, comment = rest.partition(" ")
    actor, role = actor_of(user), roles.shipped_role_of(user.role)
    needed = input_needed.of_transition(TicketChange.of(ticket_id, actor=actor), name, role=role)
    if needed is not None and (needed.fields or needed.confirm or (needed.comment and not comment.strip())):
        place = dialogues.Place(told.chat_address, told.chat_address, told.author_address)
        dialogues.begin(account, place, ticket_id, name, actor=actor, role=role, event_id=event_id, comment=comment)
        return ""
    _, reasons = tickets.transition(ticket_id, name, fields=None, comment=comment or None, role=role, actor=actor)
    return "; ".join(reasons)


def _type(account: ChannelAccount, ticket_id: UUID, user: User, rest: str) -> str:
    """Give the ticket another type, which moves it to the life cycle of that type. Raises Invalid, TypeLocked."""
    if not rest:
        return texts.text(
            account, "staff_type_unknown", None, types=", ".join(one.name for one in infomodel.all_types())
        )
    role = roles.shipped_role_of(user.role)
    tickets.update(ticket_id, {"type": rest}, expected_version=None, actor=actor_of(user), role=role)
    return ""


_COMMANDS: dict[str, Callable[[ChannelAccount, UUID, User, str], str]] = {
    "/note": _note,
    "/mine": _mine,
    "/type": _type,
}


def _answer(account: ChannelAccount, told: StaffMessage, text: str, event_id: UUID) -> None:
    tasks.enqueue(
        SendNotice(channel=account.channel, account=account.name, address=told.chat_address, text=text),
        key=messages.send_key(account.channel, account.name, told.chat_address),
        dedupe_key=f"notice:{event_id}",
    )
