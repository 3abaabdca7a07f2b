"""Messages for adapters, and the deliveries that edit or delete a sent message."""

from __future__ import annotations

from uuid import UUID

from models.attachments import queries as attachments
from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.conversations import messages
from models.conversations.tables import Message
from models.definitions import desk
from models.deliveries import buttons as buttons_of
from models.deliveries.tables import Delivery
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ports.outbound import Operation, OutgoingMessage
from models.side_conversations import threads
from models.tasks.payloads import SendDelivery
from models.tickets.ticket_change import TicketChange


def build(
    row: database.Row,
    number: int,
    in_reply_to: str | None,
    references: tuple[str, ...],
    account: ChannelAccount,
    *,
    buttons: bool,
) -> OutgoingMessage:
    """Build the message for the adapter. `row`: the delivery with its message, ticket and requester."""
    external_id = row["message_external_id"]
    message = Message.converted(row)
    message_id: UUID = Delivery.converted(row)["message_id"]
    row["details"] = message["details"]
    side_id = threads.is_side(message["details"])
    if side_id is not None:
        # A third party's mail has its own thread, and shows nothing of the requester.
        own = threads.headers(side_id, before=message_id)
        in_reply_to, references = own.in_reply_to, own.references
        row |= {"reply_token": own.reply_token, "locale": None, "requester_name": ""}
        buttons = False
    return OutgoingMessage(
        delivery_id=str(row["id"]),
        attempt_number=number,
        address=row["address"],
        recipient_name="" if message["details"].get("without_name") else row["requester_name"] or "",
        body=row["body"],
        body_format=row["body_format"],
        subject=row["subject"],
        external_id=external_id,
        in_reply_to=in_reply_to,
        references=tuple(ref for ref in references if ref != external_id),
        automatic=bool(row["automatic"]),
        ticket_number=row["number"],
        operation=row["operation"],
        sent_ids=sent_ids(message_id) if row["operation"] != "send" else (),
        attachments=attachments.outgoing(message_id, account),
        copies=tuple((one["name"], one["address"]) for one in message["copies"]),
        buttons=tuple(buttons_of.for_message(row, account)) if buttons else (),
        reply_token=row["reply_token"],
        topic=row["address"].partition("/")[2] or None,
        silent=bool(row["automatic"]) and account.config.get("silent_notices", True) is True,
        locale=row["locale"] or account.config.get("locale") or desk.current().fallback,
        reply_above=_reply_above(account, row["locale"]),
        author_name=row["author_name"],
        details=row["details"],
    )


def _reply_above(account: ChannelAccount, locale: str | None) -> str:
    return texts.text(account, "reply_above", locale) if account.config.get("reply_marker") is True else ""


def sent_ids(message_id: UUID) -> tuple[str, ...]:
    """Return the provider's ids of all parts of a sent message, from the last send or edit that succeeded."""
    row = database.one(
        "SELECT external_id, external_ids FROM deliveries WHERE message_id = :id AND state IN ('sent', 'unknown')"
        " AND operation <> 'delete'"
        " AND external_id IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT 1",
        id=message_id,
    )
    if row is None:
        return ()
    return tuple(Delivery.converted(row)["external_ids"]) or (str(row["external_id"]),)


def change_sent(change: TicketChange, message_id: UUID, operation: Operation) -> list[UUID]:
    """Add deliveries that edit or delete a message where it was sent. Returns their ids.

    A message that is not sent yet needs none: the sender reads it when it sends. Joins the caller's transaction.
    """
    made = []
    for row in database.run(
        "SELECT channel, account, address FROM deliveries WHERE message_id = :id AND operation = 'send'"
        " AND (state = 'sent' OR (state = 'unknown' AND external_id IS NOT NULL))",
        id=message_id,
    ):
        delivery_id = new_id()
        change.batch.insert(
            "deliveries",
            {
                "id": delivery_id,
                "message_id": message_id,
                "ticket_id": change.ticket.id,
                "channel": row["channel"],
                "account": row["account"],
                "address": row["address"],
                "state": "pending",
                "automatic": False,
                "operation": operation,
                "created_at": change.at,
            },
        )
        change.enqueue(
            SendDelivery(delivery_id=delivery_id),
            key=messages.send_key(row["channel"], row["account"], row["address"]),
            dedupe_key=f"send:{delivery_id}",
        )
        made.append(delivery_id)
    return made
