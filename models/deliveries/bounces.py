"""Bounces: a mail of ours came back, so its delivery failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.conversations.tables import Message
from models.deliveries import commands
from models.deliveries.tables import Delivery
from models.events.commands import SYSTEM
from models.events.ticket_payloads import CopyNotDelivered
from models.kernel.errors import TransientFailure
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.ports.inbound import DeliveryFailure
from models.requesters import commands as requesters
from models.requesters.commands import normalise_address
from models.tickets.ticket_change import TicketChange

# RFC 3463 3.2, X.1.x: the recipient's address is permanently wrong. X.1.7 and X.1.8 are about the sender's address,
# which is ours.
_WRONG_ADDRESS = re.compile(r"5\.1\.(?!7$|8$)\d+")


def record(
    account: ChannelAccount, references: Sequence[str], failure: DeliveryFailure, *, recipient: str = ""
) -> UUID | None:
    """Set the delivery of the first referenced message that the desk sent to `failed`. Returns its ticket, or None if
    the desk sent none of the messages.

    Only our own ids count: their random part proves that the reporter has the mail (a mailer takes part in no ticket).
    A repeat changes nothing. `recipient`: the address that the report names. If it only got a copy, the delivery stays,
    and the ticket's history records the failure. Joins the caller's transaction. Raises TransientFailure while the
    attempt is still being recorded.
    """
    row = _delivery_of(account, references)
    if row is None:
        return None
    delivery = Delivery.converted(row)
    # A delivery moves with its message. Under its lock, its ticket stays.
    held = database.one(
        Prepared("SELECT state, ticket_id FROM deliveries WHERE id = :id FOR_UPDATE"), id=delivery["id"]
    )
    assert held is not None, "deliveries are never deleted"
    row = {**row, "ticket_id": held["ticket_id"]}
    if held["state"] == "sending":
        # The bounce came before the record of the attempt, which would write "sent" over it.
        raise TransientFailure("the mail that came back is still being sent")
    said = joined(failure.status, failure.diagnostic)
    if is_copys_reader(row, recipient):
        tell_of_copy(row, recipient, said)
    elif held["state"] in ("sent", "unknown", "pending"):
        commands.end(delivery["id"], "failed", error=f"bounced: {said}" if said else "bounced")
        if failure.status is not None and _WRONG_ADDRESS.fullmatch(failure.status):
            requesters.suppress(account.channel, row["address"], f"bounced: {said}")
    ticket_id: UUID = Delivery.converted(row)["ticket_id"]
    return ticket_id


def joined(status: str | None, words: str) -> str:
    """The status of a report (RFC 3463) and its words in one line."""
    return " ".join(part for part in (status, words) if part)


def _delivery_of(account: ChannelAccount, references: Sequence[str]) -> database.Row | None:
    wanted = list(dict.fromkeys(references))[: threading.references_max]
    places, values = database.in_list("id", wanted)
    rows = database.run(
        "SELECT r.external_id, d.id, d.channel, d.address, m.copies FROM message_references AS r"
        " JOIN messages AS m ON m.id = r.message_id AND m.external_id = r.external_id AND m.direction = 'outbound'"
        " JOIN deliveries AS d ON d.message_id = m.id"
        f" WHERE r.channel = :channel AND r.account = :account AND r.external_id IN {places}",
        values,
        channel=account.channel,
        account=account.name,
    )
    by_id = {row["external_id"]: row for row in rows}
    return next((by_id[reference] for reference in wanted if reference in by_id), None)


def is_copys_reader(row: database.Row, recipient: str) -> bool:
    """Return True if a report is about the reader of a copy, not about the requester.

    `row`: the delivery with its message's copies.
    """
    channel = row["channel"]
    named = normalise_address(channel, recipient)
    if not named or named == normalise_address(channel, row["address"]):
        return False
    return any(normalise_address(channel, one["address"]) == named for one in Message.converted(row)["copies"])


def tell_of_copy(row: database.Row, recipient: str, said: str) -> None:
    """Record in the ticket's history that the reader of a copy did not get it. Joins the caller's transaction."""
    delivery = Delivery.converted(row)
    change = TicketChange.of(delivery["ticket_id"], actor=SYSTEM, causation_id=f"delivery:{delivery['id']}")
    change.record(CopyNotDelivered(delivery_id=delivery["id"], recipient=recipient, error=said))
    change.save(visible=False)
