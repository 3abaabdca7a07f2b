"""The owners of subscriptions: hand-over to another user, and the pause when the owner leaves.

Commands join the caller's transaction.
"""

from __future__ import annotations

from uuid import UUID

from models.events import fan_out, history
from models.events.commands import Actor
from models.events.desk_payloads import WebhookUpdated
from models.kernel import clock
from models.kernel.storage import database
from models.subscriptions import commands, queries
from models.subscriptions.tables import Subscription


def pause_all(owner_id: UUID, *, actor: Actor) -> None:
    """Pause the subscriptions of a user who leaves."""
    for subscription in queries.of_owner(owner_id):
        if queries.get(subscription.id, lock=True).active:
            commands.update(subscription.id, {"active": False}, expected_version=None, private=True, actor=actor)


def give_all(owner_id: UUID, to: UUID, *, actor: Actor) -> int:
    """Give the subscriptions of a user to another one, whose sight their receivers then get. Returns their number."""
    found = queries.of_owner(owner_id)
    for subscription in found:
        queries.get(subscription.id, lock=True)
        now = clock.now()
        changed = Subscription.update(owner_id=to, version=Subscription.version + 1, updated_at=now)
        changed.where(Subscription.id == subscription.id).execute()
        history.append("webhook", subscription.id, [WebhookUpdated(changed=["owner"])], actor=actor, at=now)
    database.on_commit(fan_out.forget)
    return len(found)
