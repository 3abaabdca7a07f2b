"""The thread of a side conversation: the headers of its mails, and the side conversation that a mail answers."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.conversations.tables import Message, MessageReference
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.kernel.text import ERASED
from models.ports.inbound import InboundMessage
from models.requesters.commands import normalise_address
from models.side_conversations.tables import SideConversation, SideMessage
from models.tickets import merged
from models.tickets.tables import Ticket

# Tokens and Message-IDs of side conversations have names of their own, so another mail costs no look-up.
_TOKEN: Final = re.compile(r"side-[0-9a-f]{32}")
_ID_PREFIX: Final = "side"
_references_sent_max = 10  # mail programs need the first id and the last ones


@dataclass(frozen=True, slots=True)
class Headers:
    """The parts of a side conversation's mail that place it in its thread."""

    reply_token: str
    in_reply_to: str | None
    references: tuple[str, ...]


def new_token() -> str:
    return f"side-{secrets.token_hex(16)}"


def marked(external_id: str | None) -> str | None:
    """Return the Message-ID of a mail of a side conversation, made from that of another mail of the desk."""
    return None if external_id is None else external_id.replace("<nestor.", f"<{_ID_PREFIX}.", 1)


def headers(side_id: UUID, *, before: UUID) -> Headers:
    """Return the headers of the message `before`: it answers the third party's last message."""
    side = first(SideConversation.select(SideConversation.reply_token).where(SideConversation.id == side_id))
    assert side is not None, "side conversations are never deleted"
    query = (
        Message.select(Message.external_id, SideMessage.is_answer)
        .join(SideMessage, on=SideMessage.message_id == Message.id)
        .where(SideMessage.side_id == side_id, Message.id < before, Message.external_id.is_null(False))
        .order_by(Message.id)
    )
    rows = database.rows(query)
    ids = [row["external_id"] for row in rows]
    answers = [row["external_id"] for row in rows if row["is_answer"]]
    if len(ids) > _references_sent_max:
        ids = [ids[0], *ids[1 - _references_sent_max :]]
    return Headers(side["reply_token"], (answers or ids or [None])[-1], tuple(ids))


def answered(account: ChannelAccount, parsed: InboundMessage) -> database.Row | None:
    """Return the side conversation that a message answers, or None.

    The token is enough: only the desk's mail to the third party has it, and a colleague of the third party may answer.
    References are not secret, because mail programs hand them on. They count for a mail that the third party wrote.
    """
    side = None
    if parsed.reply_token is not None:
        if _TOKEN.fullmatch(parsed.reply_token):
            side = first(SideConversation.select().where(SideConversation.reply_token == parsed.reply_token))
    elif parsed.grade != "unproved":
        side = _by_reference(account, parsed)
    if side is None or side["channel"] != account.channel or side["address"] == ERASED:
        return None
    return side if _takes_answers(side) else None


def _by_reference(account: ChannelAccount, parsed: InboundMessage) -> database.Row | None:
    wanted = [one for one in parsed.references[: threading.references_max] if one.startswith(f"<{_ID_PREFIX}.")]
    if not wanted:
        return None
    query = (
        SideConversation.select()
        .join(SideMessage, on=SideMessage.side_id == SideConversation.id)
        .join(MessageReference, on=MessageReference.message_id == SideMessage.message_id)
        .where(
            MessageReference.channel == account.channel,
            MessageReference.external_id.in_(wanted),
            SideConversation.address == normalise_address(account.channel, parsed.author_address),
        )
    )
    return first(query.order_by(SideConversation.id).limit(1))


def _takes_answers(side: database.Row) -> bool:
    """Return False for a side conversation of a ticket whose content was purged."""
    target = merged.id_of_target(ticket_of(side))
    ticket = first(Ticket.select(Ticket.binned_as).where(Ticket.id == target))
    return ticket is not None and ticket["binned_as"] != "purged"


def ticket_of(side: database.Row) -> UUID:
    """Return the ticket that the side conversation is in now."""
    row = first(Message.select(Message.ticket_id).where(Message.id == side["first_message_id"]))
    assert row is not None, "messages are never deleted"
    ticket_id: UUID = row["ticket_id"]
    return ticket_id


def known_answer(account: ChannelAccount, external_id: str) -> database.Row | None:
    """Return the ticket and id of the answer that came with this Message-ID before, or None."""
    query = (
        Message.select(Message.id, Message.ticket_id)
        .join(SideMessage, on=SideMessage.message_id == Message.id)
        .join(MessageReference, on=MessageReference.message_id == Message.id)
        .where(
            SideMessage.is_answer,
            Message.external_id == external_id,
            MessageReference.channel == account.channel,
            MessageReference.external_id == external_id,
        )
    )
    return first(query.limit(1))


def is_side(details: Any) -> UUID | None:
    """Return the side conversation of a message by the message's details, or None."""
    side = (details or {}).get("side")
    return None if side is None else UUID(side["id"])
