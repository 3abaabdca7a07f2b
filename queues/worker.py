"""A worker process on RabbitMQ: `python -m queues.master -t 8 --queues default`, and another one with `-t 4 --queues
sends` (queues/outside/calls.py explains the number).

A command starts one process (`_refuse_siblings` says why); more work needs more commands or pods. One process for both
queues (`--queues default sends`) is enough for a small desk, but a provider that hangs can hold all its threads.

Dramatiq's command line calls `create_broker` in the worker process, after the fork. A worker also runs the sweep, so a
desk needs no separate scheduler as long as one worker runs; KEDA and PingSource wake the first one.
"""

from __future__ import annotations

import multiprocessing
import sys
from typing import Any

import dramatiq
from dramatiq.cli import make_argument_parser
from dramatiq.middleware import Middleware

from models.kernel import settings
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.storage import database, transport
from models.kernel.telemetry import logs
from queues import broker as brokers
from queues import channels, scheduler
from queues.parser import parsing
from queues.processes import monitor, preloading, starting
from queues.processes.lease_keeper import keeper
from queues.processes.outage import outages
from queues.pulling import loop
from queues.wakeups import publisher

log = logs.get("worker")


class _Life(Middleware):
    """The work of a worker process apart from its tasks."""

    def __init__(self) -> None:
        self._scheduler: Any = None
        self._publisher: Any = None
        self._pullers: loop.Pullers | None = None

    def after_process_boot(self, broker: Any) -> None:
        """Start the process's threads. Nothing here may need the database: Dramatiq logs an exception and skips the
        rest.
        """
        monitor.start(settings.current().metrics_host, settings.current().metrics_port)
        self._publisher = publisher.install(broker, embedded=False)
        self._scheduler = scheduler.start()
        self._pullers = loop.Pullers(settings.current())
        self._pullers.start()
        log.info("worker_started")

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        self._scheduler.shutdown(wait=False)
        if self._pullers is not None:
            self._pullers.stop()

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """Give running tasks back after the shutdown time, so that another worker takes them without waiting for the
        leases.
        """
        given_back = keeper().give_back()
        channels.close_all()
        parsing.close()
        self._publisher.stop()
        log.info("worker_stopped", tasks_given_back=given_back)


def _refuse_siblings() -> None:
    """Raise ConfigurationError when Dramatiq's command line asks for more than one process; its default is one for each
    CPU.

    Dramatiq ends all processes of a command when one of them is killed, so a kill also stops the tasks of the other
    processes, and a process that hangs in its shutdown leaves the queue without workers. Separate commands (or pods)
    end and start alone.
    """
    if multiprocessing.parent_process() is None:
        # Not started by Dramatiq's command line.
        return
    options, _ = make_argument_parser().parse_known_args(sys.argv[1:])  # type: ignore[no-untyped-call]  # Dramatiq's has no types
    if options.processes != 1:
        raise ConfigurationError(
            f"a worker is one process: expected -p 1, found {options.processes} processes; start more commands or"
            " pods instead"
        )


def create_broker() -> None:
    """Set up this worker process: settings, logs, database, broker, the runner."""
    try:
        config = settings.current()
        logs.configure("worker", config.log_level)
        # No thread runs yet.
        preloading.preload_runner()
        database.configure(config)
        _refuse_siblings()
        transport.warn(config)
        starting.check_database()
    except NestorError as error:
        # Dramatiq's command line ends with the message on ImportError.
        raise ImportError(error.message) from error
    outages.begin()
    broker = brokers.create(config)
    broker.add_middleware(_Life())
    dramatiq.set_broker(broker)
    brokers.add_runner(broker)
