"""Follow a ticket: a follower sees it, whatever its team. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from models.conversations.row_types import MessageRow
from models.conversations.tables import Message
from models.events.commands import Actor
from models.identity import colleagues
from models.identity import queries as identity
from models.kernel.errors import FieldProblem, Invalid
from models.notice_settings.rules import Kind
from models.notices import commands as notices
from models.notices import texts
from models.ticket_actions import mentions
from models.tickets import followers
from models.tickets.ticket_change import TicketChange


def follow(ticket_id: UUID, user_id: UUID, *, actor: Actor) -> None:
    """Let a user follow a ticket. A repetition changes nothing. Raises Invalid, Conflict."""
    check([user_id], "/user")
    change = TicketChange.of(ticket_id, actor=actor)
    if followers.add(change, user_id, reason="follows"):
        change.save()


def unfollow(ticket_id: UUID, user_id: UUID, *, actor: Actor) -> None:
    """Remove a follower. A repetition changes nothing."""
    change = TicketChange.of(ticket_id, actor=actor)
    if followers.remove(change, user_id):
        change.save()


def mention(change: TicketChange, user_ids: Sequence[UUID], *, message_id: UUID) -> None:
    """Let the users whom a note mentions see the ticket, and notify them. Raises Conflict."""
    for user_id in user_ids:
        followers.add(change, user_id, reason="mentioned")
        if str(user_id) == change.actor.id:
            continue
        locale = identity.get_user(user_id).locale
        text = texts.text("mentioned", locale, actor=change.actor.name, number=change.ticket.number)
        notices.add(change, user_id, kind=Kind.mentioned, rule="mentioned", text=text, message_id=message_id)


def mention_anew(change: TicketChange, note: MessageRow, body: str) -> None:
    """Mention the users whom the new text of a note names and its earlier texts did not. Raises Conflict."""
    named = mentioned_in(body, is_html=note["body_format"] == "html", actor=change.actor).users
    known = [str(one) for one in note["details"].get("mentions", [])]
    added = [user_id for user_id in named if str(user_id) not in known]
    if not added:
        return
    details = {**note["details"], "mentions": [*known, *(str(user_id) for user_id in added)]}
    Message.update(details=details).where(Message.id == note["id"]).execute()
    mention(change, added, message_id=note["id"])


def mentioned_in(text: str, *, is_html: bool, actor: Actor) -> mentions.Mentions:
    """Return the users whom a note mentions by `@name`.

    Only a person mentions in this way: a program may copy the words of a requester, who must not choose who sees a
    ticket.
    """
    if actor.kind != "user" or "@" not in text:
        return mentions.Mentions()
    return mentions.find(text, colleagues.readers_of_tickets(), is_html=is_html)


def check(user_ids: Sequence[UUID], path: str) -> None:
    """Raise Invalid for a user who is not active or cannot read tickets."""
    for index, user_id in enumerate(user_ids):
        if not identity.can_read_tickets(user_id):
            place = path if path == "/user" else f"{path}/{index}"
            raise Invalid([FieldProblem(place, "expected the id of an active user who can read tickets")])
