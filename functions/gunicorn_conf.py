"""gunicorn's settings for every function: one gthread process per pod, threads equal to containerConcurrency."""

from __future__ import annotations

import os
from typing import Any

from models.kernel import logs, settings
from models.kernel.errors import ConfigurationError


def _settings() -> settings.Settings:
    """The settings; a wrong one ends gunicorn with one line of the log instead of a traceback."""
    try:
        return settings.current()
    except ConfigurationError as error:
        logs.configure("gunicorn")
        logs.get("process").error("start_refused", reason=error.message)
        raise SystemExit(1) from error


_config = _settings()
bind = f"{os.environ.get('NESTOR_BIND', '0.0.0.0')}:{_config.port}"  # noqa: S104 -- a container's port is reached from outside
worker_class = "gthread"
workers = _config.http_workers
threads = _config.http_threads
graceful_timeout = _config.drain_seconds
timeout = 120  # a thread that hangs longer than any limit of ours: let the arbiter start a new worker
keepalive = 95  # longer than queue-proxy keeps idle connections, so that a reuse never meets a closed one
control_socket_disable = True  # a read-only root has no place for it
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 -- heartbeat file in memory, as gunicorn's docs advise
accesslog = None  # our own access log names routes, not URLs
loglevel = "warning"
logger_class = "functions.gunicorn_logs.JsonLogger"
# A connection that is made before the fork is shared by the children, and messages on it get lost.
preload_app = False


def worker_exit(server: Any, worker: Any) -> None:
    """SIGTERM: requests are done; give the hints that wait."""
    from functions.http import runtime

    runtime.stop()
