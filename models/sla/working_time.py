"""Working time: an instant counts when its local wall time in the calendar's zone lies in the week's hours and on no
holiday.

This rule also covers the changes of an offset: an interval across a DST gap is shorter, an hour in a fold counts twice,
and a date that a zone skipped has no hours. Time zones are IANA's (tzdata).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from models.kernel.errors import FieldProblem

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$")
_HOLIDAY = re.compile(r"^(?:(\d{4})-)?(\d{2})-(\d{2})$")
_DAY_S = 86_400
days_max = 3_700  # ten years: a promise beyond that is a mistake in the calendar (one hour a year) or in the duration
intervals_max, holidays_max = 10, 500  # of a day; of a calendar: ten years of them


class BeyondCalendar(ValueError):
    """The working time is not over within ten years."""


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Working hours of a week in a zone (default: the desk's).

    `hours`: day -> intervals such as "09:00-17:00" ("24:00" ends a day); `holidays`: dates, MM-DD.
    """

    zone: str = "UTC"
    hours: dict[Day, list[str]] = {}
    holidays: list[str] = []
    description: str = ""


def problems(calendar: Calendar) -> list[FieldProblem]:
    """List everything that is wrong with a calendar, with paths from its top."""
    found = []
    if not is_zone(calendar.zone):
        found.append(
            FieldProblem(
                ".zone",
                f"expected a zone of the IANA database such as Europe/Berlin, found {calendar.zone!r}",
            )
        )
    for day, texts in calendar.hours.items():
        found.extend(_hour_problems(day, texts))
    if not any(calendar.hours.values()):
        found.append(FieldProblem(".hours", "expected at least one interval of working hours in the week"))
    if len(calendar.holidays) > holidays_max:
        found.append(FieldProblem(".holidays", f"expected at most {holidays_max}, found {len(calendar.holidays)}"))
    for index, text in enumerate(calendar.holidays):
        if not _is_holiday(text):
            found.append(
                FieldProblem(f".holidays[{index}]", f"expected a date such as 2026-12-25 or 12-25, found {text!r}")
            )
    return found


def _hour_problems(day: str, texts: list[str]) -> Iterator[FieldProblem]:
    if len(texts) > intervals_max:
        yield FieldProblem(f".hours.{day}", f"expected at most {intervals_max} intervals, found {len(texts)}")
    before = -1
    for index, text in enumerate(texts):
        place = f".hours.{day}[{index}]"
        if (parsed := _interval(text)) is None:
            yield FieldProblem(place, f"expected an interval such as 09:00-17:00, found {text!r}")
            continue
        if parsed[0] >= parsed[1]:
            yield FieldProblem(place, f"expected an end after the beginning, found {text!r}")
        elif parsed[0] < before:
            yield FieldProblem(place, f"expected intervals one after another, found {text!r} after one that ends later")
        before = max(before, parsed[1])


def _interval(text: str) -> tuple[int, int] | None:
    """Seconds of the day, from and to."""
    match = _HOURS.match(text)
    if match is None:
        return None
    start_h, start_m, end_h, end_m = map(int, match.groups())
    end = end_h * 3600 + end_m * 60
    return None if end > _DAY_S else (start_h * 3600 + start_m * 60, end)


