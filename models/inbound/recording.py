"""What a parsed event becomes: a message in a ticket, a receipt at a delivery, a change of a chat. Joins the caller's transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.conversations import chats, reactions, threading
from models.deliveries import bounces, buttons, corrections, receipts
from models.inbound import chat_commands, quarantine
from models.inbox import commands as inbox
from models.kernel import advisory_lock
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
from models.requesters.tables import Requester
from models.staff_chat import chat_commands as hearing
from models.ticket_actions import arrivals, reachability


def record(event: inbox.RawEvent, account: ChannelAccount, parsed: Parsed) -> None:
    """Record what the parser found; running it twice for one event is harmless: its status is checked under its row's lock."""
    if not inbox.hold(event.id):
        return
    _RECORDERS[type(parsed)](event, account, parsed)


_UNKNOWN_BOUNCE = "a bounce that answers no message of ours"


def _message(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> None:
    """Make the event's message: it joins its ticket or opens one."""
    if parsed.automatic == "own" or accounts.is_ours(account.channel, parsed.author_address):
        inbox.settle(event.id, "ignored", reason="a message of our own")
        return
    if parsed.failure is not None:
        # A mailer is no requester, and its report no message: what it says is in the delivery and in the ticket's history.
        failed_in = bounces.record(
            account,
            parsed.references,
            parsed.failure,
            recipient=str(parsed.details.get("failed_recipient") or ""),
        )
        if failed_in is None:
            inbox.settle(event.id, "ignored", reason=_UNKNOWN_BOUNCE)
        else:
            inbox.settle(event.id, "processed", reason="a bounce of an answer of ours", ticket_id=failed_in)
        return
    reason = quarantine.reason_before_reading(account, parsed, released=event.released_by is not None)
    if reason is not None:
        inbox.settle(event.id, "failed", reason=reason)
        return
    if parsed.external_id and not parsed.edit:
        # A mail to two of our mailboxes is read by two workers at once, under two keys.
        advisory_lock.hold(f"message:{account.channel}:{parsed.external_id}")
        twin = threading.twin(account, parsed.external_id, parsed.author_address, parsed.body)
        if twin is not None:
            inbox.settle(
                event.id,
                "ignored",
                reason=f"the same mail came by the account {twin['account']}",
                ticket_id=twin["ticket_id"],
            )
            return
    if parsed.external_id and parsed.conversation_address is not None and not parsed.edit:
        told = threading.told_before(account, parsed.external_id, parsed.group_key, parsed.sent_at)
        if told is not None:
            inbox.settle(event.id, "ignored", reason="the same message came before, in another event", ticket_id=told)
            return
    requester = requesters.find_or_create(
        account.channel,
        parsed.author_address,
        name=parsed.author_name,
        locale=parsed.locale or account.config.get("locale"),
    )
    if requesters.is_blocked(account.channel, parsed.author_address):
        inbox.settle(event.id, "ignored", reason="its sender is blocked")
        return
    requesters.unsuppress(account.channel, parsed.author_address)
    chats.mark_unreachable(account, parsed.contact_address, None)
    thread = _thread_of(account, parsed, requester)
    if thread.ticket_id is not None:
        if thread.by_number:
            parsed = dataclasses.replace(parsed, details={**parsed.details, "joined_by": "number"})
        ticket, message_id = arrivals.join_from_channel(
            thread.ticket_id, parsed, account=account, requester=requester, inbox_id=event.id
        )
        if parsed.conversation_address is not None and not parsed.edit:
            chats.set_current(account, parsed.conversation_address, thread.ticket_id)
    elif parsed.automatic == "bounce":
        # A bounce of something we do not know must not open a ticket, or a bounce of its acknowledgement would open the next.
        inbox.settle(event.id, "ignored", reason=_UNKNOWN_BOUNCE)
        return
    else:
        reason = quarantine.reason_before_a_new_ticket(account, parsed, released=event.released_by is not None)
        if reason is not None:
            inbox.settle(event.id, "failed", reason=reason)
            return
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
    inbox.settle(event.id, "processed", ticket_id=ticket.id, message_id=message_id)


def _thread_of(account: ChannelAccount, parsed: InboundMessage, requester: Requester) -> threading.Thread:
    """Where the message belongs; the ticket's row is held, so that it cannot be closed before the message is in it."""
    if parsed.edit and parsed.external_id is not None:
        edited = threading.ticket_of_message(account, parsed.external_id)
        if edited is not None:
            return threading.Thread(edited)  # it changes what was said where it was said, be it closed by now
    if parsed.group_key is not None:
        begun = threading.ticket_of_group(account, parsed.group_key)
        if begun is not None:
            return threading.Thread(begun)  # the rest of an album goes where its first picture went
    chat = parsed.conversation_address
    if chat is not None:
        current = chats.current_ticket(account, chat)
        if parsed.new_ticket:
            return threading.Thread(None)
        return threading.Thread(chats.answered_ticket(account, parsed.references, requester.id) or current)
    clues = threading.Clues(parsed.references, parsed.external_id, parsed.reply_token, parsed.subject_number)
    thread = threading.find(
        account,
        clues,
        requester_id=requester.id,
        author_address=parsed.author_address,
        verdict=parsed.verdict,
    )
    if thread.ticket_id is not None and chats.is_closed(thread.ticket_id):
        return threading.Thread(None, thread.ticket_id, "the ticket it answers is closed")
    return thread


def _ignored(event: inbox.RawEvent, account: ChannelAccount, ignored: Ignored) -> None:
    inbox.settle(event.id, "ignored", reason=ignored.reason)


def _receipts(event: inbox.RawEvent, account: ChannelAccount, parsed: Receipts) -> None:
    """What a provider tells of messages of ours."""
    found = [receipts.record(account, receipt) for receipt in parsed.items]
    tickets_told = [ticket_id for ticket_id in found if ticket_id is not None]
    if tickets_told:
        inbox.settle(event.id, "processed", ticket_id=tickets_told[0])
        return
    if receipts.may_be_early(account):
        raise TransientFailure("a message is being sent at this moment; the receipt may be about it")
    inbox.settle(event.id, "ignored", reason="it is about no message that we sent")


def _reaction(event: inbox.RawEvent, account: ChannelAccount, change: ReactionChange) -> None:
    _settled(event, reactions.change(account, change), "a reaction to no message that we know")


def _deletion(event: inbox.RawEvent, account: ChannelAccount, deletion: Deletion) -> None:
    _settled(event, reactions.delete(account, deletion), "it takes back no message that we know")


def _press(event: inbox.RawEvent, account: ChannelAccount, press: ButtonPress) -> None:
    if requesters.is_blocked(account.channel, press.author_address):
        inbox.settle(event.id, "ignored", reason="its sender is blocked")
        return
    pressed = buttons.press(account, press)
    if pressed.answer:
        chat_commands.answer_press(account, press, pressed.answer, pressed.ticket_id, event_id=event.id)
    if pressed.shows_new and press.external_id is not None:
        corrections.show_anew(account, press.external_id)
    if pressed.ticket_id is None:
        inbox.settle(event.id, "ignored", reason=pressed.reason)
    else:
        inbox.settle(event.id, "processed", reason=pressed.reason or None, ticket_id=pressed.ticket_id)


def _reachability(event: inbox.RawEvent, account: ChannelAccount, change: ReachabilityChange) -> None:
    _settled(event, reachability.change(account, change), change.reason, anyway="processed")


def _move(event: inbox.RawEvent, account: ChannelAccount, move: AddressMove) -> None:
    chats.move(account, move.old, move.new)
    inbox.settle(event.id, "processed", reason="the chat's address has changed")


def _command(event: inbox.RawEvent, account: ChannelAccount, command: Command) -> None:
    if requesters.is_blocked(account.channel, command.author_address):
        inbox.settle(event.id, "ignored", reason="its sender is blocked")
        return
    done = chat_commands.run(account, command, event_id=event.id)
    inbox.settle(event.id, "processed", reason=done.reason, ticket_id=done.ticket_id)


def _staff(event: inbox.RawEvent, account: ChannelAccount, told: StaffMessage) -> None:
    heard = hearing.hear(account, told, event_id=event.id)
    status = "processed" if heard.ticket_id is not None else "ignored"
    inbox.settle(event.id, status, reason=heard.reason, ticket_id=heard.ticket_id)


def _settled(event: inbox.RawEvent, ticket_id: Any, reason: str, *, anyway: str = "ignored") -> None:
    if ticket_id is None:
        inbox.settle(event.id, anyway, reason=reason)
    else:
        inbox.settle(event.id, "processed", ticket_id=ticket_id)


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
