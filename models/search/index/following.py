"""The index as a consumer of the event log: the documents of tickets with new events are written off the path of a
message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from models.events.row_types import LogEvent
from models.search.index import writing

# Frequent events that change no text of a ticket.
_WITHOUT_TEXT: Final = frozenset(
    {
        "ticket_state_changed",
        "ticket_assigned",
        "delivery_delivered",
        "delivery_opened",
        "delivery_failed",
        "agents_notified",
        "sla_warning",
        "sla_breached",
        "follower_added",
        "follower_removed",
        "transition_refused",
        "event_unmatched",
    }
)


def apply(events: Sequence[LogEvent]) -> None:
    """Write the documents of the events' tickets. Joins the transaction that moves the position."""
    changed = {
        event["aggregate_id"]
        for event in events
        if event["aggregate"] == "ticket" and event["event_type"] not in _WITHOUT_TEXT
    }
    if changed:
        writing.index_tickets(sorted(changed))
