"""Recording of parsed events: messages in tickets, receipts of deliveries, changes of chats.

Joins the caller's transaction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import chats, holding, reactions, threading
from models.deliveries import buttons, corrections, receipts
from models.deliveries.buttons import Asked
from models.dialogues import commands as dialogues
from models.dialogues.commands import Answered
from models.inbound import chat_commands, forwards, held_back, quarantine
from models.inbound.checks import CHECKS, UNKNOWN_BOUNCE, Settlement, with_person
from models.inbox import commands as inbox
from models.kernel import limits
from models.kernel.errors import TransientFailure
from models.ports.inbound import (
    AddressMove,
    ButtonPress,
    Command,
    Deletion,
    Ignored,
    InboundMessage,
    Parsed,
    ReachabilityChange,
    ReactionChange,
    Receipts,
    StaffMessage,
)
from models.requesters import commands as requesters
from models.requesters import facts
from models.requesters.tables import Requester
from models.staff_chat import chat_commands as hearing
from models.staff_chat import ticket_posts
from models.ticket_actions import arrivals, reachability
from models.tickets import ticket_fields


def record(event: inbox.RawEvent, account: ChannelAccount, parsed: Parsed) -> None:
    """Record what the parser found.

    A second run for one event does nothing: the event's status is checked under its row lock.
    """
    people = _people(parsed)
    if people:
        event = dataclasses.replace(event, people=people)
    if inbox.lock_unprocessed(event):
        _RECORDERS[type(parsed)](event, account, parsed)


def _people(parsed: Parsed) -> tuple[str, ...]:
    """Return the addresses of those whose event it is; for a bounce, whom our message did not reach."""
    if isinstance(parsed, InboundMessage):
        # A bounce may name anything as its recipient; no address of a person is longer than an e-mail address.
        recipient = str(parsed.details.get("failed_recipient") or "")
        return (recipient if 0 < len(recipient) <= limits.email_address_chars_max else parsed.author_address,)
    if isinstance(parsed, Receipts):
        return tuple(receipt.recipient for receipt in parsed.items if receipt.recipient)
    if isinstance(parsed, ReactionChange | ButtonPress | ReachabilityChange | Command | StaffMessage):
        return (parsed.author_address,)
    return ()


def _message(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> None:
    """Put the event's message into its ticket or a new one, unless one of the checks ends the event before."""
    parsed = with_person(account, parsed)
    ends = (check(event, account, parsed) for check in CHECKS)
    settlement = next((end for end in ends if end is not None), None) or _accept(event, account, parsed)
    inbox.settle(
        event,
        settlement.status,
        reason=settlement.reason,
        ticket_id=settlement.ticket_id,
        message_id=settlement.message_id,
    )


