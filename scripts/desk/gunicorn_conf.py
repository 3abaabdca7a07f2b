"""gunicorn's settings for the embedded desk: those of every function, on loopback, with the workers inside."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from functions.gunicorn_conf import (
    control_socket_disable,
    graceful_timeout,
    keepalive,
    logger_class,
    loglevel,
    preload_app,
    threads,
    timeout,
    worker_class,
    worker_tmp_dir,
)
from models.kernel import settings

__all__ = [
    "control_socket_disable",
    "graceful_timeout",
    "keepalive",
    "logger_class",
    "loglevel",
    "preload_app",
    "threads",
    "timeout",
    "worker_class",
    "worker_tmp_dir",
]

bind = f"{os.environ['NESTOR_BIND']}:{settings.current().port}"
# Set by `./scripts/run --tls`.
certfile = os.environ.get("NESTOR_TLS_CERT") or None
keyfile = os.environ.get("NESTOR_TLS_KEY") or None
workers = 1  # one process: the in-memory broker lives in it

_workers_stop_s = 8.0  # what runs is a parse or a send to a server on this machine; the supervisor waits longer


def on_starting(server: Any) -> None:
    """End when the supervisor dies, also by kill -9: the pipe it holds open comes to its end."""
    fd = int(os.environ.get("NESTOR_PARENT_PIPE", "-1"))
    if fd < 0:
        return

    def watch() -> None:
        os.read(fd, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def worker_exit(server: Any, worker: Any) -> None:
    """Requests are done; now the workers."""
    from scripts.desk import app

    app.stop(_workers_stop_s)
