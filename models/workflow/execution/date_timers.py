"""Timers that fire at the date in a field: when they are due, and how they follow a changed date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from models.expressions.durations import parse_duration
from models.sla import working_time
from models.workflow.definition import DateInstant


def due(at: DateInstant, fields: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return the instant at which the timer fires, or None if it does not.

    Without a date there is none. A reminder (`before`) whose instant has passed is left out: what it says is no longer
    true. Any other timer whose date has passed is due now.
    """
    try:
        day = date.fromisoformat(str(fields.get(at.field) or ""))
        instant = working_time.midnight(day + timedelta(days=1 if at.day == "ends" else 0), at.zone)
    except (ValueError, OverflowError):
        return None
    if at.before is None:
        return max(instant, now)
    remind_at = instant - timedelta(seconds=parse_duration(at.before))
    return remind_at if remind_at > now else None
