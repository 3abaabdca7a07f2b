"""Health and metrics of a function.

/healthz: the process is alive. /readyz: the process can work (models/migrations/readiness.py). Knative polls /readyz
every 50 ms, so it reports the result of a background check and opens no connection. /healthz/deep: database, schema and
backlog, for people. /metrics: Prometheus.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from functions.http import monitoring, runtime
from functions.http.operations import Answer, Call, Cost, Operations
from models import migrations
from models.inbox import queries as inbox
from models.kernel import imports
from models.kernel.errors import NestorError, NotReady
from models.kernel.settings import Settings
from models.kernel.storage import database, skew, transport
from models.tasks import queries as tasks


class Health(msgspec.Struct):
    """The status of the process."""

    status: str
    function: str


class Part(msgspec.Struct):
    """The status of a dependency."""

    ok: bool
    detail: str


class DeepHealth(msgspec.Struct):
    """The status of every dependency. `status` is `ok` or `failing`."""

    status: str
    parts: dict[str, Part]


T = TypeVar("T")
_KEPT_S = 5.0  # the endpoints are public: this interval bounds how often they count the ledger


class _Kept(Generic[T]):
    """A cached response that needs SQL statements. Concurrent callers get the previous response and do not wait."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._until = 0.0
        self._last: T | None = None

    def get(self) -> T:
        if not self._lock.acquire(blocking=self._last is None):
            assert self._last is not None
            return self._last
        try:
            if self._last is None or time.monotonic() >= self._until:
                self._last = self._make()
                self._until = time.monotonic() + _KEPT_S
            return self._last
        finally:
            self._lock.release()


def _backlog() -> bytes:
    """Return the gauges of the ledger as text; empty while the database is unreachable."""
    # These imports are here because most functions never count, and they would slow down a webhook's cold start.
    from prometheus_client import CollectorRegistry, generate_latest

    from queues.processes.monitor import BacklogCollector

    registry = CollectorRegistry()
    registry.register(BacklogCollector())
    return generate_latest(registry)


def add(operations: Operations, function: str, config: Settings, *, backlog: bool = False) -> None:
    """Add the health and metrics operations.

    `backlog`: the metrics of this function include the backlog of the whole desk.
    """
    ledger = _Kept(_backlog) if backlog else None
    parts_kept = _Kept(
        lambda: {
            "database": _database(),
            "definitions": _definitions(),
            "broker": _broker(config),
            # Only the gateway function reads and writes files, and only it has the key of the bucket.
            **({"files": _files()} if function == "gateway" else {}),
            "webhooks": _webhooks(),
            "event_log": _event_log(),
            "clock": _clock(),
            "transport": _transport(config),
        }
    )

    @operations.add(
        "GET",
        "/healthz",
        summary="Check liveness",
        answers={200: Health},
        public=True,
        unlocked=True,
        cost=Cost.free,
    )
    def alive(call: Call) -> Answer:
        """The process is alive."""
        return Answer(Health("ok", function))

    @operations.add(
        "GET",
        "/readyz",
        summary="Check readiness",
        cost=Cost.free,
        answers={200: Health},
        problems=(503,),
        public=True,
        unlocked=True,
    )
    def ready(call: Call) -> Answer:
        """Answers 503 with the reason while the database schema is missing or does not match, or SECRET_KEY is missing.

        A database that is unreachable does not make the process unready: requests answer 503 themselves.
        """
        if (reason := runtime.not_ready_reason()) is not None:
            raise NotReady(reason)
        return Answer(Health("ok", function))

    @operations.add(
        "GET",
        "/healthz/deep",
        summary="Check dependencies",
        answers={200: DeepHealth, 503: DeepHealth},
        public=True,
        problems=(401,),
        unlocked=True,
    )
    def deep(call: Call) -> Answer:
        """Checks the database, the schema, the broker, stored files, webhooks, the event log and clocks, and reports
        the backlog.

        Needs MONITOR_TOKEN.
        """
        monitoring.require(call, config)
        parts = parts_kept.get()
        ok = all(part.ok for part in parts.values())
        return Answer(DeepHealth("ok" if ok else "failing", parts), status=200 if parts["database"].ok else 503)

    @operations.add(
        "GET", "/metrics", summary="Get metrics", answers={200: str}, public=True, unlocked=True, problems=(401,)
    )
    def metrics(call: Call) -> Answer:
        """In the Prometheus text format. Needs MONITOR_TOKEN."""
        monitoring.require(call, config)
        from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

        registry: Any = REGISTRY
        import os

        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the package has no types for this one
        text = generate_latest(registry) + (ledger.get() if ledger is not None else b"")
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


def _definitions() -> Part:
    """Check that this program can read every life cycle and ticket type in use."""
    imports.load("models.publishing.publishing")
    from models.publishing import publishing

    try:
        with database.connection():
            unreadable = publishing.unreadable()
    except NestorError as error:
        return Part(False, error.message)
    return Part(not unreadable, "; ".join(unreadable) or "all that is in use can be read")


def _webhooks() -> Part:
    """Check that no outgoing webhook is switched off after a long series of failures."""
    from models.subscriptions import queries as subscriptions

    try:
        with database.connection():
            troubled = subscriptions.troubled()
    except NestorError as error:
        return Part(False, error.message)
    off = sum(1 for one in troubled if not one.active)
    return Part(off == 0, f"{off} switched off after long failure, {len(troubled) - off} failing")


def _event_log() -> Part:
    """Check that no consumer of the event log has passed an event that ended its workers."""
    from models.events.following import parking

    try:
        with database.connection():
            parked = parking.counts()
    except NestorError as error:
        return Part(False, error.message)
    return Part(
        not parked,
        "; ".join(f"{one['consumer']}: {one['events']} events parked" for one in parked) or "no event is parked",
    )


def _clock() -> Part:
    """Check this machine's clock against the database's, and the database's against its stored times."""
    try:
        with database.connection():
            found = tasks.ahead_of_clock()
    except NestorError as error:
        return Part(False, error.message)
    problems = [problem for problem in (skew.finding(), found) if problem]
    return Part(not problems, "; ".join(problems) or skew.detail())


def _transport(config: Settings) -> Part:
    """Check that connections to other machines are encrypted, or that the operator says that they are not."""
    found = transport.judged(config)
    told = "; ".join(f"{one.name}: {one.detail}" for one in found) or "no connection leaves this machine"
    return Part(not any(one.problem for one in found), told)


def _files() -> Part:
    """Check the blob store. While it is unreachable, work without files continues."""
    from models.blobs import stores

    try:
        return Part(True, stores.current().check())
    except NestorError as error:
        return Part(False, error.message)


def _broker(config: Settings) -> Part:
    """Check that the wakeups of this process reach the broker. Without a broker the desk works, more slowly."""
    publisher = runtime.publisher()
    if publisher is None:
        return Part(True, "no wakeup sent yet")
    where = "embedded" if config.embedded else "RabbitMQ"
    return Part(
        publisher.available,
        f"{where}: wakeups get through" if publisher.available else f"{where} is away; the sweep delivers",
    )
