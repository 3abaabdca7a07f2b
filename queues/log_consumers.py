"""The consumers of the event log. A new consumer is a line of `CONSUMERS`.

A consumer's functions import the domain that they write: search, life cycles, numbers. Every long-lived process knows
the consumers by name, because it stores their positions. Only the task that follows the log needs their functions, so
the first events import those. A scheduler, which never needs them, saves 7 MiB.
"""

from __future__ import annotations

from models.events.following.consumers import Consumer
from models.numbers.consumer import CONSUMER as NUMBERS
from models.search.index.consumer import CONSUMER as SEARCH

CONSUMERS: tuple[Consumer, ...] = (SEARCH, NUMBERS)


def by_name(name: str) -> Consumer | None:
    """Return the consumer with this name; None for one that only another release knows."""
    return next((consumer for consumer in CONSUMERS if consumer.name == name), None)
