"""Commands that create, change, test, replay and delete subscriptions and rotate their secrets.

Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.events import fan_out, history, subscription_limits, subscription_rules
from models.events.commands import SYSTEM, Actor
from models.events.desk_payloads import (
    WebhookCreated,
    WebhookDeleted,
    WebhookSecretRotated,
    WebhookSwitchedOff,
    WebhookSwitchedOn,
    WebhookTested,
    WebhookUpdated,
)
from models.events.payload import EventPayload
from models.kernel import clock, vault
from models.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import Batch, as_json
from models.subscriptions import queries, waiting
from models.subscriptions.queries import Subscription
from models.subscriptions.tables import WebhookDelivery
from models.tasks import commands as tasks
from models.tasks.payloads import DeliverWebhook, PlanNotice


class NotSwitchedOff(Conflict):
    """This webhook is not active; switch it on first."""

    code = "webhook_not_active"


def create(
    *,
    url: str,
    event_types: Sequence[str],
    description: str,
    include_bodies: bool,
    private: bool,
    actor: Actor,
    owner_id: UUID | None = None,
) -> Subscription:
    """Create an active subscription. Raises Invalid, Conflict.

    The API shows the secret only in the response to this command.

    `private` allows URLs of private networks. `owner_id`: the user whose sight the receiver gets; None: the desk's.
    """
    _check(url, event_types, description, private)
    if queries.count() >= subscription_limits.subscriptions_max:
        raise Conflict(f"there are {subscription_limits.subscriptions_max} webhooks already; remove one first")
    now, subscription_id = clock.now(), new_id()
    batch = Batch()
    batch.insert(
        "subscriptions",
        {
            "id": subscription_id,
            "url": url,
            "description": description,
            "event_types": list(event_types),
            "include_bodies": include_bodies,
            "state": "active",
            "secret": _sealed(subscription_id, "secret", subscription_rules.new_secret()),
            "created_by": actor.name,
            "owner_id": owner_id,
            "created_at": now,
            "updated_at": now,
        },
    )
    batch.write()
    _write_types(subscription_id, event_types)
    fan_out.forget()  # for its own event; and again when other transactions see the row
    database.on_commit(fan_out.forget)
    _note(subscription_id, WebhookCreated(event_types=list(event_types)), actor=actor)
    return queries.get(subscription_id)


def _sealed(subscription_id: UUID, column: str, secret: str) -> str:
    return vault.seal(vault.purpose("subscriptions", column, subscription_id), secret.encode())


def update(
    subscription_id: UUID,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    private: bool,
    actor: Actor,
) -> Subscription:
    """Change url, event_types, description, include_bodies or active.

    A change of the state or the URL clears the recorded failures. Raises Invalid, NotFound, PreconditionFailed.
    """
    before = _locked(subscription_id, expected_version)
    changed = _changed(before, changes)
    wanted = replace(before, **changed)
    _check(wanted.url, wanted.event_types, wanted.description, private)
    if not changed:
        return before
    cleared = _NO_FAILURES if {"state", "url"} & changed.keys() else {}
    _set(subscription_id, changed | cleared)
    if "event_types" in changed:
        _write_types(subscription_id, wanted.event_types)
    if wanted.active and before.blocked_until is not None and cleared:
        waiting.release(subscription_id)
    if before.active and not wanted.active:
        _end_pending(subscription_id, "discarded", "the webhook was paused")
    _note(subscription_id, WebhookUpdated(changed=sorted(changed)), actor=actor)
    if wanted.active and not before.active:
        _note(subscription_id, WebhookSwitchedOn(), actor=actor)
    return queries.get(subscription_id)


_NO_FAILURES: database.Row = {
    "failures": 0,
    "failing_since": None,
    "blocked_until": None,
    "switched_off_at": None,
    "switched_off_reason": None,
}


def _changed(before: Subscription, changes: Mapping[str, Any]) -> database.Row:
    """Return the columns that differ from `before` after the caller's changes."""
    values = {name: value for name, value in changes.items() if name != "active"}
    if "active" in changes:
        # To pause a subscription that is switched off acknowledges its failure.
        values["state"] = "active" if changes["active"] else "paused"
    return {name: value for name, value in values.items() if value != getattr(before, name)}