def _is_holiday(text: str) -> bool:
    match = _HOLIDAY.match(text)
    if match is None:
        return False
    try:
        date(int(match[1] or 2000), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


class Schedule:
    """A calendar made ready to count with; UTC days are worked out once and kept."""

    def __init__(self, calendar: Calendar) -> None:
        self._zone = ZoneInfo(calendar.zone)
        self._week = [
            [parsed for text in calendar.hours.get(day, []) if (parsed := _interval(text)) is not None] for day in DAYS
        ]
        self._holidays = frozenset(calendar.holidays)
        self.of_utc_day = lru_cache(maxsize=4_096)(self._of_utc_day)

    def _of_utc_day(self, day: int) -> tuple[tuple[int, int], ...]:
        """Working intervals (seconds since 1970) within one UTC day, in order; `day`: days since 1970."""
        found: list[tuple[int, int]] = []
        for start, end, offset in self._pieces(day * _DAY_S, (day + 1) * _DAY_S):
            local = (start + offset) // _DAY_S
            while local * _DAY_S < end + offset:
                for begin_s, end_s in self._hours(local):
                    left = max(start, local * _DAY_S + begin_s - offset)
                    right = min(end, local * _DAY_S + end_s - offset)
                    if left < right:
                        found.append((left, right))
                local += 1
        return tuple(found)

    def _hours(self, local_day: int) -> list[tuple[int, int]]:
        on = date(1970, 1, 1) + timedelta(days=local_day)
        if on.isoformat() in self._holidays or on.isoformat()[5:] in self._holidays:
            return []
        return self._week[on.weekday()]

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the parts of a span in which the zone's offset is constant: (start, end, offset in seconds)."""
        while start < end:
            offset, last = self._offset(start), self._offset(end - 1)
            if offset == last:
                yield start, end, offset
                return
            low, high = start, end - 1
            while high - low > 1:
                middle = (low + high) // 2
                if self._offset(middle) == offset:
                    low = middle
                else:
                    high = middle
            yield start, high, offset
            start = high

    def _offset(self, at: int) -> int:
        offset = datetime.fromtimestamp(at, self._zone).utcoffset()
        assert offset is not None, "an aware time has an offset"
        return int(offset.total_seconds())


_schedules: dict[str, Schedule] = {}


def schedule(calendar: Calendar) -> Schedule:
    """Return the calendar's schedule, made once per content."""
    key = msgspec.json.encode(calendar).decode()
    if key not in _schedules:
        if len(_schedules) > 200:  # more calendars than any desk has; tests make many
            _schedules.clear()
        _schedules[key] = Schedule(calendar)
    return _schedules[key]


def midnight(day: date, zone: str) -> datetime:
    """Return the instant at which a day begins in a zone, in UTC. Raises OverflowError."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def add(calendar: Calendar, start: datetime, working_s: float) -> datetime:
    """Return the first instant at which `working_s` seconds of working time have passed since `start` (aware), in UTC.

    Nothing to wait for (0 s): `start` itself. Raises BeyondCalendar.
    """
    if working_s <= 0:
        return start.astimezone(UTC)
    plan, at, left = schedule(calendar), start.timestamp(), float(working_s)
    first = int(at // _DAY_S)
    for day in range(first, first + days_max):
        for begin, end in plan.of_utc_day(day):
            begin_at = max(float(begin), at)
            if end <= begin_at:
                continue
            if end - begin_at >= left:
                return datetime.fromtimestamp(begin_at + left, UTC)
            left -= end - begin_at
    raise BeyondCalendar(
        f"{working_s:.0f} s of working time are not over within {days_max} days after {start.isoformat()}"
    )


def subtract(calendar: Calendar, end: datetime, working_s: float) -> datetime:
    """Return the last instant from which `working_s` seconds of working time pass until `end` (aware), in UTC.

    Raises BeyondCalendar.
    """
    if working_s <= 0:
        return end.astimezone(UTC)
    plan, at, left = schedule(calendar), end.timestamp(), float(working_s)
    last = int(at // _DAY_S)
    for day in range(last, last - days_max, -1):
        for begin, finish in reversed(plan.of_utc_day(day)):
            finish_at = min(float(finish), at)
            if finish_at <= begin:
                continue
            if finish_at - begin >= left:
                return datetime.fromtimestamp(finish_at - left, UTC)
            left -= finish_at - begin
    raise BeyondCalendar(
        f"{working_s:.0f} s of working time do not fit into the {days_max} days before {end.isoformat()}"
    )


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """Return the first instant of working time at or after `at` (aware), in UTC. Raises BeyondCalendar."""
    plan, at_s = schedule(calendar), at.timestamp()
    first = int(at_s // _DAY_S)
    for day in range(first, first + days_max):
        for begin, end in plan.of_utc_day(day):
            if at_s < begin:
                return datetime.fromtimestamp(begin, UTC)
            if at_s < end:
                return at.astimezone(UTC)
    raise BeyondCalendar(f"no working time within {days_max} days after {at.isoformat()}")


def next_full_hour(zone: str, at: datetime) -> datetime:
    """Return the next instant at which a clock in the zone shows a full hour; in India, half past by UTC."""
    local = at.astimezone(ZoneInfo(zone))
    return at.replace(microsecond=0) + timedelta(hours=1) - timedelta(minutes=local.minute, seconds=local.second)


def is_zone(name: str) -> bool:
    """Return True if the IANA database has a zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def between(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Seconds of working time from `start` to `end`; 0 when the end is not after the start. Spans of more than ten
    years are cut.
    """
    plan, from_at, to_at = schedule(calendar), start.timestamp(), end.timestamp()
    total = 0.0
    first, last = int(from_at // _DAY_S), int(to_at // _DAY_S)
    for day in range(first, min(last, first + days_max) + 1):
        for begin_s, end_s in plan.of_utc_day(day):
            left, right = max(float(begin_s), from_at), min(float(end_s), to_at)
            if left < right:
                total += right - left
    return total


def due(calendar: Calendar | None, start: datetime, seconds: float) -> datetime:
    """`add` by a calendar, or by the wall clock without one."""
    return start + timedelta(seconds=seconds) if calendar is None else add(calendar, start, seconds)


def elapsed(calendar: Calendar | None, start: datetime, end: datetime) -> float:
    """`between` by a calendar, or by the wall clock without one."""
    return max(0.0, (end - start).total_seconds()) if calendar is None else between(calendar, start, end)
