"""What a subscriber is told of an event: the log's envelope in that of Standard Webhooks; what people wrote only when
asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.events.catalogue import VERSION
from models.kernel.batch import as_json

# Texts of people, wherever they stand in a payload.
_WRITTEN = frozenset({"body", "body_full", "body_html", "previous_body", "text", "comment", "description"})
# Never told, whoever asks.
_SECRET = frozenset({"password", "password_hash", "token", "secret", "key", "key_hash", "refresh_token", "client"})
_DEPTH_MAX = 32  # of nested values; deeper JSON is not taken in (limits.json_depth_max)


def body(event: Mapping[str, Any], *, include_bodies: bool, message: Mapping[str, Any] | None = None) -> bytes:
    """The call's body, version 1. The same event gives the same bytes, so a repeat can be known by them too."""
    left_out: set[str] = set()
    payload = _without(event["payload"], _SECRET if include_bodies else _SECRET | _WRITTEN, left_out, 0)
    data: dict[str, Any] = {
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