def delete(subscription_id: UUID, *, expected_version: int | None, actor: Actor) -> None:
    """Delete a subscription permanently. Raises NotFound, PreconditionFailed.

    The function erases the secrets; the delivery log stays until its retention time ends.
    """
    _locked(subscription_id, expected_version)
    _set(subscription_id, {"state": "deleted", "secret": "", "previous_secret": None})
    database.execute("DELETE FROM subscription_event_types WHERE subscription_id = :id", id=subscription_id)
    _end_pending(subscription_id, "discarded", "the webhook was removed")
    _note(subscription_id, WebhookDeleted(), actor=actor)


def rotate_secret(subscription_id: UUID, *, actor: Actor) -> Subscription:
    """Create a new secret. Raises NotFound.

    For `subscription_limits.rotation_s`, calls are signed with the previous secret as well.
    """
    before = queries.get(subscription_id, lock=True)
    until = clock.now() + timedelta(seconds=subscription_limits.rotation_s)
    _set(
        subscription_id,
        {
            "secret": _sealed(subscription_id, "secret", subscription_rules.new_secret()),
            "previous_secret": _sealed(subscription_id, "previous_secret", before.signing_secret),
            "previous_secret_until": until,
        },
    )
    _note(subscription_id, WebhookSecretRotated(), actor=actor)
    return queries.get(subscription_id)


def test(subscription_id: UUID, *, actor: Actor) -> UUID:
    """Send a test event to this subscription, whatever its event types, and return the delivery's id.

    Raises NotFound, Conflict.
    """
    subscription = queries.get(subscription_id, lock=True)
    if not subscription.active:
        raise NotSwitchedOff()
    event_id = _note(subscription_id, WebhookTested(), actor=actor)
    database.execute(
        "INSERT INTO webhook_deliveries (subscription_id, event_id, state, created_at) VALUES (:id, :event,"
        " 'pending', :now)"
        " ON CONFLICT (subscription_id, event_id) DO NOTHING",
        id=subscription_id,
        event=event_id,
        now=clock.now(),
    )
    if not set(subscription.event_types) & {"*", "webhook_tested"}:  # otherwise the fan-out has created the task
        enqueue(subscription_id, [event_id])
    return event_id


def replay(subscription_id: UUID, event_id: UUID) -> None:
    """Send one delivery again under the same id.

    Raises NotFound, or Conflict while the delivery is pending or the webhook is not active.
    """
    _active(subscription_id)
    done = database.run(
        "UPDATE webhook_deliveries SET state = 'pending', finished_at = NULL WHERE subscription_id = :id AND"
        " event_id = :event"
        " AND state <> 'pending' RETURNING event_id",
        id=subscription_id,
        event=event_id,
    )
    if not done:
        if queries.delivery(subscription_id, event_id) is None:
            raise NotFound(f"there is no delivery {event_id} of this webhook")
        raise Conflict("this delivery is on its way already")
    enqueue(subscription_id, [event_id])


def replay_since(subscription_id: UUID, since: datetime) -> int:
    """Send again the deliveries that failed or were missed since then, oldest first; return their number.

    Raises NotFound, Conflict.
    """
    _active(subscription_id)
    rows = database.run(
        "UPDATE webhook_deliveries SET state = 'pending', finished_at = NULL WHERE subscription_id = :id AND"
        " event_id IN"
        " (SELECT event_id FROM webhook_deliveries WHERE subscription_id = :id AND state IN ('failed', 'missed')"
        " AND created_at >= :since ORDER BY event_id LIMIT :limit) AND state IN ('failed', 'missed') RETURNING"
        " event_id",
        id=subscription_id,
        since=since,
        limit=subscription_limits.replays_max,
    )
    enqueue(subscription_id, sorted(WebhookDelivery.converted(row)["event_id"] for row in rows))
    return len(rows)


