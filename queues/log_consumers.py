"""The consumers of the event log. A new consumer is a line of `CONSUMERS`."""

from __future__ import annotations

from models.events.following.consumers import Consumer
from models.numbers import following as numbers
from models.search.index import following as search

CONSUMERS: tuple[Consumer, ...] = (search.CONSUMER, numbers.CONSUMER)


def by_name(name: str) -> Consumer | None:
    """Return the consumer with this name; None for one that only another release knows."""
    return next((consumer for consumer in CONSUMERS if consumer.name == name), None)
