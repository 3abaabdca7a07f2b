"""The JSON of the payloads of merges, splits and links, for test_catalogue.py; %s is its id."""

from __future__ import annotations

from uuid import UUID

from models.events import payload, sorting_payloads

SESSION = UUID("0193a1b2-0000-7000-8000-000000000001")
ID = str(SESSION)

ROWS: list[tuple[payload.EventPayload, str]] = [
    (sorting_payloads.RequesterChanged(from_=None, to=SESSION), '{"from":null,"to":"%s"}'),
    (sorting_payloads.ContactChanged(channel="email", account="demo"), '{"channel":"email","account":"demo"}'),
    (
        sorting_payloads.TicketMerged(ticket_id=SESSION, number=7, message_ids=[ID]),
        '{"ticket_id":"%s","number":7,"message_ids":["%s"]}',
    ),
    (
        sorting_payloads.TicketMergeReceived(ticket_id=SESSION, number=7, message_ids=[], promises=["resolution"]),
        '{"ticket_id":"%s","number":7,"message_ids":[],"promises":["resolution"]}',
    ),
    (
        sorting_payloads.TicketMergeUndone(ticket_id=SESSION, number=7, message_ids=[ID], messages_in=SESSION),
        '{"ticket_id":"%s","number":7,"message_ids":["%s"],"messages_in":"%s"}',
    ),
    (
        sorting_payloads.TicketSplit(ticket_id=SESSION, number=7, message_ids=[ID]),
        '{"ticket_id":"%s","number":7,"message_ids":["%s"]}',
    ),
    (
        sorting_payloads.TicketSplitFrom(ticket_id=SESSION, number=7, message_ids=[ID]),
        '{"ticket_id":"%s","number":7,"message_ids":["%s"]}',
    ),
    (
        sorting_payloads.TicketSplitUndone(ticket_id=SESSION, number=7, message_ids=[], messages_in=SESSION),
        '{"ticket_id":"%s","number":7,"message_ids":[],"messages_in":"%s"}',
    ),
    (
        sorting_payloads.TicketLinked(ticket_id=SESSION, number=7, kind="blocks"),
        '{"ticket_id":"%s","number":7,"kind":"blocks"}',
    ),
    (
        sorting_payloads.TicketUnlinked(ticket_id=SESSION, number=7, kind="blocks"),
        '{"ticket_id":"%s","number":7,"kind":"blocks"}',
    ),
    (
        sorting_payloads.TicketEscalated(team="support", reason="urgent"),
        '{"team":"support","reason":"urgent"}',
    ),
]
