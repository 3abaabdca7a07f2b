"""The clock of one promise: it runs, pauses, and is met or breached. Pure; the caller passes the calendar.

Elapsed time is kept in seconds with fractions and changes only when a running clock stops, so nothing accumulates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from models.sla import working_time
from models.sla.working_time import Calendar


@dataclass(frozen=True, slots=True)
class Clock:
    """`elapsed_s`: working time used up to `running_since`. `due_at`, `warn_at`: only while it runs (a breach stays
    `breached_at`).
    """

    target: str
    policy: str
    target_s: int
    warn_before_s: int
    calendar: str | None
    state: Literal["running", "paused", "met", "cancelled"]
    started_at: datetime
    elapsed_s: float = 0.0
    running_since: datetime | None = None
    due_at: datetime | None = None
    warn_at: datetime | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    met_at: datetime | None = None
    # More time than the target, granted when a new target would have been over already.
    grace_s: float = 0.0


def start(
    target: str,
    *,
    policy: str,
    target_s: int,
    warn_before_s: int,
    calendar_name: str | None,
    calendar: Calendar | None,
    now: datetime,
) -> Clock:
    """Return a clock that begins to run now."""
    clock = Clock(target, policy, target_s, warn_before_s, calendar_name, "running", now, running_since=now)
    return _aimed(clock, calendar)


def _aimed(clock: Clock, calendar: Calendar | None) -> Clock:
    """Return a running clock with the instants at which it will warn and breach."""
    assert clock.running_since is not None, "only a running clock has an aim"
    left = max(0.0, clock.target_s + clock.grace_s - clock.elapsed_s)
    due_at = working_time.due(calendar, clock.running_since, left)
    warn_at = None
    if 0 < clock.warn_before_s < clock.target_s:
        warn_at = working_time.due(calendar, clock.running_since, max(0.0, left - clock.warn_before_s))
    return replace(clock, due_at=due_at, warn_at=warn_at)


def elapsed_s(clock: Clock, now: datetime, calendar: Calendar | None) -> float:
    """Working time that the clock has counted until now."""
    if clock.state != "running" or clock.running_since is None:
        return clock.elapsed_s
    return clock.elapsed_s + working_time.elapsed(calendar, clock.running_since, now)


def pause(clock: Clock, now: datetime, calendar: Calendar | None) -> Clock:
    """Stand still; a clock that does not run stays as it is."""
    if clock.state != "running":
        return clock
    return replace(
        clock,
        state="paused",
        elapsed_s=elapsed_s(clock, now, calendar),
        running_since=None,
        due_at=None,
        warn_at=None,
    )


def resume(clock: Clock, now: datetime, calendar: Calendar | None) -> Clock:
    """Resume a paused clock; another clock stays as it is."""
    if clock.state != "paused":
        return clock
    return _aimed(replace(clock, state="running", running_since=now), calendar)


def meet(clock: Clock, now: datetime, calendar: Calendar | None) -> Clock:
    """Record that the promised act happened; a late one is a breach as well."""
    if clock.state not in ("running", "paused"):
        return clock
    used = elapsed_s(clock, now, calendar)
    late = clock.breached_at is None and used > clock.target_s + clock.grace_s
    return replace(
        clock,
        state="met",
        elapsed_s=used,
        running_since=None,
        due_at=None,
        warn_at=None,
        met_at=now,
        breached_at=now if late else clock.breached_at,
    )


def reopen(clock: Clock, now: datetime, calendar: Calendar | None) -> Clock:
    """Restart a kept promise (the ticket was reopened): the time used so far counts."""
    if clock.state != "met":
        return clock
    return _aimed(replace(clock, state="running", running_since=now, met_at=None), calendar)


def cancel(clock: Clock) -> Clock:
    """End a promise that no longer applies."""
    if clock.state not in ("running", "paused"):
        return clock
    return replace(clock, state="cancelled", running_since=None, due_at=None, warn_at=None)


def retarget(
    clock: Clock,
    *,
    target_s: int,
    warn_before_s: int,
    policy: str,
    calendar_name: str | None,
    old_calendar: Calendar | None,
    calendar: Calendar | None,
    now: datetime,
    can_be_kept: bool = False,
) -> Clock:
    """Give a clock another target: the time used is kept, the due instant moves. A longer promise may take a breach
    back.

    `can_be_kept`: a promise that is not broken and whose new target has passed already gets the whole target from now
    on, because nobody could keep it otherwise.
    """
    if clock.state not in ("running", "paused"):
        return clock
    used = elapsed_s(clock, now, old_calendar)
    over = used >= target_s
    grace_s = used if over and can_be_kept and clock.breached_at is None else 0.0
    moved = replace(
        clock,
        policy=policy,
        target_s=target_s,
        warn_before_s=warn_before_s,
        calendar=calendar_name,
        elapsed_s=used,
        running_since=now if clock.state == "running" else None,
        grace_s=grace_s,
        warned_at=clock.warned_at if used >= target_s - warn_before_s and not grace_s else None,
        breached_at=clock.breached_at if over else None,
    )
    return _aimed(moved, calendar) if moved.state == "running" else moved


def due(clock: Clock, now: datetime) -> Literal["warn", "breach"] | None:
    """Return the notice that is due now: a breach before a warning, each once."""
    if clock.state != "running" or clock.breached_at is not None:
        return None
    if clock.due_at is not None and clock.due_at <= now:
        return "breach"
    if clock.warn_at is not None and clock.warned_at is None and clock.warn_at <= now:
        return "warn"
    return None


def warned(clock: Clock, now: datetime) -> Clock:
    return replace(clock, warned_at=now)


def breached(clock: Clock, now: datetime) -> Clock:
    """Broken; the clock runs on, to tell by how much."""
    return replace(clock, breached_at=now, warned_at=clock.warned_at or now)


def status(clock: Clock | None) -> Literal["none", "running", "paused", "met", "breached"]:
    """Return a clock's state in one word, for conditions and lists."""
    if clock is None or (clock.state == "cancelled" and clock.breached_at is None):
        return "none"
    if clock.breached_at is not None:
        return "breached"
    return clock.state  # type: ignore[return-value]  # cancelled was answered above
