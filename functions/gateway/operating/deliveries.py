"""/v1/deliveries: list deliveries, and retry or discard those that failed."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from functions.gateway.sights import sight_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from models.deliveries import commands, queries
from models.deliveries.tables import Delivery
from models.identity.rules import Permission
from models.visibility import sight

operations = Operations()


class DeliveryQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of deliveries."""

    status: Literal["scheduled", "pending", "sending", "sent", "failed", "unknown", "discarded"] | None = None


@operations.add(
    "GET",
    "/v1/deliveries",
    summary="List deliveries",
    needs=Permission.deliveries_read,
    query=DeliveryQuery,
    answers={200: show.DeliveryPage},
)
def list_deliveries(call: Call[None, DeliveryQuery]) -> Answer:
    """Newest first, with every attempt."""
    before = pages.decode(call.query.cursor, "deliveries", pages.instant, UUID)
    position = (before[0], before[1]) if before else None
    only = sight_of(call).about(Delivery.ticket_id)
    rows = queries.page(state=call.query.status, before=position, limit=call.query.limit + 1, only=only)
    page, cursor = pages.cut(rows, call.query.limit, "deliveries", lambda row: (row["created_at"], row["id"]))
    return Answer(show.DeliveryPage([show.delivery(row) for row in page], cursor))


def _delivery_id(call: AnyCall) -> UUID:
    """The id of the path. Raises NotFound, also for a delivery of a ticket that the caller may not see."""
    delivery_id = pages.id_of(call.params["delivery"], "delivery")
    sight.require(sight_of(call), queries.get(delivery_id)["ticket_id"], "delivery", delivery_id)
    return delivery_id


@operations.add(
    "GET",
    "/v1/deliveries/{delivery}",
    summary="Get a delivery",
    needs=Permission.deliveries_read,
    answers={200: show.Delivery},
    problems=(404,),
)
def read_delivery(call: Call) -> Answer:
    """With every attempt."""
    return Answer(show.delivery(queries.get(_delivery_id(call))))


@operations.add(
    "POST",
    "/v1/deliveries/{delivery}/retry",
    summary="Retry a delivery",
    needs=Permission.deliveries_manage,
    answers={202: show.Delivery},
    problems=(404, 409),
)
def retry_delivery(call: Call) -> Answer:
    """Sends a failed, unknown or discarded delivery again."""
    delivery_id = _delivery_id(call)
    commands.retry(delivery_id)
    return Answer(show.delivery(queries.get(delivery_id)), status=202)


@operations.add(
    "POST",
    "/v1/deliveries/{delivery}/discard",
    summary="Discard a delivery",
    needs=Permission.deliveries_manage,
    answers={200: show.Delivery},
    problems=(404, 409),
)
def discard_delivery(call: Call) -> Answer:
    """Discards a pending or failed delivery. It is not attempted again."""
    delivery_id = _delivery_id(call)
    commands.discard(delivery_id)
    return Answer(show.delivery(queries.get(delivery_id)))
