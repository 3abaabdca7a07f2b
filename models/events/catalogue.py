"""The types of events that can be subscribed to, each with what its payload holds, and their JSON Schemas.

Version 1 of every payload grows only by properties; a change that breaks readers is a new version beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

VERSION: Final = 1
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Final = {"type": "string"}
_MAYBE_TEXT: Final = {"type": ["string", "null"]}
_ID: Final = {"type": "string", "format": "uuid"}
_MAYBE_ID: Final = {"type": ["string", "null"], "format": "uuid"}
_WHOLE: Final = {"type": "integer"}
_OBJECT: Final = {"type": "object"}
_LIST: Final = {"type": "array"}
_CHANGES: Final = {
    "type": "object",
    "additionalProperties": {"type": "object", "properties": {"from": {}, "to": {}}},
}

# Type -> what it means, and the properties of its payload that are always there.
EVENT_TYPES: Final[Mapping[str, tuple[str, Mapping[str, Mapping[str, Any]]]]] = {
    "ticket_created": ("A ticket was opened.", {"title": _TEXT, "type": _TEXT, "priority": _TEXT, "fields": _OBJECT}),
    "ticket_updated": ("Fields, priority, team or tags of a ticket changed.", {"changes": _CHANGES}),
    "ticket_state_changed": ("A ticket moved to another state.", {}),
    "ticket_assigned": ("A ticket was given to an agent, or to nobody.", {"from": _MAYBE_ID, "to": _MAYBE_ID}),
    "ticket_related": ("A ticket was opened beside another.", {"ticket_id": _ID, "reason": _TEXT}),
    "ticket_rated": ("A requester rated a ticket.", {"payload": _OBJECT}),
    "ticket_migrated": ("A ticket moved to another version of its life cycle.", {"migration_id": _ID}),
    "migration_skipped": ("A ticket could not move to another version.", {"migration_id": _ID, "reason": _TEXT}),
    "message_received": ("A requester wrote.", {"message_id": _ID, "channel": _TEXT, "automatic": _MAYBE_TEXT}),
    "message_added": ("The desk wrote to the requester.", {"message_id": _ID}),
    "message_edited": ("A message was changed where it was written.", {"message_id": _ID}),
    "message_part_added": ("A further part of a message arrived (a picture of an album).", {"message_id": _ID}),
    "message_edit_sent": ("The desk corrected a message of its own.", {}),
    "message_deleted": ("A message was taken back.", {"message_id": _ID}),
    "reaction_changed": ("Somebody reacted to a message.", {"message_id": _ID}),
    "attachment_stored": ("A file of a message was fetched.", {"attachment_id": _ID, "message_id": _ID}),
    "attachment_failed": ("A file of a message could not be fetched.", {"attachment_id": _ID, "message_id": _ID}),
    "requester_reachable": ("A requester can be written to again.", {}),
    "requester_unreachable": ("A requester cannot be written to.", {}),
    "personal_data_erased": ("A person's data was erased.", {}),
    "note_added": ("A note was added, which never leaves the desk.", {"message_id": _ID}),
    "delivery_failed": ("A message did not reach its reader.", {"delivery_id": _ID, "message_id": _ID, "state": _TEXT}),
    "delivery_delivered": ("The provider says that a message arrived.", {"delivery_id": _ID}),
    "delivery_opened": ("The provider says that a message was opened.", {"delivery_id": _ID}),
    "delivery_complained": ("A message's reader called it abuse.", {"delivery_id": _ID}),
    "delivery_unsubscribed": ("A message's reader wants no more.", {"delivery_id": _ID}),
    "copy_not_delivered": ("A reader of a copy did not get it; the requester did.", {"delivery_id": _ID}),
    "automatic_message_withheld": ("An automatic message was not sent.", {"template": _TEXT, "reason": _TEXT}),
    "agents_notified": ("A life cycle told agents something.", {"users": _LIST}),
    "effect_withheld": ("An effect of a life cycle could not be carried out.", {}),
    "webhook_called": ("A life cycle called a webhook of its own.", {"webhook": _TEXT}),
    "fee_charged": ("A fee was charged.", {}),
    "reward_granted": ("A reward was granted.", {}),
    "linked_ticket_wanted": ("A life cycle asked for another ticket.", {"wanted": _OBJECT}),
    "linked_ticket_made": ("A life cycle opened another ticket.", {"ticket_id": _ID, "number": _WHOLE, "link": _TEXT}),
    "approval_requested": ("An approval was asked for.", {"approval_id": _ID}),
    "approval_voted": ("Somebody voted on an approval.", {}),
    "approval_decided": ("An approval was decided.", {}),
    "transition_refused": ("A move was asked for and refused.", {}),
    "event_unmatched": ("A life cycle had no rule for something.", {}),
    "automation_stopped": ("A chain of rules was ended.", {}),
    "automation_failed": ("An automation was given up.", {"event": _TEXT, "reason": _TEXT}),
    "sla_warning": ("A promised time is near.", {"target": _TEXT}),
    "sla_breached": ("A promised time has passed.", {"target": _TEXT}),
    "signal_received": ("An automation pushed a ticket along.", {"signal": _TEXT, "payload": _OBJECT}),
    "user_created": ("A person joined the desk.", {"email": _TEXT, "name": _TEXT, "role": _TEXT}),
    "user_updated": ("A person's account was changed.", {}),
    "user_deactivated": ("A person left the desk.", {}),
    "signed_in": ("A person signed in.", {"session_id": _ID}),
    "signed_out": ("A session ended.", {"session_id": _ID, "reason": _TEXT}),
    "sign_in_failed": ("Somebody could not sign in.", {}),
    "api_key_created": ("An API key was made.", {"name": _TEXT, "role": _TEXT}),
    "api_key_revoked": ("An API key was revoked.", {}),
    "webhook_created": ("An outgoing webhook was made.", {}),
    "webhook_updated": ("An outgoing webhook was changed.", {}),
    "webhook_switched_off": ("An outgoing webhook was switched off after long failure.", {"reason": _TEXT}),
    "webhook_switched_on": ("An outgoing webhook was switched on again.", {}),
    "webhook_secret_rotated": ("An outgoing webhook got a new secret.", {}),
    "webhook_deleted": ("An outgoing webhook was removed.", {}),
    "webhook_tested": ("A person asked for a trial call of an outgoing webhook.", {}),
}

_MESSAGE: Final = {
    "type": ["object", "null"],
    "description": "The message that the event is about; only for subscriptions with include_bodies.",
    "properties": {
        "id": _ID,
        "direction": _TEXT,
        "kind": _TEXT,
        "author_name": _TEXT,
        "subject": _MAYBE_TEXT,
        "body": _TEXT,
    },
}


def schema(event_type: str, base: str) -> dict[str, Any]:
    """The JSON Schema of what a subscriber gets for this type; `base`: where our addresses begin."""
    says, properties = EVENT_TYPES[event_type]
    payload = {
        "type": "object",
        "properties": {name: dict(kind) for name, kind in properties.items()},
        "required": sorted(properties),
        "additionalProperties": True,
    }
    data = {
        "event_id": _ID,
        "event_type": {"const": event_type},
        "event_version": _WHOLE,
        "occurred_at": _TEXT | {"format": "date-time"},
        "aggregate": {"enum": ["ticket", "user", "api_key", "webhook"]},
        "aggregate_id": _ID,
        "sequence": _WHOLE,
        "actor": {"type": "object", "properties": {"kind": _TEXT, "id": _MAYBE_TEXT}, "required": ["kind", "id"]},
        "request_id": _MAYBE_TEXT,
        "payload": payload,
    }
    return {
        "$schema": DIALECT,
        "$id": f"{base}/v1/webhooks/schemas/{event_type}",
        "title": event_type,
        "description": says,
        "type": "object",
        "required": ["type", "timestamp", "version", "data"],
        "properties": {
            "type": {"const": event_type},
            "timestamp": _TEXT | {"format": "date-time"},
            "version": {"const": VERSION},
            "data": {
                "type": "object",
                "required": sorted(data),
                "properties": data | {"message": _MESSAGE, "left_out": {"type": "array", "items": _TEXT}},
            },
        },
    }
