"""/v1/webhooks/{webhook}/deliveries: the delivery log of an outgoing webhook, test deliveries and replays."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from functions.gateway.operating.subscriptions import id_of
from functions.http.operations import Answer, Call, Cost, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Instant
from models.identity.rules import Permission
from models.kernel.errors import NotFound
from models.subscriptions import commands, queries
from models.subscriptions.row_types import WebhookDeliveryRow

operations = Operations()


class WebhookAttempt(msgspec.Struct):
    """One HTTP request to the receiver. `status` is null without a response; `response` is the
    beginning of its body.
    """

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    response: str | None
    error: str | None


class WebhookDelivery(msgspec.Struct):
    """The delivery of an event to a webhook. `id` is the event's id, which the receiver gets as `webhook-id`."""

    id: UUID
    event_type: str | None
    occurred_at: datetime | None
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    attempt_log: list[WebhookAttempt]


class WebhookDeliveryPage(msgspec.Struct):
    """A page of deliveries."""

    items: list[WebhookDelivery]
    next_cursor: str | None


class WebhookDeliveryQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of deliveries."""

    state: Literal["pending", "delivered", "failed", "missed", "discarded"] | None = None


class Since(msgspec.Struct, forbid_unknown_fields=True):
    """The time from which on events are redelivered."""

    since: Instant


class Replayed(msgspec.Struct):
    """The number of deliveries that were queued again."""

    count: int


@operations.add(
    "POST",
    "/v1/webhooks/{webhook}/test",
    summary="Send a test event",
    needs=Permission.webhooks_manage,
    answers={202: WebhookDelivery},
    problems=(404, 409),
)
def test_webhook(call: Call) -> Answer:
    """Sends a `webhook_tested` event to the webhook, regardless of its event types. The delivery
    records the outcome.
    """
    webhook_id = id_of(call)
    return _delivery(webhook_id, commands.test(webhook_id, actor=call.caller.actor), 202)


def _delivery(webhook_id: UUID, event_id: UUID, status: int) -> Answer:
    row = queries.delivery(webhook_id, event_id)
    if row is None:
        raise NotFound(f"there is no delivery {event_id} of this webhook")
    return Answer(_represented(row), status=status)


def _represented(row: WebhookDeliveryRow) -> WebhookDelivery:
    values = show.same_names(WebhookDelivery, row, but={"id", "attempt_log"})
    log = [show.copied(WebhookAttempt, one) for one in row["attempt_log"]]
    return WebhookDelivery(id=row["event_id"], attempt_log=log, **values)


@operations.add(
    "GET",
    "/v1/webhooks/{webhook}/deliveries",
    summary="List a webhook's deliveries",
    needs=Permission.webhooks_manage,
    query=WebhookDeliveryQuery,
    answers={200: WebhookDeliveryPage},
    problems=(404,),
)
def list_webhook_deliveries(call: Call[None, WebhookDeliveryQuery]) -> Answer:
    """Newest event first, with every attempt."""
    query = call.query
    webhook_id = queries.get(id_of(call)).id
    before = pages.decode(query.cursor, "webhook_deliveries", UUID)
    rows = queries.deliveries(
        webhook_id, state=query.state, before=before[0] if before else None, limit=query.limit + 1
    )
    page, cursor = pages.cut(rows, query.limit, "webhook_deliveries", lambda row: (row["event_id"],))
    return Answer(WebhookDeliveryPage([_represented(row) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/webhooks/{webhook}/deliveries/{delivery}",
    summary="Get a webhook's delivery",
    needs=Permission.webhooks_manage,
    answers={200: WebhookDelivery},
    problems=(404,),
)
def read_webhook_delivery(call: Call) -> Answer:
    """With every attempt."""
    return _delivery(queries.get(id_of(call)).id, pages.id_of(call.params["delivery"], "delivery"), 200)


@operations.add(
    "POST",
    "/v1/webhooks/{webhook}/deliveries/{delivery}/replay",
    summary="Redeliver a webhook's event",
    needs=Permission.webhooks_manage,
    answers={202: WebhookDelivery},
    problems=(404, 409),
)
def replay_webhook_delivery(call: Call) -> Answer:
    """Keeps the event id, so that the receiver can recognise a repeat."""
    webhook_id, event_id = id_of(call), pages.id_of(call.params["delivery"], "delivery")
    commands.replay(webhook_id, event_id)
    return _delivery(webhook_id, event_id, 202)


@operations.add(
    "POST",
    "/v1/webhooks/{webhook}/replay",
    cost=Cost.heavy,
    summary="Redeliver failed events",
    needs=Permission.webhooks_manage,
    body=Since,
    answers={202: Replayed},
    problems=(404, 409),
)
def replay_webhook(call: Call[Since]) -> Answer:
    """Redelivers events that failed or were missed since the given time, at most ten thousand a
    request, oldest first.
    """
    body = call.body
    return Answer(Replayed(commands.replay_since(id_of(call), body.since)), status=202)
