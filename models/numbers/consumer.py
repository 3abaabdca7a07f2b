"""The numbers as a consumer of the event log, without the modules that compute them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from models.events.following.consumers import Consumer
from models.events.row_types import LogEvent
from models.kernel import imports


def _apply(events: Sequence[LogEvent]) -> None:
    """Compute the tickets of the events again, in the order of their ids."""
    imports.load("models.numbers.storing")
    from models.numbers import storing  # memory: a process that only knows the consumer computes nothing

    storing.compute(sorted({event["aggregate_id"] for event in events if event["aggregate"] == "ticket"}))


def _reset() -> None:
    imports.load("models.numbers.storing")
    from models.numbers import storing  # memory: as above

    storing.reset()


CONSUMER: Final = Consumer("numbers", _apply, reset=_reset)
