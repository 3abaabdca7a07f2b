"""The index as a consumer of the event log, without the modules that write the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from models.events.following.consumers import Consumer
from models.events.row_types import LogEvent
from models.kernel import imports


def _apply(events: Sequence[LogEvent]) -> None:
    imports.load("models.search.index.following")
    from models.search.index import following  # memory: a process that only knows the consumer does not write the index

    following.apply(events)


def _reset() -> None:
    imports.load("models.search.index.writing")
    from models.search.index import writing  # memory: as above

    writing.mark_all()


# A step of 50 events holds its transaction for some 0.2 s. The migration marked the tickets that were there before, so
# the index needs no event without a number; it needs those that were written before the first process of this release.
CONSUMER: Final = Consumer("search", _apply, reset=_reset, batch_max=50, numbered_only=True)
