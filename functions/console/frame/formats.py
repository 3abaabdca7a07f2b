"""Filters of templates: times, distances, numbers, and the colours of people and states."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from functions.console.frame import texts
from functions.console.frame.texts import gettext as _
from models.definitions import desk
from models.kernel import clock, imports
from models.kernel.open_json import JsonObject

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_HUES: Final = 5
_SOON_S: Final = 3_600  # a promise that ends within the hour is shown as urgent
GROUPS: Final = {"todo": "open", "waiting": "wait", "done": "done", "closed": "done"}


def zone() -> tzinfo:
    """Return the desk's time zone, in which pages show times."""
    return ZoneInfo(desk.current().zone)


def group(ticket: Any) -> str:
    """Return the colour group of a ticket's state: new, open, wait or done."""
    assignee = getattr(ticket, "assignee_id", None) or getattr(ticket, "assignee", None)  # a row has ids, a view people
    if ticket.category == "todo" and ticket.first_response_at is None and assignee is None:
        return "new"
    return GROUPS.get(ticket.category, "open")


def distance(delta: timedelta) -> str:
    """Return a distance in one unit: 3 min, 2 h, 4 d."""
    seconds = abs(int(delta.total_seconds()))
    if seconds < _MINUTE_S:
        return _("now")
    if seconds < _HOUR_S:
        return _("%(n)s min", n=seconds // _MINUTE_S)
    if seconds < _DAY_S:
        return _("%(n)s h", n=seconds // _HOUR_S)
    return _("%(n)s d", n=seconds // _DAY_S)


def ago(instant: datetime | None) -> str:
    """Return the time since an instant, or its date when it is longer ago than six days."""
    if instant is None:
        return ""
    delta = clock.now() - instant
    return distance(delta) if delta < timedelta(days=6) else day(instant)


def due(instant: datetime) -> str:
    """Return the time until a promise ends: a distance within the hour, a time today, a weekday, or a date."""
    now = clock.now()
    delta = instant - now
    if delta <= timedelta(0):
        return _("%(distance)s over", distance=distance(delta)) if abs(delta) >= timedelta(minutes=1) else _("due now")
    if delta.total_seconds() < _SOON_S:
        return distance(delta)
    local, today = instant.astimezone(zone()), now.astimezone(zone())
    if local.date() == today.date():
        return time_of_day(instant)
    return _dates().format_date(local, "EEE", locale=texts.language()) if delta < timedelta(days=6) else day(instant)


def due_kind(instant: datetime) -> str:
    """Return `late`, `soon` or an empty text: the urgency of a promise."""
    delta = (instant - clock.now()).total_seconds()
    return "late" if delta <= 0 else "soon" if delta < _SOON_S else ""


def time_of_day(instant: datetime) -> str:
    """Return hours and minutes in the desk's zone."""
    return str(_dates().format_time(instant.astimezone(zone()), "HH:mm", locale=texts.language()))


def day(instant: datetime) -> str:
    """Return day and month, with the year when it is another one."""
    local = instant.astimezone(zone())
    this_year = local.year == clock.now().astimezone(zone()).year
    skeleton = "MMMd" if this_year else "yMMMd"
    return str(_dates().format_skeleton(skeleton, local, locale=texts.language()))


def moment(instant: datetime) -> str:
    """Return date and time in words."""
    return str(_dates().format_datetime(instant.astimezone(zone()), "medium", locale=texts.language()))


def number(value: int) -> str:
    """Return a number with the separators of the language."""
    imports.load("babel.numbers")
    from babel import numbers

    return str(numbers.format_decimal(value, locale=texts.language()))


def decimal(value: float) -> str:
    """Return an amount with two decimal places."""
    imports.load("babel.numbers")
    from babel import numbers

    return str(numbers.format_decimal(value, format="#,##0.00", locale=texts.language()))


def initial(name: str | None) -> str:
    """Return the letter of a person's avatar."""
    return (name or "").strip()[:1].upper() or "?"


def hue(value: object) -> str:
    """Return the class of a person's avatar, always the same for a person."""
    return f"h{zlib.crc32(str(value).encode()) % _HUES + 1}"


def iso(instant: datetime) -> str:
    """Return an instant as the attribute `datetime` has it."""
    return clock.rfc3339(instant)


def _dates() -> Any:
    imports.load("babel.dates")
    from babel import dates  # loaded at the first page that shows a date

    return dates


# Rooms add filters of their own.
FILTERS: Final[JsonObject] = {
    "group": group,
    "ago": ago,
    "due": due,
    "due_kind": due_kind,
    "time_of_day": time_of_day,
    "day": day,
    "moment": moment,
    "number": number,
    "initial": initial,
    "hue": hue,
    "iso": iso,
}
