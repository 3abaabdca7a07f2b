"""The catalogue names what the desk records, so that everything can be subscribed to by its name."""

from __future__ import annotations

import re
from pathlib import Path

from models.events.catalogue import EVENT_TYPES

_RECORDED = re.compile(r"\.record\(\s*\"([a-z_]+)\"")


def test_every_type_that_a_ticket_records_by_name_can_be_subscribed_to() -> None:
    """A new type needs a line in models/events/catalogue.py: what it means, and what its payload always holds."""
    recorded = {
        name for path in Path("models").rglob("*.py") for name in _RECORDED.findall(path.read_text(encoding="utf-8"))
    }

    assert len(recorded) > 20, "the test finds the calls"
    assert sorted(recorded - EVENT_TYPES.keys()) == []
