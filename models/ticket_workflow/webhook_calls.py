"""The body and signature of a life cycle's webhook call. Pure; `queues/actors/call_webhook.py` sends it.

The signature follows Standard Webhooks (https://www.standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over id,
timestamp and body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.kernel.batch import as_json
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


def headers(event_id: str, sent_at: datetime, content: bytes, secret: str) -> dict[str, str]:
    """The three headers by which the receiver knows us; the id is the same over all attempts."""
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{event_id}.{timestamp}.".encode() + content
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
        "user-agent": "Nestor",
    }
