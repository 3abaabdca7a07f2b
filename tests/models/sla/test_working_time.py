"""Working time by tables over DST, holidays, midnight and zones, and against a slow obvious implementation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sla import working_time
from models.sla.working_time import DAYS, BeyondCalendar, Calendar

WEEK = {day: ["09:00-17:00"] for day in DAYS[:5]}
ALWAYS = {day: ["00:00-24:00"] for day in DAYS}
NIGHTS = {day: ["00:00-06:00", "22:00-24:00"] for day in DAYS}


def at(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "hours", "holidays", "start", "hours_of_work", "end"),
    [
        ("Europe/Berlin", WEEK, [], "2026-11-23T09:00", 4, "2026-11-23T13:00"),
        ("Europe/Berlin", WEEK, [], "2026-11-23T16:00", 2, "2026-11-24T10:00"),
        ("Europe/Berlin", WEEK, [], "2026-11-20T16:30", 1, "2026-11-23T09:30"),  # over a weekend
        ("Europe/Berlin", WEEK, [], "2026-11-21T12:00", 1, "2026-11-23T10:00"),  # begun on a Saturday
        (
            "Europe/Berlin",
            WEEK,
            [],
            "2026-11-23T07:00",
            8,
            "2026-11-23T17:00",
        ),  # the end of a day, not the next morning
        ("Europe/Berlin", WEEK, ["12-25", "2026-12-28"], "2026-12-24T16:00", 2, "2026-12-29T10:00"),
        ("Europe/Berlin", {"mon": ["09:00-12:00", "13:00-17:00"]}, [], "2026-11-23T11:00", 2, "2026-11-23T14:00"),
        ("Europe/Berlin", NIGHTS, [], "2026-11-23T23:00", 2, "2026-11-24T01:00"),  # over midnight
        (
            "Europe/Berlin",
            {"sun": ["01:00-04:00"]},
            [],
            "2026-03-29T00:00",
            2,
            "2026-03-29T04:00",
        ),  # an hour is missing
        (
            "Europe/Berlin",
            {"sun": ["01:00-04:00"]},
            [],
            "2026-10-25T00:00",
            4,
            "2026-10-25T04:00",
        ),  # an hour is there twice
        ("America/New_York", {"sun": ["00:00-05:00"]}, [], "2026-03-08T00:00", 4, "2026-03-08T05:00"),
        (
            "Australia/Lord_Howe",
            {"sun": ["01:00-04:00"]},
            [],
            "2026-10-04T00:00",
            2.5,
            "2026-10-04T04:00",
        ),  # half an hour
        ("Asia/Kolkata", WEEK, [], "2026-06-01T09:00", 8, "2026-06-01T17:00"),
        ("Pacific/Apia", ALWAYS, [], "2011-12-29T12:00", 24, "2011-12-31T12:00"),  # a day that was not
        ("UTC", ALWAYS, [], "2026-02-28T12:00", 24, "2026-03-01T12:00"),
    ],
)
def test_working_time_passes_as_the_table_says(
    zone: str, hours: dict[str, list[str]], holidays: list[str], start: str, hours_of_work: float, end: str
) -> None:
    calendar = Calendar(zone, hours, holidays)  # type: ignore[arg-type]  # days by name

    assert working_time.problems(calendar) == []
    assert working_time.add(calendar, at(zone, start), hours_of_work * 3600) == at(zone, end)
    assert working_time.between(calendar, at(zone, start), at(zone, end)) == hours_of_work * 3600


def test_nothing_to_wait_for_is_now_even_at_night() -> None:
    night = at("Europe/Berlin", "2026-11-23T03:00")

    assert working_time.add(Calendar("Europe/Berlin", {"mon": ["09:00-17:00"]}), night, 0) == night


def test_what_takes_more_than_ten_years_is_refused() -> None:
    rare = Calendar("UTC", {"mon": ["09:00-09:01"]})

    with pytest.raises(BeyondCalendar):
        working_time.add(rare, datetime(2026, 1, 1, tzinfo=UTC), 3600 * 24)


@pytest.mark.parametrize(
    ("calendar", "place", "told"),
    [
        (Calendar("Europe/Berlon", {"mon": ["09:00-17:00"]}), ".zone", "IANA"),
        (Calendar("UTC", {}), ".hours", "at least one interval"),
        (Calendar("UTC", {"mon": ["9-17"]}), ".hours.mon[0]", "such as 09:00-17:00"),
        (Calendar("UTC", {"mon": ["17:00-09:00"]}), ".hours.mon[0]", "an end after the beginning"),
        (Calendar("UTC", {"mon": ["09:00-12:00", "11:00-13:00"]}), ".hours.mon[1]", "one after another"),
        (Calendar("UTC", {"mon": ["09:00-24:30"]}), ".hours.mon[0]", "such as 09:00-17:00"),
        (Calendar("UTC", {"mon": ["09:00-10:00"]}, ["25-12"]), ".holidays[0]", "such as 2026-12-25"),
        (Calendar("UTC", {"mon": ["09:00-10:00"]}, ["2026-02-30"]), ".holidays[0]", "such as 2026-12-25"),
    ],
)
def test_a_wrong_calendar_is_reported_with_its_place(calendar: Calendar, place: str, told: str) -> None:
    [problem, *_] = working_time.problems(calendar)

    assert problem.path == place
    assert told in problem.message


# -- against the obvious: minute by minute, by the wall clock of the zone ---------------------------------------


def is_working(calendar: Calendar, instant: datetime) -> bool:
    local = instant.astimezone(ZoneInfo(calendar.zone))
    day = local.date().isoformat()
    if day in calendar.holidays or day[5:] in calendar.holidays:
        return False
    minute = local.hour * 60 + local.minute
    for text in calendar.hours.get(DAYS[local.weekday()], []):
        start, end = ((int(t[:2]) * 60 + int(t[3:])) for t in text.split("-"))
        if start <= minute < end:
            return True
    return False


def slowly_between(calendar: Calendar, start: datetime, end: datetime) -> int:
    minutes = int((end - start).total_seconds()) // 60
    return 60 * sum(is_working(calendar, start + timedelta(minutes=n)) for n in range(minutes))


ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/St_Johns",
    "Africa/Casablanca",
]
# Around changes of the clock in some of the zones, and an ordinary week.
BEGINNINGS = [
    datetime(2026, 3, 28, tzinfo=UTC),
    datetime(2026, 10, 24, tzinfo=UTC),
    datetime(2026, 3, 7, tzinfo=UTC),
    datetime(2026, 6, 10, tzinfo=UTC),
    datetime(2026, 4, 4, tzinfo=UTC),
]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    hours: dict[str, list[str]] = {}
    for day in DAYS:
        edges = sorted(draw(st.lists(st.integers(0, 48), max_size=4, unique=True)))
        pairs = list(zip(edges[::2], edges[1::2], strict=False))
        hours[day] = [f"{a // 2:02d}:{a % 2 * 30:02d}-{b // 2:02d}:{b % 2 * 30:02d}" for a, b in pairs]
    hours["wed"] = hours["wed"] or ["10:00-11:00"]
    holidays = draw(st.lists(st.sampled_from(["2026-03-29", "10-25", "06-11"]), max_size=2, unique=True))
    return Calendar(draw(st.sampled_from(ZONES)), hours, holidays)  # type: ignore[arg-type]  # days by name


@settings(max_examples=60, deadline=None)
@given(calendars(), st.sampled_from(BEGINNINGS), st.integers(0, 2 * 1440), st.integers(0, 3 * 1440))
def test_it_agrees_with_counting_every_minute(
    calendar: Calendar, beginning: datetime, offset: int, minutes: int
) -> None:
    start = beginning + timedelta(minutes=offset)
    end = start + timedelta(minutes=minutes)

    assert working_time.between(calendar, start, end) == slowly_between(calendar, start, end)


@settings(max_examples=150, deadline=None)
@given(calendars(), st.sampled_from(BEGINNINGS), st.integers(0, 10_000), st.integers(1, 200_000))
def test_what_was_added_lies_between_and_not_a_second_less(
    calendar: Calendar, beginning: datetime, offset: int, seconds: int
) -> None:
    start = beginning + timedelta(minutes=offset)
    end = working_time.add(calendar, start, seconds)

    assert working_time.between(calendar, start, end) == seconds
    assert working_time.between(calendar, start, end - timedelta(seconds=1)) == seconds - 1


@settings(max_examples=100, deadline=None)
@given(calendars(), st.sampled_from(BEGINNINGS), st.integers(0, 10_000), st.integers(1, 200_000))
def test_subtracting_finds_the_last_instant_that_leads_to_the_same_end(
    calendar: Calendar, beginning: datetime, offset: int, seconds: int
) -> None:
    start = beginning + timedelta(minutes=offset)
    end = working_time.add(calendar, start, seconds)

    found = working_time.subtract(calendar, end, seconds)

    assert found >= start
    assert working_time.add(calendar, found, seconds) == end
    assert working_time.between(calendar, found, end) == seconds
    assert working_time.between(calendar, found + timedelta(seconds=1), end) == seconds - 1
