"""The embedded desk's application: all functions behind one port, and the workers in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.arbiter import Arbiter

from functions.http import runtime
from models.kernel import database, logs, settings
from models.kernel.errors import NestorError
from models.migrations.readiness import Readiness
from queues import starting
from queues.embedded import EmbeddedWorkers

_workers: EmbeddedWorkers | None = None

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app() -> WsgiApp:
    """Set this process up, start its workers and return the application. Called in gunicorn's worker, after the fork."""
    global _workers
    config = settings.current()
    logs.configure("desk", config.log_level)
    database.configure(config)
    try:
        starting.check_database()
    except NestorError as error:
        logs.get("process").error("start_refused", reason=error.message)
        raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from error  # gunicorn ends instead of trying again
    from functions.gateway.app import create_app as gateway
    from functions.gateway.app import operations
    from functions.tick.app import create_app as tick
    from functions.webhooks.app import create_app as webhooks
    from scripts.desk import pages

    operations()  # imports the gateway's modules before the workers' threads import something
    _workers = EmbeddedWorkers(config)
    _workers.start()
    runtime.adopt(_workers.publisher, Readiness().start())
    routes: list[tuple[str, WsgiApp]] = [
        ("/webhooks/", webhooks()),
        ("/tick", tick()),
        ("/sandbox", pages.create_app(config)),
    ]
    home: WsgiApp = pages.create_app(config)
    fallback: WsgiApp = gateway()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in ("", "/"):
            return home(environ, start_response)
        for prefix, app in routes:
            if path.startswith(prefix):
                return app(environ, start_response)
        return fallback(environ, start_response)

    return application


def stop(timeout_s: float) -> None:
    """Finish what runs, give back the rest; gunicorn's worker_exit calls this."""
    if _workers is not None:
        _workers.stop(timeout_s=timeout_s)
