"""Health endpoints and metrics of every function."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from functions.http import health
from models.events.tables import ParkedLogEvent
from models.kernel import clock, settings
from models.kernel.ids import new_id
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import PROBLEM, Caller, sqlite_only
from tests.other_machine import another_machine

MakeTick = Callable[[str], Caller]


@pytest.fixture
def functions(gateway: Any, webhooks: Any, make_tick: MakeTick) -> dict[str, Caller]:
    return {"gateway": Caller(gateway), "webhooks": Caller(webhooks), "tick": make_tick("x")}


@sqlite_only
def test_probes_answer_without_a_server_behind_them(
    functions: dict[str, Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: Any, **named: Any) -> None:
        raise AssertionError("a probe asked for the database")

    monkeypatch.setattr(type(database.proxy.obj), "connect", never)
    monkeypatch.setattr(database, "execute", never)

    for name, function in functions.items():
        for path in ("/healthz", "/readyz"):
            assert function.read(path) == {"status": "ok", "function": name}


def test_deep_health_shows_the_backlog(functions: dict[str, Caller], desk: Desk) -> None:
    desk.create_ticket(description="x", email="ada@example.test")
    desk.receive_raw("telegram", b"nonsense", content_type="application/json")

    for function in functions.values():
        told = function.read("/healthz/deep")
        assert told["status"] == "ok"
        assert told["parts"]["database"]["ok"] is True
        assert "1 live tasks" in told["parts"]["database"]["detail"]
        assert "1 failed inbox events" in told["parts"]["database"]["detail"]


def test_deep_health_says_when_a_consumer_of_the_log_has_parked_events(
    functions: dict[str, Caller], desk: Desk
) -> None:
    with database.transaction():
        ParkedLogEvent.insert(consumer="search", event_id=new_id(), parked_at=clock.now()).execute()

    told = functions["gateway"].read("/healthz/deep")

    assert told["status"] == "failing"
    assert told["parts"]["event_log"] == {"ok": False, "detail": "search: 1 events parked"}


def test_deep_health_says_when_the_newest_task_was_made_in_the_future(functions: dict[str, Caller], desk: Desk) -> None:
    desk.advance(seconds=7200)
    desk.create_ticket(description="x", email="ada@example.test")
    desk.advance(seconds=-7200)

    answer = functions["gateway"].get("/healthz/deep")

    assert (answer.status_code, answer.json["status"]) == (200, "failing")
    part = answer.json["parts"]["clock"]
    assert part["ok"] is False
    assert "made 7200 s in the future" in part["detail"] or "made 7199 s in the future" in part["detail"]


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_deep_health_says_when_this_machines_clock_is_not_the_databases(
    functions: dict[str, Caller], desk: Desk
) -> None:
    with another_machine(desk, ahead_s=600):
        there = functions["gateway"].read("/healthz/deep")
    here = functions["webhooks"].read("/healthz/deep")

    assert there["status"] == "failing"
    assert there["parts"]["clock"] == {"ok": False, "detail": "this machine's clock is 600 s ahead of the database's"}
    assert (here["status"], here["parts"]["clock"]["ok"]) == ("ok", True)


@sqlite_only
def test_deep_health_of_the_gateway_shows_if_files_are_available(
    functions: dict[str, Caller], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = functions["gateway"].read("/healthz/deep")
    assert told["parts"]["files"] == {"ok": True, "detail": "a local folder, writable"}
    assert "files" not in functions["webhooks"].read("/healthz/deep")["parts"]

    monkeypatch.setenv("BLOB_URL", "s3://files?endpoint=http://127.0.0.1:9&access_key_id=a")
    monkeypatch.setenv("BLOB_SECRET_KEY", "secret-of-the-bucket")
    settings.current.cache_clear()
    from functions.gateway.app import create_app

    answer = Caller(create_app()).get("/healthz/deep")

    assert answer.status_code == 200, "the desk goes on without it"
    assert answer.json["status"] == "failing"
    assert answer.json["parts"]["files"]["ok"] is False
    assert "secret" not in answer.text


def test_metrics_count_requests_by_route_and_tell_the_engines(
    machine: Caller, functions: dict[str, Caller], desk: Desk
) -> None:
    ticket = machine.ticket(description="x", requester={"email": "ada@example.test"})
    machine.get(f"/v1/tickets/{ticket['id']}")
    machine.get("/v1/nowhere/secret-path")
    desk.run_due()

    text = functions["gateway"].get("/metrics").text

    assert 'function="gateway",method="GET",route="/v1/tickets/{ticket}",status="200"' in text
    assert 'route="(unknown)",status="404"' in text
    assert "secret-path" not in text
    assert ticket["id"] not in text
    for name in (
        "nestor_http_request_seconds_bucket",
        'nestor_task_outcomes_total{kind="send_delivery",outcome="done"}',
        'nestor_task_run_seconds_count{kind="send_delivery"}',
        'nestor_task_age_seconds_count{kind="send_delivery"}',
        'nestor_sends_total{channel="email",outcome="accepted"}',
        "nestor_hints_total",
        "nestor_inbox_events_total",
    ):
        assert name in text, name


def test_the_tick_function_and_the_embedded_gateway_tell_the_backlog(functions: dict[str, Caller], desk: Desk) -> None:
    desk.create_ticket(description="x", email="ada@example.test")

    for name in ("tick", "gateway"):
        text = functions[name].get("/metrics").text
        assert 'nestor_tasks{kind="send_delivery",queue="sends",state="ready"} 1.0' in text
        assert "nestor_oldest_due_task_seconds" in text
        assert text.count("# TYPE nestor_tasks gauge") == 1
    assert "nestor_oldest_due_task_seconds" not in functions["webhooks"].get("/metrics").text


@sqlite_only
def test_the_backlog_is_counted_at_most_every_few_seconds(
    make_tick: MakeTick, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.tasks import queries

    counted = itertools.count()
    real = queries.backlog

    def backlog() -> queries.Backlog:
        next(counted)
        return real()

    monkeypatch.setattr(queries, "backlog", backlog)
    seconds = [1_000.0]  # of the process's clock: on a busy machine 40 requests may take longer than an answer is kept
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    tick = make_tick("x")

    def ask() -> None:
        for _ in range(20):
            tick.get("/metrics")
            tick.get("/healthz/deep")

    ask()
    assert next(counted) == 2  # once for each of the two

    seconds[0] += health._KEPT_S
    ask()
    assert next(counted) == 2 + 1 + 2  # our own looks at the counter count


@sqlite_only
def test_every_function_describes_itself(functions: dict[str, Caller]) -> None:
    for name, function in functions.items():
        document = function.read("/openapi.json")
        assert document["openapi"].startswith("3.1")
        assert document["info"]["title"] == f"Nestor {name}"
        page = function.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        for path in document["paths"]:
            assert path.replace("&", "&amp;") in page.text
        assert function.get("/nowhere").headers["content-type"] == PROBLEM
