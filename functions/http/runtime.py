"""The process-wide resources of a function: logs, database, the publisher of wakeups. Set up once, after any fork."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.kernel import settings
from models.kernel.settings import Settings
from models.kernel.storage import database, transport
from models.kernel.telemetry import logs
from models.migrations.readiness import Readiness
from queues.wakeups import publisher as wakeups


@dataclass(slots=True)
class State:
    """The resources. `adopted`: the embedded desk has set them up, with a publisher of its own kind."""

    adopted: bool = False
    publisher: Any = None
    readiness: Readiness | None = None


_state = State()


def start(function: str) -> Settings:
    """Set up the process for a function. The embedded desk does this itself and calls `adopt`.

    Opens no connection in this thread; readiness checks the database in another thread.
    """
    config = settings.current()
    if _state.adopted:
        return config
    logs.configure(function, config.log_level)
    database.configure(config)
    transport.warn(config)
    if not config.embedded:
        _state.publisher = wakeups.install(wakeups.LateBroker(config), embedded=False)
    _state.readiness = Readiness().start()
    return config


def adopt(publisher: Any, readiness: Readiness | None = None) -> None:
    """Use the resources that the embedded desk has set up, in every function created from now on."""
    _state.adopted, _state.publisher, _state.readiness = True, publisher, readiness


def not_ready_reason() -> str | None:
    """The reason why this process is not ready, or None. Cheap enough for a probe every 50 ms."""
    readiness = _state.readiness
    return None if readiness is None else readiness.reason()


def publisher() -> Any:
    """The publisher of wakeups of this process, or None."""
    return _state.publisher


def stop() -> None:
    """Flush pending wakeups; the exit hook of the server calls this."""
    if not _state.adopted and _state.publisher is not None:
        _state.publisher.stop()
