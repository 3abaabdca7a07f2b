"""Payloads of webhook calls: the envelope of the event log inside the envelope of Standard Webhooks.

Text that people wrote is included only if the subscription asks for it (`include_bodies`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.events.catalogue import VERSION
from models.kernel.open_json import JsonObject
from models.kernel.storage.batch import as_json

# Fields with text that people wrote, at any depth of a payload.
_WRITTEN = frozenset({"body", "body_full", "body_html", "previous_body", "text", "comment", "description"})
# Fields that no payload includes.
_SECRET = frozenset({"password", "password_hash", "token", "secret", "key", "key_hash", "refresh_token", "client"})
_DEPTH_MAX = 32  # nesting; the desk accepts no deeper JSON (limits.json_depth_max)


def body(event: Mapping[str, Any], *, include_bodies: bool, message: Mapping[str, Any] | None = None) -> bytes:
    """Return the body of a call, version 1. The same event and message give the same bytes in every attempt."""
    left_out: set[str] = set()
    payload = _without(event["payload"], _SECRET if include_bodies else _SECRET | _WRITTEN, left_out, 0)
    data: JsonObject = {
        "event_id": event["event_id"],
        "event_type": event["event_type"],
        "event_version": event["event_version"],
        "occurred_at": event["occurred_at"],
        "aggregate": event["aggregate"],
        "aggregate_id": event["aggregate_id"],
        "sequence": event["sequence"],
        "actor": {"kind": event["actor_kind"], "id": event["actor_id"]},
        "request_id": event["request_id"],
        "payload": payload,
    }
    if include_bodies:
        data["message"] = None if message is None else dict(message)
    if left_out:
        data["left_out"] = sorted(left_out)
    told = {"type": event["event_type"], "timestamp": event["occurred_at"], "version": VERSION, "data": data}
    return as_json(told).encode()


def _without(value: Any, names: frozenset[str], left_out: set[str], depth: int) -> Any:
    if depth > _DEPTH_MAX:
        return None
    if isinstance(value, dict):
        left_out |= names & value.keys()
        return {k: _without(v, names, left_out, depth + 1) for k, v in value.items() if k not in names}
    if isinstance(value, list):
        return [_without(one, names, left_out, depth + 1) for one in value]
    return value
