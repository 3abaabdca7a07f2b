"""The payload of an event of the log, as `replay` reads it."""

from __future__ import annotations

from models.events.payload import StoredPayload


class RecordedPayload(StoredPayload):
    """An event's payload. A text that is missing or null is empty."""

    def text(self, key: str) -> str:
        return self.get(key) or ""

    @property
    def by_machine(self) -> bool:
        """A machine wrote the message. Events of earlier releases tell only that it was automatic."""
        return bool(self.get("by_machine", bool(self.get("automatic"))))
