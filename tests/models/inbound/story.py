"""A chat and a mail that open a ticket, and what channels tell of it afterwards."""

from __future__ import annotations

import re
from typing import Any

from models.ports.inbound import InboundMessage
from models.tickets.tables import Ticket
from tests.desk import Desk

CHAT = InboundMessage("42", "Ada", "42", "It burns.", conversation_address="42", external_id="42:1", locale="en")
MAIL = InboundMessage(
    "ada@example.com", "Ada", "ada@example.com", "It burns.", external_id="<1@example.com>", subject="Printer"
)


def opened(desk: Desk, parsed: InboundMessage = CHAT, channel: str = "telegram") -> Ticket:
    """The ticket that this message opens."""
    desk.receive(parsed, channel=channel)
    desk.run_due()
    return desk.ticket()


def told(desk: Desk, parsed: Any, channel: str = "telegram") -> dict[str, Any]:
    """What became of an event."""
    event = desk.receive(parsed, channel=channel)
    desk.run_due()
    return desk.inbox(event)


def notices(desk: Desk) -> list[str]:
    """What the desk itself said in chats, outside of tickets."""
    return [call.body for call in desk.calls if call.message.delivery_id.startswith("notice:")]


def digits_in(text: str) -> str:
    """The number that a chat shows to confirm a link."""
    found = re.search(r"\b[0-9]{6}\b", text)
    assert found is not None, text
    return found[0]
