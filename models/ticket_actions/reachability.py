"""Records that a requester blocked the bot or unblocked it, or that a group removed it; the desk sends nothing to a
blocked chat.
"""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import chats
from models.conversations.tables import Conversation
from models.events.commands import SYSTEM
from models.events.ticket_payloads import RequesterReachable, RequesterUnreachable
from models.kernel.storage import database
from models.ports.inbound import ReachabilityChange
from models.requesters import commands as requesters
from models.tickets.ticket_change import TicketChange


def change(account: ChannelAccount, told: ReachabilityChange) -> UUID | None:
    """Record the change at the chat and in its current ticket; returns that ticket's id, or None.

    Joins the caller's transaction.
    """
    chat = told.address.partition("/")[0]
    news = chats.mark_unreachable(account, chat, None if told.reachable else told.reason)
    if told.reachable:
        requesters.unsuppress(account.channel, told.address)
    ticket_id = _current(account, told.address)
    if news and ticket_id is not None:
        held = TicketChange.of(ticket_id, actor=SYSTEM)
        happened = RequesterReachable if told.reachable else RequesterUnreachable
        held.record(happened(reason=told.reason))
        held.save()
    return ticket_id


def _current(account: ChannelAccount, address: str) -> UUID | None:
    """Return the ticket of the chat, unless it is closed. Locks the chat, which a merge and a split lock as well."""
    row = database.one(
        "SELECT ticket_id FROM conversations WHERE channel = :channel AND account = :account AND address = :address"
        " AND ticket_id IS NOT NULL FOR_UPDATE",
        channel=account.channel,
        account=account.name,
        address=address,
    )
    return None if row is None else chats.open_ticket(Conversation.converted(row)["ticket_id"])
