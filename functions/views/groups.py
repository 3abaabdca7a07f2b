"""The groups of operations in the OpenAPI document, in the order of the page: first word of the path -> name,
description.
"""

from __future__ import annotations

GROUPS: dict[str, tuple[str, str]] = {
    "tickets": ("Tickets", "Tickets with their messages, transitions, approvals, links, followers and history."),
    "undos": ("Undo", "Acts that can be undone for an hour."),
    "scheduled_messages": ("Scheduled messages", "The messages that wait for their time."),
    "saved_replies": ("Saved replies", "Texts with variables that agents use again."),
    "bulk_changes": ("Bulk changes", "One change of many tickets, as a job with a preview, progress and undo."),
    "attachments": ("Attachments", "Files of messages: upload a file, and get a link to one."),
    "requesters": ("Requesters", "The people who ask for help, with their addresses, fields, merges and data rights."),
    "organisations": ("Organisations", "The companies that requesters belong to, and their members."),
    "ratings": ("Ratings", "A requester rates a ticket by a link."),
    "rating_pages": ("Ratings", ""),
    "deliveries": ("Deliveries", "Messages on their way to a requester."),
    "inbox": ("Inbox", "The events that providers sent, and their reprocessing."),
    "channels": ("Channels", "The channel accounts and their health."),
    "workflows": ("Life cycles", "Published life cycles: read, check, simulate and publish them."),
    "workflow_migrations": ("Life cycles", ""),
    "workflow_replays": ("Life cycles", ""),
    "model": ("Ticket types", "The fields of ticket types, requesters and organisations."),
    "definition_bundles": ("Definitions", "Several definitions that are checked and published together."),
    "teams": ("Teams", "Teams and their members."),
    "colleagues": ("Colleagues", "The people who work at the desk, for those who work with them."),
    "users": ("Users", "The accounts of the people who work at the desk."),
    "roles": ("Roles", "Custom roles and their permissions."),
    "permissions": ("Roles", ""),
    "api_keys": ("API keys", "The keys of programs that use this API."),
    "auth": ("Signing in", "Passwords, second factors, passkeys and tokens."),
    "me": ("Your account", "The caller's own account: sessions, second factors, addresses and notices."),
    "webhooks": ("Webhooks", "Other programs that are called for events."),
    "paid_tasks": ("Paid tasks", "Tasks with a fee or a reward, for accountants."),
    "tasks": ("Background tasks", "The background tasks of the desk, for operators."),
    "audit": ("Audit", "The trail of sensitive actions."),
    "audit.csv": ("Audit", ""),
}
