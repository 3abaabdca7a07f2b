"""Messages of agents in a ticket's topic: replies, notes, commands. Joins the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.conversations import messages
from models.events.commands import Actor
from models.identity import roles
from models.identity.queries import User
from models.kernel.errors import NestorError, is_final
from models.ports import channel_facts
from models.ports.inbound import StaffMessage
from models.staff import addresses
from models.staff_chat import ticket_posts
from models.tasks import commands as tasks
from models.tasks.payloads import SendNotice
from models.ticket_actions import commands as tickets
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
    if not sight.sees_id(Sight.of_user(user), ticket_id):
        _answer(account, told, texts.text(account, "staff_not_seen", None), event_id)
        return Heard("said in the topic of a ticket that the agent may not see", ticket_id)
    try:
        said = _done(account, told, ticket_id, user)
    except NestorError as error:
        if not is_final(error):
            raise
        said = error.message
    if said:
        _answer(account, told, said, event_id)
    return Heard(f"{user.name} wrote it in the ticket's topic" + (f": {said}" if said else ""), ticket_id)


def _done(account: ChannelAccount, told: StaffMessage, ticket_id: UUID, user: User) -> str:
    """Return the answer that the agent reads in the topic; empty when none is needed."""
    command, _, rest = told.text.partition(" ")
    name = command.partition("@")[0].lower()
    if name.startswith("/"):
        act = _COMMANDS.get(name)
        return texts.text(account, "staff_help", None) if act is None else act(account, ticket_id, user, rest.strip())
    if told.has_files or not told.text.strip():
        return texts.text(account, "staff_text_only", None)
    tickets.reply(ticket_id, told.text, actor=actor_of(user), details=_origin(account, told.external_id))
    return ""


def _origin(account: ChannelAccount, external_id: str | None) -> dict[str, str | None]:
    return {"said_in": f"{account.channel}.{account.name}", "said_as": external_id}


def actor_of(user: User) -> Actor:
    return Actor("user", str(user.id), user.name)


def _note(account: ChannelAccount, ticket_id: UUID, user: User, rest: str) -> str:
    if not rest:
        return texts.text(account, "staff_note_needs_text", None)
    tickets.note(ticket_id, rest, actor=actor_of(user), details=_origin(account, None))
    return texts.text(account, "staff_noted", None)


def _mine(account: ChannelAccount, ticket_id: UUID, user: User, rest: str) -> str:
    tickets.assign(ticket_id, user.id, actor=actor_of(user))
    return ""


def _do(account: ChannelAccount, ticket_id: UUID, user: User, rest: str) -> str:
    name, _, comment = rest.partition(" ")
    return move(ticket_id, name, user, comment=comment or None)


def move(ticket_id: UUID, transition: str, user: User, *, comment: str | None = None) -> str:
    """Take a transition as the agent.

    Returns the reasons of a refusal; empty when it was taken. Raises NotFound, Invalid.
    """
    _, reasons = tickets.transition(
        ticket_id, transition, fields=None, comment=comment, role=roles.shipped_role_of(user.role), actor=actor_of(user)
    )
    return "; ".join(reasons)


_COMMANDS: dict[str, Callable[[ChannelAccount, UUID, User, str], str]] = {
    "/note": _note,
    "/mine": _mine,
    "/do": _do,
}


def _answer(account: ChannelAccount, told: StaffMessage, text: str, event_id: UUID) -> None:
    tasks.enqueue(
        SendNotice(channel=account.channel, account=account.name, address=told.chat_address, text=text),
        key=messages.send_key(account.channel, account.name, told.chat_address),
        dedupe_key=f"notice:{event_id}",
    )
