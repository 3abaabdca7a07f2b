"""Prometheus metrics of a process. Label values are bounded sets (routes, kinds, outcomes), never ids.

Pods of one process each need nothing else; several gunicorn workers share a folder through PROMETHEUS_MULTIPROC_DIR, as
prometheus_client documents it.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_AGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 86400.0)

request_seconds = Histogram(
    "nestor_http_request_seconds",
    "Duration of requests",
    ["function", "method", "route", "status"],
    buckets=_SECONDS,
)
connections_cut = Counter("nestor_http_connections_cut_total", "Connections closed as too slow", ["reason"])
task_outcomes = Counter("nestor_task_outcomes_total", "Settled tasks", ["kind", "outcome"])
task_seconds = Histogram("nestor_task_run_seconds", "Duration of task runs", ["kind"], buckets=_SECONDS)
task_age_seconds = Histogram("nestor_task_age_seconds", "From becoming due to being claimed", ["kind"], buckets=_AGES)
sends = Counter("nestor_sends_total", "Attempts at sending", ["channel", "outcome"])
wakeups = Counter("nestor_hints_total", "Wake-up hints to the broker", ["outcome"])
inbox_events = Counter("nestor_inbox_events_total", "Events taken from providers", ["channel", "outcome"])
