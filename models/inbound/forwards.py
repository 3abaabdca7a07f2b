"""Mails of a ticket that a person forwards to another mailbox of the desk."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.kernel.text import FORWARD_SUBJECT
from models.ports.inbound import InboundMessage


def opens_ticket(account: ChannelAccount, parsed: InboundMessage, ticket_id: UUID) -> bool:
    """Return True if a person forwards a mail of a ticket to a mailbox that the ticket has nothing to do with.

    The people of that mailbox do not see the ticket, so the mail opens one for them.
    """
    is_forward = FORWARD_SUBJECT.match(parsed.subject or "") is not None and parsed.reply_token is None
    return is_forward and not threading.has_come_by(account, ticket_id)
