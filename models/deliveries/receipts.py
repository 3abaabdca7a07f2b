"""Receipts: a provider's reports about a message that it accepted (delivered, bounced, complaint)."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.deliveries import bounces, commands
from models.deliveries.tables import Delivery
from models.events.commands import SYSTEM
from models.events.payload import EventPayload
from models.events.ticket_payloads import (
    DeliveryBounced,
    DeliveryComplained,
    DeliveryDelivered,
    DeliveryFailed,
    DeliveryOpened,
    DeliveryUnsubscribed,
)
from models.kernel import clock
from models.kernel.errors import TransientFailure
from models.kernel.storage import database
from models.ports.inbound import Receipt
from models.requesters import commands as requesters
from models.tickets.ticket_change import TicketChange

# A later receipt does not replace a stronger one: "delivered" comes after "opened" when a provider's events overtake
# each other.
_STRENGTH = {
    "deferred": 0,
    "delivered": 1,
    "opened": 2,
    "unsubscribed": 3,
    "failed": 4,
    "bounced": 4,
    "complained": 5,
}
_FAILED = frozenset({"failed", "bounced"})
_EVENTS: dict[
    str,
    type[DeliveryDelivered | DeliveryOpened | DeliveryUnsubscribed | DeliveryBounced | DeliveryComplained],
] = {
    "delivered": DeliveryDelivered,
    "opened": DeliveryOpened,
    "unsubscribed": DeliveryUnsubscribed,
    "bounced": DeliveryBounced,
    "complained": DeliveryComplained,
}


def record(account: ChannelAccount, receipt: Receipt) -> UUID | None:
    """Record a receipt at its delivery. Returns the ticket; None for a message that we did not send.

    A bounce lets the delivery fail; a permanent bounce and a complaint suppress the address. A repeat changes nothing.
    Joins the caller's transaction. Raises TransientFailure while the attempt that the receipt is about is still being
    recorded.
    """
    row = _delivery_of(account, receipt.reference)
    if row is None:
        return None
    # A delivery moves with its message. Under its lock, its ticket stays.
    held = database.one("SELECT state, receipt, ticket_id FROM deliveries WHERE id = :id FOR_UPDATE", id=row["id"])
    assert held is not None, "deliveries are never deleted"
    row = {**row, "ticket_id": held["ticket_id"]}
    ticket_id: UUID = Delivery.converted(row)["ticket_id"]
    if held["state"] == "sending":
        raise TransientFailure("the message that the receipt is about is still being sent")
    if bounces.is_copys_reader(row, receipt.recipient):
        if receipt.kind in _FAILED:
            bounces.tell_of_copy(row, receipt.recipient, bounces.joined(receipt.status, receipt.detail))
    elif _is_news(receipt, held["receipt"]):
        _apply(account, row, receipt, state=held["state"])
    return ticket_id


def _is_news(receipt: Receipt, known: str | None) -> bool:
    """Return True if the receipt is neither a repeat of the known one nor weaker."""
    return receipt.kind != known and _STRENGTH[receipt.kind] >= _STRENGTH.get(known or "", -1)


def _apply(account: ChannelAccount, row: database.Row, receipt: Receipt, *, state: str) -> None:
    """Write the receipt, end or tell the delivery, and suppress the address where the receipt says so."""
    delivery = Delivery.converted(row)
    said = bounces.joined(receipt.status, receipt.detail)[:500]
    database.execute(
        "UPDATE deliveries SET receipt = :kind, receipt_at = :now, receipt_detail = :said WHERE id = :id",
        kind=receipt.kind,
        now=clock.now(),
        said=said,
        id=delivery["id"],
    )
    reason = f"{receipt.kind}: {said}" if said else receipt.kind
    if receipt.kind in _FAILED and state in ("sent", "unknown", "pending"):
        commands.end(delivery["id"], "failed", error=reason)
    elif receipt.kind != "deferred":
        change = TicketChange.of(delivery["ticket_id"], actor=SYSTEM, causation_id=f"delivery:{delivery['id']}")
        change.record(_event(receipt, delivery, state=state, said=said))
        change.save(visible=False)
    if (receipt.kind == "bounced" and receipt.permanent) or receipt.kind in ("complained", "unsubscribed"):
        # The recipient that this receipt is about, when the mail had several. Only known addresses can be suppressed.
        requesters.suppress(account.channel, receipt.recipient or row["address"], reason)


def _event(receipt: Receipt, delivery: database.Row, *, state: str, said: str) -> EventPayload:
    """Return the event of a receipt that does not end its delivery."""
    if receipt.kind == "failed":
        return DeliveryFailed(
            delivery_id=delivery["id"], message_id=delivery["message_id"], state=state, error=said, detail=said
        )
    return _EVENTS[receipt.kind](delivery_id=delivery["id"], detail=said)


def _delivery_of(account: ChannelAccount, reference: str) -> database.Row | None:
    """Find the delivery by the provider's id, else by the id of our message; only among the account's deliveries."""
    names = {"channel": account.channel, "account": account.name, "reference": reference}
    return database.one(
        "SELECT d.id, d.message_id, d.channel, d.address, m.copies FROM deliveries AS d"
        " JOIN messages AS m ON m.id"
        " = d.message_id"
        " WHERE d.channel = :channel AND d.account = :account AND d.provider_id = :reference ORDER BY d.created_at"
        " DESC LIMIT 1",
        names,
    ) or database.one(
        "SELECT d.id, d.message_id, d.channel, d.address, m.copies FROM message_references AS r"
        " JOIN messages AS m ON m.id = r.message_id AND m.external_id = r.external_id AND m.direction = 'outbound'"
        " JOIN deliveries AS d ON d.message_id = m.id"
        " WHERE r.channel = :channel AND r.account = :account AND r.external_id = :reference ORDER BY d.created_at"
        " DESC LIMIT 1",
        names,
    )


def may_be_early(account: ChannelAccount) -> bool:
    """Return True if a message of the account is being sent now: a receipt can come before its provider id
    is recorded.
    """
    row = database.one(
        "SELECT 1 AS yes FROM deliveries WHERE channel = :channel AND account = :account AND state = 'sending' LIMIT 1",
        channel=account.channel,
        account=account.name,
    )
    return row is not None