def switch_off(subscription: Subscription, reason: str) -> None:
    """Switch off a subscription after long failure and notify every active admin.

    The caller has locked the subscription's row.
    """
    now = clock.now()
    _set(
        subscription.id,
        {"state": "switched_off", "switched_off_at": now, "switched_off_reason": reason},
    )
    _end_pending(subscription.id, "missed", f"the webhook was switched off: {reason}")
    batch = Batch()
    name = subscription.description or subscription.id
    action = "Repair its receiver, switch it on again and replay the missed events."
    text = f"The webhook {name} was switched off: {reason}. {action}"
    for admin in database.run("SELECT id FROM users WHERE role = 'admin' AND active ORDER BY id"):
        notice_id = new_id()
        batch.insert(
            "notices",
            {
                "id": notice_id,
                "user_id": admin["id"],
                "ticket_id": None,
                "kind": "desk",
                "rule": "webhook_switched_off",
                "text": text,
                "created_at": now,
            },
        )
        tasks.add(batch, tasks.row(PlanNotice(notice_id=notice_id)))
    _note(subscription.id, WebhookSwitchedOff(reason=reason), actor=SYSTEM, with_rows=batch)


def _check(url: str, event_types: Sequence[str], description: str, private: bool) -> None:
    found: list[FieldProblem] = subscription_rules.problems(
        url=url, event_types=event_types, description=description, private=private
    )
    if found:
        raise Invalid(found)


def _locked(subscription_id: UUID, expected_version: int | None) -> Subscription:
    found = queries.get(subscription_id, lock=True)
    if expected_version is not None and found.version != expected_version:
        raise PreconditionFailed()
    return found


def _active(subscription_id: UUID) -> None:
    if not queries.get(subscription_id, lock=True).active:
        raise NotSwitchedOff()


def _set(subscription_id: UUID, values: Mapping[str, Any]) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    written = {n: as_json(v) if isinstance(v, list | tuple) else v for n, v in values.items()}
    database.execute(
        f"UPDATE subscriptions SET {assignments}, version = version + 1, updated_at = :now WHERE id = :id",
        written,
        now=clock.now(),
        id=subscription_id,
    )


def _write_types(subscription_id: UUID, event_types: Sequence[str]) -> None:
    database.execute("DELETE FROM subscription_event_types WHERE subscription_id = :id", id=subscription_id)
    batch = Batch()
    for name in event_types:
        batch.insert("subscription_event_types", {"event_type": name, "subscription_id": subscription_id})
    batch.write()


def _end_pending(subscription_id: UUID, state: subscription_rules.DeliveryState, why: str) -> None:
    """End the pending deliveries and their waiting tasks.

    The task of a call that is running records its outcome itself.
    """
    waiting.end(subscription_id)
    database.execute(
        "UPDATE webhook_deliveries SET state = :state, last_error = :why, finished_at = :now"
        " WHERE subscription_id = :id AND state = 'pending'",
        state=state,
        why=why,
        now=clock.now(),
        id=subscription_id,
    )


def enqueue(subscription_id: UUID, event_ids: Sequence[UUID]) -> None:
    """Create the tasks that send these deliveries; if the receiver rests, they become due after its rest."""
    rest_s, due_at = waiting.rest_s(queries.get(subscription_id)), None
    if rest_s > 0:
        due_at = clock.now() + timedelta(seconds=rest_s + subscription_limits.probe_s)
    batch = Batch()
    for event_id in event_ids:
        payload = DeliverWebhook(subscription_id=subscription_id, event_id=event_id)
        tasks.add(batch, tasks.row(payload, due_at=due_at))
        if len(batch) >= subscription_limits.replays_written_at_once:
            tasks.write(batch)
            batch = Batch()
    tasks.write(batch)


def _note(
    subscription_id: UUID,
    event: EventPayload,
    *,
    actor: Actor,
    with_rows: Batch | None = None,
) -> UUID:
    """Write the event of a subscription and return the event's id. The caller has locked the subscription's row."""
    batch = Batch() if with_rows is None else with_rows
    history.append("webhook", subscription_id, [event], actor=actor, at=clock.now(), with_rows=batch)
    return next(UUID(str(v["event_id"])) for table, v in batch.rows() if table == "events")