def _accept(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement:
    """Find the requester and the ticket of a message that no check stopped; the message joins the
    ticket or opens one.
    """
    requester = requesters.find_or_create(
        account.channel,
        parsed.author_address,
        name=parsed.author_name,
        locale=parsed.locale or account.config.get("locale"),
        is_unproved=parsed.grade == "unproved",
    )
    if parsed.grade != "unproved":
        # The sender reaches us, so the desk may write to them again.
        requesters.unsuppress(account.channel, parsed.author_address)
        chats.mark_unreachable(account, parsed.contact_address, None)
    if isinstance(known := parsed.details.get("author_fields"), Mapping):
        facts.learn(requester, known, lookups=ticket_fields.LOOKUPS)
    thread = _thread_of(event, account, parsed, requester)
    if isinstance(thread, Answered):
        _show_anew(account, thread)
        return Settlement("processed", thread.reason, thread.ticket_id)
    if thread.ticket_id is None:
        return _open_ticket(event, account, parsed, requester, thread)
    return _join_ticket(event, account, parsed, requester, thread.ticket_id, by_number=thread.by_number)


def _join_ticket(
    event: inbox.RawEvent,
    account: ChannelAccount,
    parsed: InboundMessage,
    requester: Requester,
    ticket_id: UUID,
    *,
    by_number: bool,
) -> Settlement:
    if by_number:
        parsed = dataclasses.replace(parsed, details={**parsed.details, "joined_by": "number"})
    ticket, message_id = arrivals.join_from_channel(
        ticket_id, parsed, account=account, requester=requester, inbox_id=event.id
    )
    if parsed.conversation_address is not None and not parsed.edit:
        chats.set_current(account, parsed.conversation_address, ticket.id)
    return Settlement("processed", None, ticket.id, message_id)


def _open_ticket(
    event: inbox.RawEvent,
    account: ChannelAccount,
    parsed: InboundMessage,
    requester: Requester,
    thread: threading.Thread,
) -> Settlement:
    if parsed.automatic == "bounce" and parsed.is_by_machine:
        # An unknown bounce opens no ticket; else the bounce of that ticket's acknowledgement would open the next.
        return UNKNOWN_BOUNCE
    reason = None if event.released_by is not None else quarantine.frequency_reason(account, parsed)
    if reason is not None:
        held_back.notify(account, parsed, reason, event_id=event.id)
        return Settlement("failed", reason)
    ticket, message_id = arrivals.open_from_channel(
        parsed,
        account=account,
        requester=requester,
        inbox_id=event.id,
        related_id=thread.related_id,
        related_reason=thread.reason,
    )
    if parsed.conversation_address is not None:
        chats.set_current(account, parsed.conversation_address, ticket.id)
    return Settlement("processed", None, ticket.id, message_id)


def _thread_of(
    event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage, requester: Requester
) -> threading.Thread | Answered:
    """Find where the message belongs: a ticket, or the question of a dialogue that it answers.

    The ticket's row is locked, so it cannot be closed before the message is in it.
    """
    known = holding.lock_found(lambda: _ticket_of_first_part(account, parsed))
    if known is not None:
        return threading.Thread(known)
    if parsed.edit and parsed.external_id is not None:
        where, author = parsed.contact_address, parsed.author_address
        asked_in = dialogues.answered_before(account, where, author, parsed.external_id)
        if asked_in is not None:
            return Answered("an edit of an answer to a question has no effect", asked_in)
    if parsed.conversation_address is not None:
        return _thread_of_chat(event, account, parsed, parsed.conversation_address, requester)
    clues = threading.Clues(parsed.references, parsed.external_id, parsed.reply_token, parsed.subject_number)
    thread = chats.locked_thread(
        partial(
            threading.find,
            account,
            clues,
            requester_id=requester.id,
            author_address=parsed.author_address,
            grade=parsed.grade,
        )
    )
    if thread.ticket_id is not None and forwards.opens_ticket(account, parsed, thread.ticket_id):
        return threading.Thread(None, thread.ticket_id, "it was forwarded to another mailbox of the desk")
    return thread


def _ticket_of_first_part(account: ChannelAccount, parsed: InboundMessage) -> UUID | None:
    """Find the ticket of the message that this one changes or continues, even if the ticket is closed by now.

    An edit changes a message where it is. A further part of an album joins the message of the first part.
    """
    found = None
    if parsed.edit and parsed.external_id is not None:
        found = threading.ticket_of_message(account, parsed.external_id)
    if found is None and parsed.group_key is not None:
        found = threading.ticket_of_group(account, parsed.group_key)
    return found


def _thread_of_chat(
    event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage, chat: str, requester: Requester
) -> threading.Thread | Answered:
    """A message in a chat answers the question of a dialogue, or joins the open ticket that it answers, else the chat's
    current ticket.
    """
    current = chats.current(account, chat)
    if parsed.new_ticket:
        return threading.Thread(None)
    if current.asked_until is not None and _can_answer(parsed):
        answered = dialogues.answer(
            account,
            parsed.contact_address,
            parsed.author_address,
            parsed.body,
            event_id=event.id,
            external_id=parsed.external_id,
        )
        if answered is not None:
            return answered
    return threading.Thread(chats.answered_ticket(account, parsed.references, requester.id) or current.ticket_id)


def _can_answer(parsed: InboundMessage) -> bool:
    """Return True for a person's text. A file, a forward or an edit is a message to the agents."""
    is_text = parsed.details.get("kind", "text") == "text" and not parsed.attachments
    return is_text and not parsed.edit and not parsed.is_by_machine and "forwarded_from" not in parsed.details


def _show_anew(account: ChannelAccount, answered: Answered) -> None:
    if answered.shown_in is not None:
        corrections.show_anew(account, answered.shown_in)


def _ignored(event: inbox.RawEvent, account: ChannelAccount, ignored: Ignored) -> None:
    inbox.settle(event, "ignored", reason=ignored.reason)


def _receipts(event: inbox.RawEvent, account: ChannelAccount, parsed: Receipts) -> None:
    """Record what a provider reports about messages of ours."""
    found = [receipts.record(account, receipt) for receipt in parsed.items]
    tickets_told = [ticket_id for ticket_id in found if ticket_id is not None]
    if tickets_told:
        inbox.settle(event, "processed", ticket_id=tickets_told[0])
        return
    if receipts.may_be_early(account):
        raise TransientFailure("a message is being sent at this moment; the receipt may be about it")
    inbox.settle(event, "ignored", reason="it is about no message that we sent")


def _reaction(event: inbox.RawEvent, account: ChannelAccount, change: ReactionChange) -> None:
    _settled(event, reactions.change(account, change), "a reaction to no message that we know")


def _deletion(event: inbox.RawEvent, account: ChannelAccount, deletion: Deletion) -> None:
    _settled(event, reactions.delete(account, deletion), "it takes back no message that we know")


def _press(event: inbox.RawEvent, account: ChannelAccount, press: ButtonPress) -> None:
    if requesters.is_blocked(account.channel, press.author_address):
        inbox.settle(event, "ignored", reason="its sender is blocked")
        return
    pressed = buttons.press(account, press)
    if pressed.asks is not None and pressed.ticket_id is not None:
        _begin_dialogue(event, account, press, pressed.ticket_id, pressed.asks)
    elif pressed.answered:
        _answer_by_button(event, account, press, pressed.answered)
        return
    if pressed.answer:
        chat_commands.answer_press(account, press, pressed.answer, pressed.ticket_id, event_id=event.id)
    if pressed.shows_new and press.external_id is not None:
        corrections.show_anew(account, press.external_id)
    if pressed.ticket_id is None:
        inbox.settle(event, "ignored", reason=pressed.reason)
    else:
        inbox.settle(event, "processed", reason=pressed.reason or None, ticket_id=pressed.ticket_id)


def _begin_dialogue(
    event: inbox.RawEvent, account: ChannelAccount, press: ButtonPress, ticket_id: UUID, asked: Asked
) -> None:
    """Ask the presser for the input of the transition, in the chat of the button; an agent in the ticket's topic."""
    topic = ticket_posts.address_of(account, ticket_id) if asked.actor.kind == "user" else None
    address = topic or press.chat_address
    dialogues.begin(
        account,
        dialogues.Place(address, address, press.author_address),
        ticket_id,
        asked.transition,
        actor=asked.actor,
        role=asked.role,
        event_id=event.id,
        shown_in=press.external_id if asked.actor.kind == "requester" else None,
    )


def _answer_by_button(event: inbox.RawEvent, account: ChannelAccount, press: ButtonPress, question: str) -> None:
    answered = dialogues.choose(account, question, press.author_address, press.value, event_id=event.id)
    if answered is None:
        inbox.settle(event, "ignored", reason="the button of a question that is over, or of somebody else")
        return
    _show_anew(account, answered)
    inbox.settle(event, "processed", reason=answered.reason, ticket_id=answered.ticket_id)


def _reachability(event: inbox.RawEvent, account: ChannelAccount, change: ReachabilityChange) -> None:
    _settled(event, reachability.change(account, change), change.reason, anyway="processed")


def _move(event: inbox.RawEvent, account: ChannelAccount, move: AddressMove) -> None:
    chats.move(account, move.old, move.new)
    inbox.settle(event, "processed", reason="the chat's address has changed")


def _command(event: inbox.RawEvent, account: ChannelAccount, command: Command) -> None:
    if requesters.is_blocked(account.channel, command.author_address):
        inbox.settle(event, "ignored", reason="its sender is blocked")
        return
    done = chat_commands.run(account, command, event_id=event.id)
    inbox.settle(event, "processed", reason=done.reason, ticket_id=done.ticket_id)


def _staff(event: inbox.RawEvent, account: ChannelAccount, told: StaffMessage) -> None:
    heard = hearing.hear(account, told, event_id=event.id)
    status = "processed" if heard.ticket_id is not None else "ignored"
    inbox.settle(event, status, reason=heard.reason, ticket_id=heard.ticket_id)


def _settled(event: inbox.RawEvent, ticket_id: Any, reason: str, *, anyway: str = "ignored") -> None:
    if ticket_id is None:
        inbox.settle(event, anyway, reason=reason)
    else:
        inbox.settle(event, "processed", ticket_id=ticket_id)


_RECORDERS: dict[type[Any], Callable[[inbox.RawEvent, ChannelAccount, Any], None]] = {
    InboundMessage: _message,
    Ignored: _ignored,
    Receipts: _receipts,
    ReactionChange: _reaction,
    Deletion: _deletion,
    ButtonPress: _press,
    ReachabilityChange: _reachability,
    AddressMove: _move,
    Command: _command,
    StaffMessage: _staff,
}
