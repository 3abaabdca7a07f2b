"""Rate limits of automatic messages: the last defence against mail loops.

It holds even when every header of a mail is forged.
"""

from __future__ import annotations

from models.conversations import messages
from models.kernel import limits
from models.tasks import rates
from models.tickets.ticket_change import TicketChange


def withheld_reason(change: TicketChange) -> str | None:
    """The reason why an automatic message must not go out now, or None. It takes a slot of each rate limit."""
    ticket = change.ticket
    account = messages.contact_account(change)
    if account is None:
        return "there is no way to reach the requester"
    if change.event == "ticket_created" and account.config.get("acknowledge") is False:
        return "the channel account acknowledges nothing (acknowledge: false)"
    address = messages.send_key(account.channel, account.name, str(ticket.contact_address))
    wait_s = rates.take(
        [
            rates.Bucket(f"automatic:{address}", limits.acknowledgement_every_s, limits.acknowledgements_burst),
            rates.Bucket(
                f"automatic:day:{address}",
                limits.automatic_message_every_s,
                limits.automatic_messages_burst,
            ),
            rates.Bucket(
                f"automatic:ticket:{ticket.id}",
                86_400 / limits.automatic_messages_per_ticket_day,
                limits.automatic_messages_per_ticket_day,
            ),
        ]
    )
    if wait_s > 0:
        return f"too many automatic messages to this address; the next one may go in {wait_s:.0f} s"
    return None
