"""The embedded desk's application: all functions behind one port, and the workers in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import WSGIEnvironment

from gunicorn.arbiter import Arbiter

from functions import listing
from functions.http import runtime
from functions.listing import WsgiApp
from models.kernel import settings
from models.kernel.errors import NestorError
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.migrations.readiness import Readiness
from queues.embedded import EmbeddedWorkers
from queues.processes import starting

_workers: EmbeddedWorkers | None = None


def create_app() -> WsgiApp:
    """Set this process up, start its workers and return the application. Called in gunicorn's
    worker, after the fork.
    """
    global _workers
    config = settings.current()
    logs.configure("desk", config.log_level)
    database.configure(config)
    try:
        starting.check_database()
    except NestorError as error:
        logs.get("process").error("start_refused", reason=error.message)
        raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from error  # gunicorn ends instead of trying again
    from functions.gateway.app import operations
    from scripts.desk import hosts, pages

    # Imports the gateway's modules before the threads of the workers import anything.
    operations()
    _workers = EmbeddedWorkers(config)
    _workers.start()
    runtime.adopt(_workers.publisher, Readiness().start())
    functions = listing.mounted(listing.FUNCTIONS, listing.MAIN)
    demo = pages.create_app(config)
    own_hosts = hosts.own(config.public_url) if config.sandbox_url else None

    def application(environ: WSGIEnvironment, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if own_hosts is not None and not hosts.is_own(environ.get("HTTP_HOST", ""), own_hosts):
            return hosts.refuse(start_response)
        path = environ.get("PATH_INFO", "")
        app = demo if path == "/sandbox/outbox" else functions
        return app(environ, start_response)

    return application


def stop(timeout_s: float) -> None:
    """Finish what runs, give back the rest; gunicorn's worker_exit calls this."""
    if _workers is not None:
        _workers.stop(timeout_s=timeout_s)
