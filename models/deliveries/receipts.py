"""What a provider tells of a message after it took it: delivered, bounced, called abuse."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.deliveries import bounces, commands
from models.events.commands import SYSTEM
from models.kernel import clock, database
from models.kernel.errors import TransientFailure
from models.ports.inbound import Receipt
from models.requesters import commands as requesters
from models.tickets.ticket_change import TicketChange

# A later word does not take back a stronger one: "delivered" comes after "opened" when a provider's events overtake each other.
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


def record(account: ChannelAccount, receipt: Receipt) -> UUID | None:
    """Note a receipt at its delivery; returns the ticket, None for a message that we did not send.

    A bounce lets the delivery fail, visibly; a permanent one and a complaint suppress the address. A repeat changes nothing.
    Joins the caller's transaction. Raises TransientFailure while the attempt that it is about is still being recorded.
    """
    row = _delivery_of(account, receipt.reference)
    if row is None:
        return None
    delivery_id, ticket_id = UUID(str(row["id"])), UUID(str(row["ticket_id"]))
    held = database.one("SELECT state, receipt FROM deliveries WHERE id = :id FOR_UPDATE", id=delivery_id)
    assert held is not None, "deliveries are never deleted"
    if held["state"] == "sending":
        raise TransientFailure("the message that the receipt is about is still being sent")
    if bounces.is_copys_reader(row, receipt.recipient):
        if receipt.kind in _FAILED:
            bounces.tell_of_copy(
                row, receipt.recipient, " ".join(part for part in (receipt.status, receipt.detail) if part)
            )
        return ticket_id
    if _STRENGTH[receipt.kind] < _STRENGTH.get(held["receipt"] or "", -1) or held["receipt"] == receipt.kind:
        return ticket_id
    said = " ".join(part for part in (receipt.status, receipt.detail) if part)[:500]
    database.execute(
        "UPDATE deliveries SET receipt = :kind, receipt_at = :now, receipt_detail = :said WHERE id = :id",
        kind=receipt.kind,
        now=clock.now(),
        said=said,
        id=delivery_id,
    )
    if receipt.kind in _FAILED and held["state"] in ("sent", "unknown", "pending"):
        commands.end(delivery_id, "failed", error=f"{receipt.kind}: {said}" if said else receipt.kind)
    elif receipt.kind != "deferred":
        change = TicketChange.of(ticket_id, actor=SYSTEM, causation_id=f"delivery:{delivery_id}")
        change.record(f"delivery_{receipt.kind}", {"delivery_id": delivery_id, "detail": said})
        change.save(visible=False)
    if (receipt.kind == "bounced" and receipt.permanent) or receipt.kind in ("complained", "unsubscribed"):
        # Of several recipients of one mail, the one who is told of; only addresses that we know can be suppressed.
        requesters.suppress(
            account.channel, receipt.recipient or row["address"], f"{receipt.kind}: {said}".rstrip(": ")
        )
    return ticket_id


def _delivery_of(account: ChannelAccount, reference: str) -> database.Row | None:
    """By the id that our message bears, else by the provider's own; only what this account sent."""
    names = {"channel": account.channel, "account": account.name, "reference": reference}
    return database.one(
        "SELECT d.id, d.ticket_id, d.channel, d.address, m.copies FROM deliveries AS d JOIN messages AS m ON m.id = d.message_id"
        " WHERE d.channel = :channel AND d.account = :account AND d.provider_id = :reference ORDER BY d.created_at DESC LIMIT 1",
        names,
    ) or database.one(
        "SELECT d.id, d.ticket_id, d.channel, d.address, m.copies FROM message_references AS r"
        " JOIN messages AS m ON m.id = r.message_id AND m.external_id = r.external_id AND m.direction = 'outbound'"
        " JOIN deliveries AS d ON d.message_id = m.id"
        " WHERE r.channel = :channel AND r.account = :account AND r.external_id = :reference ORDER BY d.created_at DESC LIMIT 1",
        names,
    )


def may_be_early(account: ChannelAccount) -> bool:
    """Whether a message of the account is being sent just now: a receipt can overtake the record of its provider id."""
    row = database.one(
        "SELECT 1 AS yes FROM deliveries WHERE channel = :channel AND account = :account AND state = 'sending' LIMIT 1",
        channel=account.channel,
        account=account.name,
    )
    return row is not None
