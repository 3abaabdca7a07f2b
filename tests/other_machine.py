"""A second machine of the desk, whose clock is wrong: `with another_machine(desk, ahead_s=600): ...`.

Inside, this process behaves as one that was started there: the machine's clock reads another time, nothing is cached or
connected from before, and the database is the same one with the same clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.tasks import wakeups
from tests.desk import Desk
from tests.fixtures_desk import bind
from tests.machine_clock import machine_clock


@contextmanager
def another_machine(desk: Desk, *, ahead_s: float) -> Iterator[None]:
    """What happens inside happens on a machine whose clock is `ahead_s` seconds ahead of the database's."""
    with machine_clock(ahead_s=ahead_s):
        _start(desk)
        yield
    _start(desk)


def _start(desk: Desk) -> None:
    bind(desk.settings.database_url)
    wakeups.set_publisher(desk.wakeups.append)
