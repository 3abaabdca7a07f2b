"""The register: users of the desk, its configuration and its machinery. None of these columns is a requester's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.privacy.register.treatments import DESK, HASH, NAME, STAFF, WORD, Column, impersonal, kept

TABLES: Final[Mapping[str, Mapping[str, Column]]] = {
    "users": {
        "email": STAFF,
        "name": STAFF,
        "role": NAME,
        "password_hash": HASH,
        "locale": STAFF,
    },
    "roles": {"name": NAME, "based_on": WORD, "description": DESK, "permissions": WORD},
    "sessions": {"refresh_hash": HASH, "previous_hash": HASH, "client": STAFF, "user_agent": STAFF},
    "api_keys": {
        "name": DESK,
        "role": NAME,
        "scopes": WORD,
        "key_hash": HASH,
        "prefix": HASH,
        "created_by": STAFF,
    },
    "accounts": {"kind": WORD},
    "password_links": {"purpose": WORD, "token_hash": HASH, "password_mark": HASH},
    "second_factors": {
        "kind": WORD,
        "name": STAFF,
        "secret": HASH,
        "credential_id": HASH,
        "public_key": HASH,
    },
    "recovery_codes": {"code_hash": HASH},
    "oidc_links": {"issuer": NAME, "subject": STAFF},
    "sign_in_challenges": {"purpose": WORD, "token_hash": HASH, "password_mark": HASH, "data": STAFF},
    "desk_mails": {
        "kind": WORD,
        "address": STAFF,
        "name": STAFF,
        "locale": STAFF,
        "facts": STAFF,
        "error": STAFF,
    },
    "user_addresses": {"channel": NAME, "address": STAFF, "access_mark": HASH, "account": NAME},
    "user_links": {
        "token_hash": HASH,
        "asked_channel": NAME,
        "asked_address": STAFF,
        "access_mark": HASH,
        "asked_account": NAME,
    },
    "notice_settings": {"ways": STAFF, "quiet_hours": STAFF, "digest": STAFF, "digest_at": STAFF, "time_zone": STAFF},
    "staff_topics": {
        "channel": NAME,
        "account": NAME,
        "address": kept("a topic in the staff's group"),
    },
    "teams": {"name": NAME, "label": DESK, "visibility": WORD},
    "team_members": {"team": NAME},
    "definitions": {
        "kind": WORD,
        "name": NAME,
        "body": DESK,
        "source": DESK,
        "sha256": HASH,
        "published_by": STAFF,
        "origin": WORD,
    },
    "definition_activations": {"kind": WORD, "name": NAME, "activated_by": STAFF, "reason": DESK},
    "workflow_migrations": {
        "workflow": NAME,
        "to_workflow": NAME,
        "state_map": DESK,
        "state": WORD,
        "error": DESK,
        "started_by": STAFF,
    },
    "workflow_replays": {
        "workflow": NAME,
        "draft": DESK,
        "state": WORD,
        "tally": impersonal("numbers and states of tickets"),
        "error": DESK,
        "started_by": STAFF,
    },
    "subscriptions": {
        "url": DESK,
        "description": DESK,
        "event_types": WORD,
        "state": WORD,
        "secret": HASH,
        "previous_secret": HASH,
        "switched_off_reason": DESK,
        "created_by": STAFF,
    },
    "subscription_event_types": {"event_type": WORD},
    "channel_health": {
        "channel": NAME,
        "account": NAME,
        "error": kept("the account's present error; the next success deletes it"),
        "sending_error": kept("the last failed send's error, without addresses; the next accepted send deletes it"),
        "told": impersonal("the provider's facts about the account"),
    },
    "channel_positions": {
        "channel": NAME,
        "account": NAME,
        "name": NAME,
        "position": impersonal("numbers of a mailbox or of updates"),
    },
    "channel_tokens": {
        "channel": NAME,
        "account": NAME,
        "source": HASH,
        "access_token": HASH,
        "refresh_token": HASH,
    },
    "puller_leases": {"channel": NAME, "account": NAME, "holder": HASH},
    "counters": {"name": WORD},
    "schema_migrations": {"name": WORD},
}
