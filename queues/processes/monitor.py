"""A worker's own port for probes and Prometheus: /healthz, /readyz and /metrics. Off unless METRICS_PORT is set.

/readyz says why a worker cannot work (models/migrations/readiness.py). Such a worker keeps running; tasks that lack
their configuration wait.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily

from models.kernel.errors import NestorError
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.migrations.readiness import Readiness
from models.tasks import queries

log = logs.get("monitor")


class BacklogCollector:
    """Gauges of the task backlog, read at each scrape; no values while the database is away."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return nothing: registering must not query the database."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        try:
            with database.connection():
                backlog = queries.backlog()
        except NestorError as error:
            log.warning("backlog_unknown", reason=error.code)
            return
        tasks = GaugeMetricFamily("nestor_tasks", "Tasks that are not finished", labels=["queue", "kind", "state"])
        for row in backlog["counts"]:
            tasks.add_metric([row["queue"], row["kind"], row["state"]], row["tasks"])
        yield tasks
        yield GaugeMetricFamily(
            "nestor_oldest_due_task_seconds", "Age of the oldest due task", value=backlog["oldest_due_s"]
        )


_registered: list[BacklogCollector] = []


def register_backlog() -> None:
    """Add the backlog gauges to this process's metrics, once."""
    if not _registered:
        _registered.append(BacklogCollector())
        REGISTRY.register(_registered[0])


def forget_backlog() -> None:
    """Remove the gauges: a function in the same process has its own."""
    while _registered:
        REGISTRY.unregister(_registered.pop())


class _Handler(BaseHTTPRequestHandler):
    timeout = 10.0  # of a read or write: a caller that sends half a request does not keep its thread

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(200, "application/json", b'{"status":"ok"}')
        elif self.path == "/readyz":
            self._ready()
        elif self.path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
        else:
            self._answer(404, "text/plain", b"not found")

    def _ready(self) -> None:
        assert isinstance(self.server, _Server)
        reason = self.server.readiness.reason()
        if reason is None:
            self._answer(200, "application/json", b'{"status":"ok"}')
        else:
            told = {"status": 503, "code": "not_ready", "title": "Service Unavailable", "detail": reason}
            told["type"] = "urn:nestor:problem:not_ready"
            self._answer(503, "application/problem+json", json.dumps(told).encode())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing for a probe."""


class _Server(ThreadingHTTPServer):
    """The HTTP server, with the process's readiness."""

    def __init__(self, host: str, port: int, readiness: Readiness) -> None:
        self.readiness = readiness
        super().__init__((host, port), _Handler)

    def server_close(self) -> None:
        self.readiness.stop()
        super().server_close()


def start(host: str, port: int) -> ThreadingHTTPServer | None:
    """Serve in the background; None when `port` is 0."""
    if port == 0:
        return None
    register_backlog()
    server = _Server(host, port, Readiness().start())
    threading.Thread(target=server.serve_forever, name="monitor", daemon=True).start()
    return server
