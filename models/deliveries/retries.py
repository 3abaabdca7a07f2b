"""A writer sends a message again that did not arrive. The command joins the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from models.conversations import holding
from models.conversations import queries as conversations
from models.deliveries import commands, corrections
from models.deliveries.corrections import NotYourMessage
from models.events.commands import Actor
from models.events.ticket_payloads import MessageRetried
from models.kernel.errors import Conflict
from models.kernel.storage import database

_FAILED = ("failed", "unknown", "discarded")


def retry(message_id: UUID, *, actor: Actor, of_others: bool) -> None:
    """Retry the failed deliveries of a message. Without any, nothing changes.

    `of_others`: the actor may retry every delivery, also to a suppressed address. Raises NotFound, Conflict,
    NotYourMessage.
    """
    row = conversations.get(message_id)
    if not of_others and not corrections.is_own(row, actor):
        raise NotYourMessage()
    deliveries = database.run(
        "SELECT id, state FROM deliveries WHERE message_id = :id ORDER BY id FOR_UPDATE", id=message_id
    )
    if not deliveries:
        raise Conflict("the message has no delivery: a note and a received message are not sent")
    failed = [UUID(str(one["id"])) for one in deliveries if one["state"] in _FAILED]
    if not failed:
        return
    for delivery_id in failed:
        commands.retry(delivery_id, unsuppress=of_others)
    change = holding.change_of(message_id, actor=actor)
    change.record(MessageRetried(message_id=message_id, delivery_ids=failed))
    change.save(visible=False)
