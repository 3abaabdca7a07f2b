"""The gunicorn settings of every function: one process per pod, threads equal to containerConcurrency."""

from __future__ import annotations

import os
from typing import Any

from models.kernel import settings
from models.kernel.errors import ConfigurationError
from models.kernel.telemetry import logs


def _settings() -> settings.Settings:
    """Read the settings. A wrong setting ends gunicorn with one log line instead of a traceback."""
    try:
        return settings.current()
    except ConfigurationError as error:
        logs.configure("gunicorn")
        logs.get("process").error("start_refused", reason=error.message)
        raise SystemExit(1) from error


_config = _settings()
bind = f"{os.environ.get('NESTOR_BIND', '0.0.0.0')}:{_config.port}"  # noqa: S104 -- a container's port is reached from outside
worker_class = "functions.http.server.worker.DeskWorker"
workers = _config.http_workers
threads = _config.http_threads
graceful_timeout = _config.drain_seconds
timeout = 120  # longer than every limit of ours: the arbiter then replaces a worker that hangs
keepalive = 95  # longer than queue-proxy keeps idle connections, so it never reuses a closed connection
control_socket_disable = True  # the root file system is read-only
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 -- heartbeat file in memory, as gunicorn's docs advise
accesslog = None  # our own access log has routes instead of URLs
loglevel = "warning"
logger_class = "functions.gunicorn_logs.JsonLogger"
# Children share a connection that is made before the fork, and messages on it get lost.
preload_app = False


def worker_exit(server: Any, worker: Any) -> None:
    """Publish the pending wakeups after the worker's last request (SIGTERM)."""
    from functions.http import runtime

    runtime.stop()
