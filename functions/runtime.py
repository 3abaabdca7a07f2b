"""What a function's process owns besides its application: logs, database, the hint publisher. Set up once, after any fork."""

from __future__ import annotations

from typing import Any

from models.kernel import database, logs, settings
from models.kernel.settings import Settings

_state: dict[str, Any] = {}


def start(function: str) -> Settings:
    """Set the process up for a function; opens no connection. The embedded desk does this itself and calls `adopt`."""
    config = settings.current()
    if _state.get("adopted"):
        return config
    logs.configure(function, config.log_level)
    database.configure(config)
    if not config.embedded:
        # Loaded here and not at import: the broker library costs a cold start 60 ms, and an embedded desk has its own.
        from queues import broker, hints

        _state["publisher"] = hints.install(broker.create(config), embedded=False)
    return config


def adopt(publisher: Any) -> None:
    """The embedded desk has set the process up: functions made from now on use it as it is."""
    _state.update(adopted=True, publisher=publisher)


def publisher() -> Any:
    """The process's hint publisher, or None."""
    return _state.get("publisher")


def stop() -> None:
    """Flush the hints that wait; for the server's exit hook."""
    if not _state.get("adopted") and _state.get("publisher") is not None:
        _state["publisher"].stop()
