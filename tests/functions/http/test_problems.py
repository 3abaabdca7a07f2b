"""Every error is a whole problem document; every answer names its request; traces are carried into the work."""

from __future__ import annotations

import sqlite3
from typing import Any

import peewee
import pytest

from functions.http import web
from functions.http.operations import Answer, Call, Operations
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.conftest import LogLines


@sqlite_only
@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "nst_secret-unknown", "ä", "x" * 5_000, "Basic abc"])
def test_without_a_known_caller_it_is_401(gateway: Any, token: str) -> None:
    stranger, impostor = Caller(gateway), Caller(gateway, token)

    problem(stranger.get("/v1/tickets"), 401, "unauthenticated")
    problem(impostor.get("/v1/tickets"), 401, "unauthenticated")
    problem(impostor.post("/v1/tickets", {"title": ""}), 401)


@sqlite_only
def test_other_schemes_and_empty_tokens_are_401(stranger: Caller) -> None:
    for value in ("", "Bearer", "Bearer ", "Basic ZGVtby1rZXk6", "demo-key", "Token demo-key"):
        problem(stranger.get("/v1/me", headers={"Authorization": value}), 401, "unauthenticated")


@sqlite_only
def test_the_scheme_is_read_in_any_case(stranger: Caller) -> None:
    assert stranger.get("/v1/me", headers={"Authorization": "bearer demo-key"}).status_code == 200


@sqlite_only
def test_an_unknown_address_is_404_and_a_wrong_method_405_with_what_is_allowed(machine: Caller) -> None:
    problem(machine.get("/v1/nope"), 404, "not_found")
    problem(machine.get("/"), 404, "not_found")
    wrong = machine.ask("DELETE", "/v1/tickets")
    problem(wrong, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(wrong.headers["allow"].split(", "))


@sqlite_only
def test_a_slash_at_the_end_is_the_same_address(machine: Caller) -> None:
    assert machine.get("/v1/tickets/").json == machine.get("/v1/tickets").json


@sqlite_only
def test_an_answer_is_json_whatever_is_asked_for(machine: Caller) -> None:
    for accept in ("text/html", "image/png", "*/*", "nonsense", ""):
        result = machine.get("/v1/tickets", headers={"Accept": accept})
        assert result.headers["content-type"] == "application/json"
        problem(machine.get("/v1/tickets/0", headers={"Accept": accept}), 404)


@sqlite_only
@pytest.mark.parametrize("given", ["abc-123", "A.b_c-1", "x" * 128])
def test_a_request_id_is_echoed(machine: Caller, given: str) -> None:
    taken = machine.get("/v1/me", headers={"X-Request-Id": given})
    refused = machine.get("/v1/tickets/0", headers={"X-Request-Id": given})

    assert taken.headers["x-request-id"] == given
    assert problem(refused, 404)["request_id"] == given


@sqlite_only
@pytest.mark.parametrize("given", [None, "", "two words", "x" * 129, "<script>", "ünïcode", "a\tb"])
def test_another_request_id_is_made(machine: Caller, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-Id": given}

    first, second = (machine.get("/v1/me", headers=headers).headers["x-request-id"] for _ in range(2))

    assert first != second
    assert first != given
    assert len(first) == 32


def test_a_trace_is_followed_into_tasks_and_the_request_into_events(
    machine: Caller, desk: Desk, log_lines: LogLines
) -> None:
    trace_id, request_id = "0af7651916cd43dd8448eb211c80319c", "the-request"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01", "X-Request-Id": request_id}

    ticket = machine.made(
        "/v1/tickets",
        {"title": "x", "description": "y", "requester": {"email": "ada@example.test"}},
        headers=headers,
    )
    desk.run_due()

    traces = [task["trace"] for task in desk.tasks()]
    assert traces
    assert all(trace.split("-")[1] == trace_id for trace in traces)
    events = machine.read(f"/v1/tickets/{ticket['id']}/events")["items"]
    assert {event["request_id"] for event in events if event["event_type"] == "ticket_created"} == {request_id}
    assert {line["trace_id"] for line in log_lines.events("task_run")} == {trace_id}
    line = log_lines.events("request")[0]
    assert (line["trace_id"], line["request_id"]) == (trace_id, request_id)


@sqlite_only
@pytest.mark.parametrize(
    "given",
    [
        "nonsense",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ],
)
def test_a_broken_trace_starts_a_new_one(machine: Caller, log_lines: LogLines, given: str) -> None:
    machine.get("/v1/me", headers={"traceparent": given})

    trace_id = log_lines.events("request")[0]["trace_id"]
    assert len(trace_id) == 32
    assert trace_id not in ("0" * 32, "0af7651916cd43dd8448eb211c80319c")


class Teapot(Exception):
    """No kind of error that anybody expects."""


def _broken_app(desk: Desk, error: Exception) -> Any:
    operations = Operations()

    @operations.add("POST", "/broken", summary="Breaks", public=True, answers={200: None})
    def broken(call: Call) -> Answer:
        database.execute(
            "INSERT INTO requesters (id, name, created_at, updated_at)"
            " VALUES ('00000000-0000-7000-8000-000000000000', 'x', :at, :at)",
            at="2026-01-01 00:00:00+00:00",
        )
        raise error

    return web.create_app("broken", operations, configured=desk.settings)


@pytest.mark.parametrize(
    "error",
    [
        Teapot("secret-message"),
        KeyError("secret-message"),
        RecursionError("secret-message"),
        peewee.IntegrityError("Key (email)=(secret-message) already exists"),
        peewee.ProgrammingError("near secret-message: syntax error"),
        AssertionError("secret-message"),
    ],
)
def test_a_bug_is_500_without_a_word_about_it_and_nothing_is_half_written(
    desk: Desk, error: Exception, log_lines: LogLines
) -> None:
    result = Caller(_broken_app(desk, error)).post("/broken")

    document = problem(result, 500, "internal_error")
    assert "secret-message" not in result.text
    assert desk.rows("SELECT 1 FROM requesters") == []
    lines = log_lines.events("unexpected_error") + log_lines.events("database_error")
    assert [line["request_id"] for line in lines] == [document["request_id"]]
    assert lines[0]["exception"][0].split()[0] == type(error).__name__
    assert any("test_problems.py" in frame for frame in lines[0]["exception"])


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)  # only SQLite locks a whole database
def test_a_database_that_is_locked_is_503_and_worth_a_retry(desk: Desk) -> None:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    error = peewee.OperationalError("database is locked")
    error.__cause__ = locked

    result = Caller(_broken_app(desk, error)).post("/broken")

    problem(result, 503, "contention")
    assert result.headers["retry-after"] == "2"


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("57014", "database_timeout"),
        ("40P01", "contention"),
        ("55P03", "contention"),
        ("57P01", "unavailable"),
    ],
)
def test_what_postgresql_gives_up_is_503_with_its_own_code_and_nothing_is_half_written(
    desk: Desk, sqlstate: str, code: str
) -> None:
    class Refused(Exception):
        pgcode = sqlstate

    error = peewee.OperationalError("canceling statement due to secret-message")
    error.__cause__ = Refused()

    result = Caller(_broken_app(desk, error)).post("/broken")

    document = problem(result, 503, code)
    assert "secret-message" not in result.text
    assert ("reach" in document["detail"]) == (code == "unavailable")
    assert result.headers["retry-after"] == "2"
    assert desk.rows("SELECT 1 FROM requesters") == []
