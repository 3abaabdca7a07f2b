"""A worker process on RabbitMQ: `dramatiq queues.worker:create_broker -p 1 -t 8 --queues default`, and another one for `sends`.

One process for both queues (`--queues default sends`) is enough for a small desk; a provider that hangs can then hold all its threads.

Dramatiq's command line calls `create_broker` in each worker process, after the fork. While it lives, a worker also beats the sweep,
so a desk needs no scheduler of its own as long as one worker runs; KEDA and PingSource wake the first one.
"""

from __future__ import annotations

import time
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware

from models import migrations
from models.definitions import publishing
from models.kernel import database, limits, logs, settings
from models.kernel.errors import NestorError, Unavailable
from queues import broker as brokers
from queues import channels, hints, monitor, parsing, pullers, runner, scheduler

log = logs.get("worker")


class _Life(Middleware):
    """What a worker process does beside its tasks."""

    def __init__(self) -> None:
        self._scheduler: Any = None
        self._publisher: Any = None
        self._pullers: pullers.Pullers | None = None

    def after_process_boot(self, broker: Any) -> None:
        """Nothing here may need the database: Dramatiq logs what fails in here and lives on without the rest of it."""
        monitor.start(settings.current().metrics_port)
        self._publisher = hints.install(broker, embedded=False)
        self._scheduler = scheduler.start()
        self._pullers = pullers.Pullers(settings.current())
        self._pullers.start()
        log.info("worker_started")

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        self._scheduler.shutdown(wait=False)
        if self._pullers is not None:
            self._pullers.stop()

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """The shutdown time is over: what still runs is given back, so that another worker takes it without waiting for the lease."""
        given_back = runner.keeper().give_back()
        channels.close_senders()
        parsing.close()
        self._publisher.stop()
        log.info("worker_stopped", tasks_given_back=given_back)


def _wait_for_schema() -> None:
    """Check the schema, through a database that restarts just now. Raises SchemaMismatch, or Unavailable after a while."""
    deadline = time.monotonic() + limits.database_start_wait_s
    while True:
        try:
            return migrations.check()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            log.warning("waiting_for_database")
            time.sleep(1.0)


def create_broker() -> None:
    """Set up this worker process: settings, logs, database, broker, the runner."""
    config = settings.current()
    logs.configure("worker", config.log_level)
    database.configure(config)
    try:
        _wait_for_schema()
        publishing.check_readable()
    except NestorError as error:
        # Dramatiq's command line ends with the message on ImportError.
        raise ImportError(error.message) from error
    broker = brokers.create(config)
    broker.add_middleware(_Life())
    dramatiq.set_broker(broker)
    brokers.add_runner(broker)
