"""An event of the log and its payload, as `replay` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.events.payload import StoredPayload


class RecordedPayload(StoredPayload):
    """An event's payload. A text that is missing or null is empty."""

    def text(self, key: str) -> str:
        return self.get(key) or ""

    @property
    def by_machine(self) -> bool:
        """A machine wrote the message. Events of earlier releases tell only that it was automatic."""
        return bool(self.get("by_machine", bool(self.get("automatic"))))


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of the record. `actor_id` is a text in every case: an author without an id matches nobody."""

    type: str
    at: datetime
    actor_kind: str
    actor_id: str
    payload: RecordedPayload
    text: str  # of the message that the event is about, as it is now
