"""Health and metrics of a function.

/healthz: the process lives. /readyz: cheap, because Knative polls it every 50 ms: it touches no server. /healthz/deep: database,
schema and backlog, for people. /metrics: Prometheus.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec

from functions.operations import Answer, Call, Operations
from models import migrations
from models.inbox import queries as inbox
from models.kernel import database
from models.kernel.errors import NestorError
from models.kernel.settings import Settings
from models.tasks import queries as tasks


class Health(msgspec.Struct):
    """The process lives, or is ready for requests."""

    status: str
    function: str


class Part(msgspec.Struct):
    """One thing that the desk stands on."""

    ok: bool
    detail: str


class DeepHealth(msgspec.Struct):
    """Everything that the desk stands on; `status` is `ok` or `failing`."""

    status: str
    parts: dict[str, Part]


_BACKLOG_KEPT_S = 5.0  # scrapers may ask as often as they like; the ledger is counted at most this often


class _Backlog:
    """The ledger's gauges as text, counted at most every `_BACKLOG_KEPT_S`; nothing while the database is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._text = b""

    def text(self) -> bytes:
        with self._lock:
            if time.monotonic() >= self._until:
                # Not at import: most functions never count, and a webhook's cold start must not pay for it.
                from prometheus_client import CollectorRegistry, generate_latest

                from queues.monitor import BacklogCollector

                registry = CollectorRegistry()
                registry.register(BacklogCollector())
                self._text = generate_latest(registry)
                self._until = time.monotonic() + _BACKLOG_KEPT_S
            return self._text


def add(operations: Operations, function: str, config: Settings, *, backlog: bool = False) -> None:
    """Add the health and metrics operations. `backlog`: this function's metrics also tell what is due, for the whole desk."""
    ledger = _Backlog() if backlog else None

    @operations.add(
        "GET", "/healthz", summary="The process lives", answers={200: Health}, public=True, unlocked=True
    )
    def alive(call: Call) -> Answer:
        return Answer(Health("ok", function))

    @operations.add(
        "GET", "/readyz", summary="Ready for requests", answers={200: Health}, public=True, unlocked=True
    )
    def ready(call: Call) -> Answer:
        return Answer(Health("ok", function))

    @operations.add(
        "GET", "/healthz/deep", summary="Database, schema, backlog", answers={200: DeepHealth, 503: DeepHealth}, public=True,
        unlocked=True,
    )  # fmt: skip
    def deep(call: Call) -> Answer:
        parts = {"database": _database(), "broker": _broker(config)}
        ok = all(part.ok for part in parts.values())
        return Answer(
            DeepHealth("ok" if ok else "failing", parts), status=200 if parts["database"].ok else 503
        )

    @operations.add(
        "GET", "/metrics", summary="Prometheus metrics", answers={200: str}, public=True, unlocked=True
    )
    def metrics(call: Call) -> Answer:
        from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

        registry: Any = REGISTRY
        import os

        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the package has no types for this one
        text = generate_latest(registry) + (ledger.text() if ledger is not None else b"")
        return Answer(raw=text, content_type=CONTENT_TYPE_LATEST)


def _database() -> Part:
    try:
        with database.connection():
            migrations.check()
            backlog, events = tasks.backlog(), inbox.counts()
    except NestorError as error:
        return Part(False, error.message)
    oldest_s = backlog["oldest_due_s"]
    return Part(
        True,
        f"{backlog['live']} live tasks, oldest due {oldest_s:.0f} s ago, {backlog['dead']} dead letters,"
        f" {events.get('failed', 0)} failed inbox events",
    )


def _broker(config: Settings) -> Part:
    """Whether this process's hints get through; without a broker the desk goes on, more slowly."""
    from functions import runtime

    publisher = runtime.publisher()
    if publisher is None:
        return Part(True, "no hint given yet")
    where = "embedded" if config.embedded else "RabbitMQ"
    return Part(
        publisher.available,
        f"{where}: hints get through" if publisher.available else f"{where} is away; the sweep delivers",
    )
