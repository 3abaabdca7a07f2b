"""The floors of models/, bottom up. An area imports only areas of lower floors; `test_floors.py` holds the order.

A new area is added to the lowest floor that is above everything it imports.
"""

FLOORS: tuple[tuple[str, ...], ...] = (
    ("kernel",),
    ("sla",),
    ("expressions", "ports", "definitions", "tasks", "blobs", "migrations", "idempotency", "audit"),
    ("channels", "infomodel", "events", "notice_settings"),
    ("requesters", "desk_mail", "ledger"),
    ("identity", "inbox", "workflow", "subscriptions"),
    ("tickets", "teams", "staff", "credentials", "onboarding", "undo"),
    ("attachments", "publishing", "visibility", "drafts", "saved_replies"),
    ("conversations", "changes", "presence", "signatures"),
    ("notices", "read_marks"),
    ("ticket_workflow",),
    ("ticket_actions",),
    ("side_conversations",),
    ("deliveries", "dialogues", "macros", "numbers"),
    ("ticket_lists", "portal"),
    ("search",),
    ("offboarding", "staff_chat", "regrouping", "bulk"),
    ("inbound", "privacy", "tags", "imports"),
)
# Statements that name another area's table. A table leaves this list when its statement moves; none is added.
FOREIGN_TABLES: dict[str, tuple[str, ...]] = {
    "attachments": ("blobs", "messages"),
    "blobs": ("attachments",),
    "channels": ("deliveries", "inbox"),
    "conversations": ("deliveries", "events", "identities", "tickets"),
    "deliveries": ("identities", "message_references", "messages", "requesters", "tasks", "tickets"),
    "events": ("subscription_event_types", "subscriptions", "tasks", "webhook_deliveries"),
    "identity": ("rate_buckets",),
    "inbound": ("requesters", "tickets"),
    "inbox": ("tasks",),
    "publishing": ("approvals", "sla_clocks", "tickets", "timers"),
    "requesters": ("messages", "tickets"),
    "staff_chat": ("events",),
    "subscriptions": ("events", "messages", "notices", "tasks", "users"),
    "teams": ("tickets", "users"),
    "ticket_actions": (
        "attachments",
        "conversations",
        "events",
        "messages",
        "requesters",
        "ticket_links",
    ),
    "ticket_workflow": ("api_keys", "events", "tasks", "tickets", "users"),
}
