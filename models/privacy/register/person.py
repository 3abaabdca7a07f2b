"""The register: requesters, their addresses, and the events that providers sent about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.privacy.register.treatments import HASH, NAME, STAFF, WORD, Column, erased, exported, impersonal, kept

TABLES: Final[Mapping[str, Mapping[str, Column]]] = {
    "requesters": {
        "name": exported("the person's name"),
        "locale": exported("the person's language"),
        "fields": exported("facts about the person", blank={}),
        "time_zone": exported("where the person lives"),
    },
    "identities": {
        "channel": NAME,
        "address": exported("an address of the person; the row is deleted"),
        "display_name": exported("the name at the address"),
        "suppressed_reason": exported("the provider's words about the address"),
        "blocked_reason": exported("the staff's words about the person"),
        "verified_by": WORD,
    },
    "requester_links": {
        "token_hash": HASH,
        "made_by": STAFF,
        "asked_address": exported("the address that opened the link"),
        "asked_channel": NAME,
    },
    "requester_codes": {
        "channel": NAME,
        "address": exported("the address that got the code; the row is deleted"),
        "code_hash": HASH,
    },
    "portal_links": {
        "address": erased("the address that asked for a link to the portal; the row is deleted"),
        "locale": WORD,
        "token_hash": HASH,
    },
    "portal_sessions": {
        "address": erased("the address that signed in at the portal; the row is deleted"),
        "token_hash": HASH,
    },
    "requester_merges": {
        "reason": exported("the staff's words about the person"),
        "merged_by": STAFF,
        "undone_by": STAFF,
        "filled": exported("values that the person has from the other one", blank={}),
    },
    "requester_merge_rows": {"kind": WORD},
    "organisations": {
        "name": kept("a company's name"),
        "domain": kept("a company's domain"),
        "fields": kept("facts about a company"),
    },
    "organisation_domains": {"domain": kept("a company's domain")},
    "inbox": {
        "channel": NAME,
        "account": NAME,
        "event_key": kept("a repeat of the event by its provider must have no effect"),
        "content_type": WORD,
        "envelope": exported("the addresses that the transport named", blank={}),
        "raw": exported("the event as it came"),
        "status": WORD,
        "reason": exported("a sentence about the event that can name an address"),
        "request_id": HASH,
        "fetched": exported("the content that the event refers to"),
        "released_by": STAFF,
        "author_address": exported("the index of whose the event is"),
    },
    "inbox_people": {
        "channel": NAME,
        "address": exported("the index of whose the event is; the row is deleted"),
    },
    "erased_addresses": {"channel": NAME, "address_hash": kept("a keyed hash; it keeps the person's old events away")},
    "webhook_nonces": {
        "channel": NAME,
        "account": NAME,
        "nonce": HASH,
        "sha256": HASH,
    },
    "unreachable_chats": {
        "channel": NAME,
        "account": NAME,
        "address": exported("a chat of the person; the row is deleted"),
        "reason": exported("the provider's words about the chat"),
    },
    "conversations": {
        "channel": NAME,
        "account": NAME,
        "address": exported("a chat of the person; the row is deleted"),
    },
    "rate_buckets": {
        "bucket": erased("the name of a rate limit can end with an address; the row is deleted"),
    },
    "idempotency_keys": {
        "principal": STAFF,
        "key": impersonal("a random text of the caller"),
        "request_hash": HASH,
        "headers": erased("an answer about the person", blank={}),
        "body": erased("an answer about the person; a repeat gets 410 instead"),
    },
    "audit_entries": {
        "action": WORD,
        "outcome": WORD,
        "reason": WORD,
        "actor_kind": WORD,
        "actor_id": kept("an id; the trail says who did what"),
        "object_kind": WORD,
        "object_id": kept("an id; the trail says who did what"),
        "address": kept("the network address of a caller; the retention of the trail deletes it"),
        "user_agent": kept("the caller's program; the retention of the trail deletes it"),
        "request_id": HASH,
        "before": kept("ids and words of closed lists, no texts of people"),
        "after": kept("ids and words of closed lists, no texts of people"),
    },
    "audit_retentions": {"started_by": STAFF},
}
