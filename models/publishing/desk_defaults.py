"""Values that a definition leaves to the desk: the zone of a calendar and of a date, the currency of money.

They are written into the body before it is checked, so that a published version is complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from models.definitions.desk import Desk
from models.kernel.open_json import JsonObject


def fill(body: JsonObject, desk: Desk) -> None:
    """Write the desk's zone and currency into the places of a definition that name none."""
    for calendar in _objects(body.get("calendars")):
        calendar.setdefault("zone", desk.zone)
    if "desk" in body:
        for own in _objects([body.get("calendar")]):
            own.setdefault("zone", desk.zone)
    for timer in _objects(body.get("timers")):
        if isinstance(at := timer.get("at"), dict):
            at.setdefault("zone", desk.zone)
    if desk.currency is None:
        return
    for field in _objects(body.get("fields")):
        if field.get("kind") == "money":
            field.setdefault("currencies", [desk.currency])
    for effect in _effects(body):
        if isinstance(charge := effect.get("charge"), dict):
            charge.setdefault("currency", desk.currency)


def _effects(body: JsonObject) -> Iterator[JsonObject]:
    for owner in (*_objects(body.get("transitions")), *_objects(body.get("reactions"))):
        yield from _objects(owner.get("do"))


def _objects(section: Any) -> Iterator[JsonObject]:
    """List the objects of a section; a section of the wrong kind has none, and the check reports it."""
    values = section.values() if isinstance(section, dict) else section if isinstance(section, list) else ()
    return (one for one in values if isinstance(one, dict))
