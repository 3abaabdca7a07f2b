"""Bounds of the page, each with its reason."""

from __future__ import annotations

# A desk that slept wakes by the PingSource's tick, every few minutes; work that is due for longer is not being done.
overdue_s = 600.0
# A provider that restarts or limits us answers again within this time.
sends_fail_s = 120.0
ignored_events_shown_s = 7 * 86_400  # ignored events are counted over a week; older ones show nothing to mend
examples_max = 10  # dead letters and the like shown with their cause; the API lists the rest
management_timeout_s = (3.0, 5.0)  # the broker's HTTP API answers in milliseconds or is away
