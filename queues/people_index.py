"""Writes the index of whose an event is, for events without it: waiting ones, and those of old releases.

The ingest actor writes the index when it settles an event. An export or an erasure needs it for the others as well.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from models.channels import accounts
from models.inbox import commands as inbox
from models.inbox import queries
from models.kernel import limits
from models.kernel.errors import NestorError
from models.kernel.telemetry import logs
from queues import channels

log = logs.get("inbox")


def index_waiting() -> int:
    """Index the newest events that are not processed yet; return their number. Joins the caller's transaction."""
    return len(index_some(queries.unindexed(newest=True, only=("stored", "failed"), limit=limits.waiting_indexed_max)))


def index_some(events: Collection[UUID]) -> list[UUID]:
    """Index these events and return their ids. An event that names nobody is marked, so that it is read once.

    An event whose account or channel is gone stays without an index, because nothing can read it.
    Joins the caller's transaction.
    """
    for inbox_id in events:
        event = inbox.load(inbox_id)
        people = _people(event)
        if people is not None:
            inbox.index(event.id, event.channel, people)
    return list(events)


def _people(event: inbox.RawEvent) -> tuple[str, ...] | None:
    try:
        account = accounts.find(event.channel, event.account)
        parser = channels.complete(event.channel).parser
    except NestorError as error:
        log.warning("people_unknown", inbox_id=str(event.id), channel=event.channel, reason=error.message)
        return None
    return parser.people(event.raw if event.fetched is None else event.fetched, event.envelope, account)
