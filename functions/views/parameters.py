"""Descriptions of the path and query parameters, by name, for the OpenAPI documents of the functions."""

from __future__ import annotations

# A path parameter that is not listed is "The id of the <name>."
PARAMETERS = {
    # In paths.
    "account": "The name of the channel account.",
    "address": "The address on the channel.",
    "channel": "The name of the channel.",
    "delivery": "The id of the delivery. A webhook's delivery has the id of its event.",
    "entity": "`requester` or `organisation`.",
    "event_type": "The name of the event type.",
    "key": "The id of the API key.",
    "task": "The number of the task.",
    "ticket": "The id or number of the ticket.",
    "token": "The token of the link.",
    # Also in the list of tickets: any of these.
    "type": "The name of the ticket type.",
    "team": "The name of the team.",
    "workflow": "The name of the life cycle.",
    "version": "The number of the version.",
    # In queries.
    "action": "The audited action.",
    "active": "Only active, or only inactive users.",
    "actor_id": "The id of the user, API key or requester that acted.",
    "assignee": "The id of the assigned user, `me`, or `none` for unassigned tickets.",
    "blocked": "Only requesters with, or only without a blocked address.",
    "category": "The category of the state.",
    "content_id": "The id by which the text embeds the picture (`cid:`).",
    "cursor": "The `next_cursor` of the previous page.",
    "due_since": "Only tickets whose next promise is due at or after this time.",
    "due_until": "Only tickets whose next promise is due before this time.",
    "filename": "The name of the file, when Content-Disposition has none.",
    "from_address": "The network address of the caller.",
    "inline": "Request a link that displays a picture instead of downloading it.",
    "language": "The language of the titles.",
    "limit": "The maximum number of items in the page.",
    "object_id": "The id or name of the object.",
    "object_kind": "The kind of the object, such as `user`, `requester` or `operation`.",
    "outcome": "The outcome of the action.",
    "q": "The text to search for.",
    "remote": "Include remote pictures.",
    "requester": "The id of the requester.",
    "role": "The name of the role.",
    "since": "Only entries at or after this time.",
    "sort": "The order of the list; `-` sorts in descending order.",
    "state": "The state of the items.",
    "status": "The status of the items.",
    "tag": "The tag.",
    "unread": "Only unread notices.",
    "until": "Only entries before this time.",
    "updated_since": "Only tickets that were updated at or after this time.",
}
