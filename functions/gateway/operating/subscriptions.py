"""/v1/webhooks: the subscriptions of other systems to the events of the desk (outgoing webhooks)."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.http.operations import Answer, AnyCall, Call, Idempotency, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import LINE_OR_NONE
from models.events import fan_out, subscription_limits
from models.identity.rules import Permission
from models.kernel import clock, settings
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.subscriptions import commands, queries
from models.visibility import owners

operations = Operations()
# Between the read of a process and the start of its cache.
_margin_s = 1.0
Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
EventTypes = Annotated[
    list[Annotated[str, msgspec.Meta(pattern=r"^(\*|[a-z][a-z0-9_]{0,62})(?![\s\S])")]],
    msgspec.Meta(min_length=1, max_length=subscription_limits.event_types_max),
]
Description = Annotated[str, msgspec.Meta(max_length=subscription_limits.description_chars_max, pattern=LINE_OR_NONE)]


class Webhook(msgspec.Struct):
    """A webhook subscription. It delivers the events that its owner may see.

    `state`: active, paused by a person, or switched off after a long series of failures.
    """

    id: UUID
    url: str
    description: str
    event_types: list[str]
    include_bodies: bool
    active: bool
    state: str
    failing_since: datetime | None
    switched_off_at: datetime | None
    switched_off_reason: str | None
    secret_rotating_until: datetime | None
    created_by: str
    owner_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class MadeWebhook(Webhook):
    """A webhook with its new secret, which is returned only once."""

    secret: str


class WebhookPage(msgspec.Struct):
    """A page of webhooks."""

    items: list[Webhook]
    next_cursor: str | None


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """A webhook to create. `event_types` lists names, or is `["*"]`. `include_bodies` adds message
    texts to the events.
    """

    url: Url
    event_types: EventTypes
    description: Description = ""
    include_bodies: bool = False


class WebhookChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values. `active: true` switches the webhook on again."""

    url: Url | msgspec.UnsetType = msgspec.UNSET
    event_types: EventTypes | msgspec.UnsetType = msgspec.UNSET
    description: Description | msgspec.UnsetType = msgspec.UNSET
    include_bodies: bool | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET


def _webhook(row: queries.Subscription) -> JsonObject:
    values = {name: getattr(row, name) for name in Webhook.__struct_fields__ if name != "secret_rotating_until"}
    return values | {"secret_rotating_until": row.previous_secret_until if row.previous_secret else None}


def _shown(row: queries.Subscription) -> Answer:
    return Answer(Webhook(**_webhook(row)), headers=show.etag(row.version))


def _with_secret(row: queries.Subscription, status: int) -> Answer:
    headers = show.etag(row.version) | {"Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/v1/webhooks/{row.id}"
    return Answer(MadeWebhook(secret=row.signing_secret, **_webhook(row)), status=status, headers=headers)


def id_of(call: AnyCall) -> UUID:
    return pages.id_of(call.params["webhook"], "webhook")


# Changes that give the receiver nothing: everybody who manages webhooks may make them, and may switch one off.
_NARROWING = frozenset({"description", "active"})


def _private() -> bool:
    return settings.current().webhooks_private


@operations.add(
    "POST",
    "/v1/webhooks",
    summary="Create a webhook",
    needs=Permission.webhooks_manage,
    body=NewWebhook,
    answers={201: MadeWebhook},
    problems=(409,),
    unlocked=True,
    idempotency=Idempotency.refused,
)
def create_webhook(call: Call[NewWebhook]) -> Answer:
    """The secret is returned only once.

    An Idempotency-Key is refused, because a stored response would hold the secret.

    Every event that is written after the response is delivered. The first webhook of a desk takes a few seconds to
    create, because other processes cache the absence of webhooks.
    """
    body = call.body
    with database.transaction():
        owners.check_receiver(call.caller, call.caller.owner_id)
        made = commands.create(
            **msgspec.structs.asdict(body), private=_private(), actor=call.caller.actor, owner_id=call.caller.owner_id
        )
        known = queries.noticed_by_all(clock.now())
    if not known and not settings.current().embedded:
        time.sleep(fan_out.notice_s + _margin_s)
    return _with_secret(made, 201)


@operations.add(
    "GET",
    "/v1/webhooks",
    summary="List webhooks",
    needs=Permission.webhooks_manage,
    query=pages.PageQuery,
    answers={200: WebhookPage},
)
def list_webhooks(call: Call[None, pages.PageQuery]) -> Answer:
    """Newest first."""
    before = pages.decode(call.query.cursor, "webhooks", pages.instant, UUID)
    position = (before[0], before[1]) if before else None
    rows = queries.page(before=position, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "webhooks", lambda row: (row.created_at, row.id))
    return Answer(WebhookPage([Webhook(**_webhook(row)) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/webhooks/{webhook}",
    summary="Get a webhook",
    needs=Permission.webhooks_manage,
    answers={200: Webhook},
    problems=(404,),
)
def read_webhook(call: Call) -> Answer:
    """Without its secret."""
    return _shown(queries.get(id_of(call)))


@operations.add(
    "PATCH",
    "/v1/webhooks/{webhook}",
    summary="Update a webhook",
    needs=Permission.webhooks_manage,
    body=WebhookChanges,
    answers={200: Webhook},
    problems=(404,),
    etag=True,
)
def change_webhook(call: Call[WebhookChanges]) -> Answer:
    """Pausing discards its pending deliveries. Resuming keeps the missed events, which can be replayed."""
    expected = call.expected_version()
    changes = {n: v for n, v in msgspec.structs.asdict(call.body).items() if v is not msgspec.UNSET}
    webhook_id = id_of(call)
    if not _NARROWING.issuperset(changes) or changes.get("active") is True:
        owners.check_receiver(call.caller, queries.get(webhook_id).owner_id)
    return _shown(
        commands.update(webhook_id, changes, expected_version=expected, private=_private(), actor=call.caller.actor)
    )


@operations.add(
    "DELETE",
    "/v1/webhooks/{webhook}",
    summary="Delete a webhook",
    needs=Permission.webhooks_manage,
    answers={204: None},
    problems=(404,),
    etag="optional",
)
def delete_webhook(call: Call) -> Answer:
    """Irreversible. Its delivery log is kept until its events expire."""
    expected = call.optional_version()
    commands.delete(id_of(call), expected_version=expected, actor=call.caller.actor)
    return Answer(status=204)


@operations.add(
    "POST",
    "/v1/webhooks/{webhook}/rotate_secret",
    summary="Rotate a webhook's secret",
    needs=Permission.webhooks_manage,
    answers={200: MadeWebhook},
    problems=(404,),
    unlocked=True,
    idempotency=Idempotency.refused,
)
def rotate_webhook_secret(call: Call) -> Answer:
    """Both secrets sign for a day. The new secret is returned only once."""
    with database.transaction():
        rotated = commands.rotate_secret(id_of(call), actor=call.caller.actor)
    return _with_secret(rotated, 200)
