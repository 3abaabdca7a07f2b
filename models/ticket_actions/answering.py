"""Replies and notes of agents and API callers. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from models.conversations import messages, participants
from models.events.commands import Actor
from models.kernel.errors import Conflict
from models.ports import channel_facts
from models.ticket_actions import following, reply_contact, signing, thread_position
from models.ticket_workflow import steps
from models.tickets.ticket_change import TicketChange
from models.workflow.instance import seen_message


class TicketClosed(Conflict):
    """The ticket is closed; open a new one, or reopen it if its life cycle allows."""

    code = "ticket_closed"


def reply(
    ticket_id: UUID,
    body: str,
    *,
    actor: Actor,
    body_format: str = "text",
    send_at: datetime | None = None,
    copies: Sequence[str] | None = None,
    to: str | None = None,
    details: Mapping[str, Any] | None = None,
    seen_id: UUID | None = None,
    expected_version: int | None = None,
    signed: bool = True,
) -> UUID:
    """Add an agent's public reply. The workflow reacts immediately. Raises TicketClosed.

    `seen_id`: the message that the author saw last; raises ThreadMovedOn if others wrote since. Raises
    PreconditionFailed when the ticket is not at `expected_version` any more.

    `copies`: mail addresses; None: the copy recipients of the requester's last mail. Only e-mail has copies. `to`: a
    mail address instead of the requester's. `signed`: a mail ends with the author's signature. A mail that does not
    reach the requester is no answer for the life cycle.
    """
    change = TicketChange.of(ticket_id, actor=actor)
    ticket = change.ticket
    change.expect_version(expected_version)
    if ticket.category == "closed":
        raise TicketClosed()
    if seen_id is not None:
        thread_position.check_seen(change, seen_id)
    author = messages.actor_author(actor)
    chosen = participants.chosen_recipient(ticket, to)
    if chosen is None:
        reply_contact.require(change)
    readers = participants.of_reply(ticket, copies, to=chosen).people
    is_answer = participants.reaches_requester(ticket, chosen, readers)
    if chosen is not None:
        named = {"address": chosen.address, "reaches_requester": is_answer}
        details = {**(details or {}), "to": named, "without_name": True}
    channel = ticket.contact_channel if chosen is None else chosen.account.channel
    if signed and channel is not None and channel_facts.of(channel).has_signatures:
        signature = signing.signature_of(change)
        details = details if signature is None else {**(details or {}), "signature": signature}
    message_id, _ = messages.add_reply(
        change,
        body,
        author=author,
        body_format=body_format,
        send_at=send_at,
        copies=readers,
        to=chosen,
        details=details,
    )
    participants.let_take_part(change, readers, chosen, is_chosen=copies is not None)
    if send_at is not None and send_at > change.at:
        change.save()  # the reply is not sent yet: the workflow reacts when it leaves (deliveries.release)
        return message_id
    if not is_answer:
        change.save()
        return message_id
    if ticket.first_response_at is None:
        ticket.first_response_at = change.at
    steps.react(
        change,
        "agent_reply",
        message=seen_message("agent", "api", body),
    )
    change.save()
    return message_id


def note(
    ticket_id: UUID,
    body: str,
    *,
    actor: Actor,
    body_format: str = "text",
    details: Mapping[str, Any] | None = None,
    mentions: Sequence[UUID] = (),
    expected_version: int | None = None,
) -> UUID:
    """Add an internal note, which is allowed in every state. Users whom it mentions see the ticket and are notified.

    `mentions`: users beside those whom the text names by `@name`. Raises Invalid for a user who cannot read tickets,
    PreconditionFailed when the ticket is not at `expected_version` any more.
    """
    following.check(mentions, "/mentions")
    change = TicketChange.of(ticket_id, actor=actor)
    change.expect_version(expected_version)
    named = following.mentioned_in(body, is_html=body_format == "html", actor=actor)
    mentioned = list(dict.fromkeys((*mentions, *named.users)))
    facts = dict(details or {})
    if mentioned:
        facts["mentions"] = [str(user_id) for user_id in mentioned]
    if named.ambiguous:
        facts["ambiguous_mentions"] = list(named.ambiguous)
    message_id = messages.add_note(
        change, body, author=messages.actor_author(actor), body_format=body_format, details=facts
    )
    following.mention(change, mentioned, message_id=message_id)
    steps.react(change, "note")
    change.save()
    return message_id
