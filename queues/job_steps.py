"""Long jobs as short runs of a task: a run does steps for some seconds and leaves the rest to the next run."""

from __future__ import annotations

import time
from collections.abc import Callable

from queues.settlement import Done, Postponed, Settlement

# Well below the time limit of a task, so that a worker that drains is not held up.
steps_s_max = 5.0


def run_steps(step: Callable[[], bool]) -> Settlement:
    """Do steps until none is left or the time is over. `step` returns True while something is left."""
    until = time.monotonic() + steps_s_max
    while step():
        if time.monotonic() >= until:
            return Postponed(0.0, "the job goes on in the next run")
    return Done()
