"""The part of the report about the consumers of the event log: how far each is behind."""

from __future__ import annotations

from models.events.following import consumers, parking
from models.kernel import clock
from scripts.diag import limits
from scripts.diag.part import Part
from scripts.explain import words


def look(part: Part) -> None:
    """Report each consumer's lag and its parked events. A lag of some minutes means that no worker runs its task, or
    that the task fails.
    """
    part.facts["consumers"] = []
    found = consumers.lags()
    parked_of = {one["consumer"]: one["events"] for one in parking.counts()}
    if not found:
        part.lines.append("no consumer has a position yet")
    for lag in found:
        waits_s = 0.0 if lag["waiting_since"] is None else (clock.now() - lag["waiting_since"]).total_seconds()
        part.facts["consumers"].append(dict(lag) | {"lag_s": max(0.0, waits_s)})
        old = ", still reads events of early releases" if lag["old_events_left"] else ""
        part.lines.append(f"{lag['name']}: {words.counted(lag['behind'], 'event')} behind{old}")
        parked = parked_of.get(lag["name"], 0)
        part.facts["consumers"][-1]["parked"] = parked
        if parked:
            part.problem(
                f"{lag['name']} has parked {words.counted(parked, 'event')}, which ended its workers: mend the cause,"
                f" then python -m scripts.log_consumers repeat {lag['name']}"
            )
        if waits_s > limits.overdue_s:
            part.problem(
                f"{lag['name']} is {words.counted(lag['behind'], 'event')} behind: look for follow_log tasks that fail"
                " at /v1/tasks"
            )
