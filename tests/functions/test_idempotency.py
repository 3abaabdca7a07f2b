"""Idempotency-Key: one effect however often, and at once, it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from falcon import testing

from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, Caller, problem, sqlite_only

KEY = {"Idempotency-Key": "a-key"}


def test_the_same_request_gets_the_stored_answer_and_has_one_effect(machine: Caller, desk: Desk) -> None:
    body = {"title": "Printer", "description": "x", "requester": {"email": "ada@example.test"}}

    first = machine.post("/v1/tickets", body, headers=KEY)
    second = machine.post("/v1/tickets", body, headers=KEY)

    assert first.status_code == second.status_code == 201
    assert second.text == first.text
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    for header in ("location", "etag", "content-type"):
        assert second.headers[header] == first.headers[header]
    assert len(desk.tickets()) == 1
    assert len(desk.tasks(kind="send_delivery")) == 1


def test_the_stored_answer_is_the_one_of_then(machine: Caller) -> None:
    body = {"title": "Printer"}
    first = machine.post("/v1/tickets", body, headers=KEY)
    machine.ask("PATCH", first.headers["location"], {"title": "Fax"}, headers={"If-Match": "*"})

    assert machine.post("/v1/tickets", body, headers=KEY).json["title"] == "Printer"


@sqlite_only
@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/tickets", {"title": "Fax"}, {}),
        ("/v1/tickets?x=1", {"title": "Printer"}, {}),
        ("/v1/tickets/1/messages", {"kind": "note", "body": "x"}, {}),
        ("/v1/tickets", {"title": "Printer"}, {"If-Match": '"1"'}),
    ],
)
def test_another_request_with_the_same_key_is_409(
    machine: Caller, path: str, body: Any, headers: dict[str, str], desk: Desk
) -> None:
    machine.made("/v1/tickets", {"title": "Printer"}, headers=KEY)
    bare, _, query = path.partition("?")

    result = machine.post(bare, body, headers=KEY | headers, query_string=query)

    problem(result, 409, "idempotency_key_reused")
    assert len(desk.tickets()) == 1
    assert len(desk.messages(desk.ticket())) == 0


def test_eight_at_once_have_one_effect_and_get_one_answer(gateway: Any, machine: Caller, desk: Desk) -> None:
    post = partial(machine.post, "/v1/tickets", {"title": "Printer"}, headers=KEY)

    results: list[testing.Result] = desk.in_threads(*[post] * 8)

    assert {result.status_code for result in results} == {201}
    assert len({result.text for result in results}) == 1
    assert sum("idempotency-replayed" not in result.headers for result in results) == 1
    assert len(desk.tickets()) == 1


def test_eight_different_requests_with_one_key_make_one_ticket(gateway: Any, desk: Desk) -> None:
    callers = [
        partial(Caller(gateway, DEMO_KEY).post, "/v1/tickets", {"title": f"Printer {n}"}, headers=KEY) for n in range(8)
    ]

    results: list[testing.Result] = desk.in_threads(*callers)

    assert sorted(result.status_code for result in results) == [201] + [409] * 7
    assert len(desk.tickets()) == 1


def test_a_failed_request_leaves_its_key_free(machine: Caller, desk: Desk) -> None:
    problem(machine.post("/v1/tickets", {"title": ""}, headers=KEY), 422)
    problem(machine.post("/v1/tickets/9/messages", {"kind": "note", "body": "x"}, headers=KEY), 404)
    problem(machine.post("/v1/tickets", {"title": "x", "priority": "soon"}, headers=KEY), 422)

    assert machine.post("/v1/tickets", {"title": "Printer"}, headers=KEY).status_code == 201
    assert [ticket.title for ticket in desk.tickets()] == ["Printer"]


def test_a_refused_transition_is_an_answer_and_is_recorded_once(machine: Caller) -> None:
    number = machine.ticket()["number"]
    path, body = f"/v1/tickets/{number}/transitions", {"transition": "close"}

    first = machine.post(path, body, headers=KEY)
    second = machine.post(path, body, headers=KEY)

    assert problem(first, 409)["reasons"]
    assert second.status_code == 409
    assert second.headers["content-type"] == "application/problem+json"
    assert second.text == first.text
    events = [e["event_type"] for e in machine.read(f"/v1/tickets/{number}/events")["items"]]
    assert events.count("transition_refused") == 1


def test_a_key_belongs_to_its_caller(machine: Caller, as_role: Callable[[str], Caller], desk: Desk) -> None:
    other = as_role("agent")

    machine.made("/v1/tickets", {"title": "Printer"}, headers=KEY)
    result = other.post("/v1/tickets", {"title": "Printer"}, headers=KEY)

    assert "idempotency-replayed" not in result.headers
    assert len(desk.tickets()) == 2


@sqlite_only
@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 201, "ключ", "a\tb"])
def test_a_key_is_visible_ascii(machine: Caller, key: str, desk: Desk) -> None:
    result = machine.post("/v1/tickets", {"title": "x"}, headers={"Idempotency-Key": key})

    problem(result, 400, "bad_request")
    assert desk.tickets() == []


def test_reading_takes_no_key(machine: Caller, desk: Desk) -> None:
    assert machine.get("/v1/tickets", headers=KEY).status_code == 200
    assert desk.rows("SELECT 1 FROM idempotency_keys") == []


def test_nothing_of_a_body_with_a_password_is_kept(machine: Caller, desk: Desk) -> None:
    user = {"email": "new@example.test", "name": "New", "password": "secret-word-of-mine", "role": "agent"}

    first = machine.post("/v1/users", user, headers=KEY)
    second = machine.post("/v1/users", user, headers=KEY)

    assert (first.status_code, second.text) == (201, first.text)
    kept = desk.rows("SELECT * FROM idempotency_keys")
    assert len(kept) == 1
    assert "secret-word" not in str(kept)
