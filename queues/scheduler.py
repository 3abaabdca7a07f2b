"""The scheduler of long-lived processes: APScheduler runs the sweep once a second.

APScheduler only provides the interval (memory store, coalescing, one run at a time). Schedules are rows of `timers`, so
any number of schedulers can run. `python -m queues.scheduler` starts one as its own process.
"""

from __future__ import annotations

import signal
import threading
from typing import Any

from models import migrations
from models.events.following import consumers
from models.kernel import settings
from models.kernel.errors import NestorError
from models.kernel.storage import database, transport
from models.kernel.telemetry import logs
from queues import broker, log_consumers, sweep
from queues.processes import starting
from queues.pulling import loop
from queues.wakeups import publisher as wakeups

log = logs.get("scheduler")


class Beat:
    """The job of each interval: sets the housekeeping timers until that has succeeded once, then sweeps."""

    def __init__(self) -> None:
        self._timers_set = False

    def __call__(self) -> None:
        if not self._timers_set:
            self._timers_set = _set_timers()
        sweep.quietly()


def _set_timers() -> bool:
    try:
        sweep.ensure_housekeeping()
        with database.transaction():
            consumers.ensure(log_consumers.CONSUMERS)
    except NestorError as error:
        log.warning("housekeeping_not_set", reason=error.code)
        return False
    return True


def start() -> Any:
    """Start an APScheduler in the background and return it; the caller shuts it down."""
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        Beat(),
        "interval",
        seconds=sweep.beat_s(),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
        id="sweep",
    )
    scheduler.start()
    return scheduler


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    config = settings.current()
    logs.configure("scheduler", config.log_level)
    database.configure(config)
    transport.warn(config)
    starting.through_outage(migrations.check)
    publisher = wakeups.install(broker.create(config), embedded=False)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    scheduler = start()
    reading = loop.Pullers(config)
    reading.start()
    log.info("scheduler_started")
    stopped.wait()
    scheduler.shutdown(wait=True)
    reading.stop()
    publisher.stop()
    log.info("scheduler_stopped")


if __name__ == "__main__":
    try:
        main()
    except NestorError as error:
        log.error("start_refused", reason=error.message)
        raise SystemExit(1) from error
