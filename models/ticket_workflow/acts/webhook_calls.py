"""The body of a life-cycle call. Pure; `queues/actors/call_webhook.py` signs and sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.kernel.storage.batch import as_json
from models.tickets.tables import Ticket


def body(ticket: Ticket, event: Mapping[str, Any]) -> bytes:
    """The payload, version 1: what happened, by which rule, and the ticket as it is now.

    No message and no address is in it.
    """
    payload = event["payload"]
    document = {
        "type": f"ticket.{payload['event']}",
        "timestamp": event["occurred_at"],
        "version": 1,
        "data": {
            "event_id": event["event_id"],
            "webhook": payload["webhook"],
            "rule": payload["rule"],
            "workflow": payload["workflow"],
            "workflow_version": payload["workflow_version"],
            "ticket": {
                "id": ticket.id,
                "number": ticket.number,
                "title": ticket.title,
                "type": ticket.type,
                "priority": ticket.priority,
                "state": ticket.state,
                "category": ticket.category,
                "team": ticket.team,
                "tags": ticket.tags,
                "fields": ticket.fields,
                "assignee_id": ticket.assignee_id,
            },
        },
    }
    return as_json(document).encode()
