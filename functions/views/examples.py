"""Values of members of request bodies, by name, for the examples of the OpenAPI document."""

from __future__ import annotations

from models.kernel.open_json import JsonObject

EXAMPLES: JsonObject = {
    "address": "ada@example.test",
    "ImportWanted.source": "old-desk",
    "NewSideConversation.to": "orders@supplier.example",
    "NewSideConversation.files": ["01939f2e-3b7a-7c1d-9a54-2f6f0c9d1e11"],
    "NewSideMessage.files": ["01939f2e-3b7a-7c1d-9a54-2f6f0c9d1e11"],
    "NewSplit.requester": "same",
    "BulkWanted.acts": [{"act": "change", "changes": {"priority": "high"}}],
    "based_on": "agent",
    "body": "We replaced the cartridge. Does it print now?",
    "comment": "The cartridge was empty.",
    "current_password": "correct horse battery staple",
    "digits": "123456",
    "domains": ["firma.example"],
    "email": "ada@example.test",
    "event_types": ["ticket_created"],
    "filter": {"assignee": ["me"], "category": ["todo", "waiting"]},
    "files": {"model/trip.yaml": "type: trip\nlabel: {en: Trip}\nfields: {}\n"},
    "locale": "en",
    "new_password": "wrong horse battery staple",
    "password": "correct horse battery staple",
    "permissions": ["tickets_read"],
    "priority": "normal",
    "requester": {"email": "ada@example.test", "name": "Ada"},
    "role": "agent",
    "score": 5,
    "send_at": "2026-12-24T09:00:00Z",
    "texts": {"en": "Dear {{ requester.name }}, we look at {{ ticket.title }}."},
    "NewMacro.acts": [{"tags": {"add": ["printer"]}}, {"transition": {"name": "resolve"}}],
    "signal": "delivered",
    "source": "type: trip\nlabel: {en: Trip}\nfields: {}\n",
    "tags": ["printer"],
    "time_zone": "Europe/Berlin",
    "title": "The printer does not print",
    "transition": "start",
    "url": "https://receiver.example/nestor",
}
