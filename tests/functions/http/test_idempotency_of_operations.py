"""Every POST operation of programs honours an Idempotency-Key, or refuses it because its response holds a secret."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from functions.gateway.app import operations
from functions.http import web
from functions.http.operations import Answer, Idempotency, Operation, Operations
from models.kernel.errors import Conflict
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, Caller, problem, sqlite_only

# A browser sends the form of a page, and a form cannot carry the header. The repeated form changes nothing (see
# test_rating_page).
FORMS = ["/v1/rating_pages/{token}"]
POSTS = [one for one in operations().all if one.method == "POST" and one.path not in FORMS]
KEY = {"Idempotency-Key": "a-key"}
# Names of members of a response that are secrets: a stored response would keep them for a day.
SECRETS = {"access_token", "challenge", "key", "recovery_codes", "refresh_token", "secret", "token"}


def named(operation: Operation) -> str:
    return operation.path


def holds_a_secret(operation: Operation) -> bool:
    members = {name for type_ in operation.answers.values() for name in getattr(type_, "__struct_fields__", ())}
    if operation.path.startswith("/v1/tasks"):
        members -= {"key"}  # the name of the sequence that a task belongs to
    return not members.isdisjoint(SECRETS)


def counted(operation: Operation, calls: list[str]) -> Operation:
    """The operation with a handler that only counts, so that every operation can be called without its rows."""

    def handler(call: Any) -> Answer:
        calls.append(operation.path)
        return Answer({"call": len(calls)}, status=201)

    return dataclasses.replace(operation, handler=handler, body=None, query=None, recent=False)


def asked(operation: Operation, calls: list[str], app: Any = None) -> Any:
    collected = Operations()
    collected.all.append(counted(operation, calls))
    caller = Caller(app or web.create_app("gateway", collected), DEMO_KEY)
    path = operation.path.replace("{", "").replace("}", "")
    return caller.post(path, headers=KEY)


@pytest.mark.parametrize("operation", POSTS, ids=named)
def test_a_key_is_refused_exactly_where_the_response_holds_a_secret(operation: Operation) -> None:
    assert (operation.idempotency is Idempotency.refused) == holds_a_secret(operation)
    assert operation.idempotency is not Idempotency.unneeded


@sqlite_only
@pytest.mark.parametrize("operation", [one for one in POSTS if one.idempotency is not Idempotency.handler], ids=named)
def test_a_post_runs_once_for_a_key_or_not_at_all(desk: Desk, operation: Operation) -> None:
    calls: list[str] = []

    answers = [asked(operation, calls) for _ in range(2)]

    if operation.idempotency is Idempotency.refused:
        for answer in answers:
            problem(answer, 400, "idempotency_key_refused")
        assert calls == []
    else:
        assert [answer.json for answer in answers] == [{"call": 1}, {"call": 1}]
        assert answers[1].headers["idempotency-replayed"] == "true"
        assert calls == [operation.path]


def test_only_forms_of_pages_do_without_a_key() -> None:
    """The programs that call the API always have the key as a means against a double effect."""
    without = [one for one in operations().all if one.idempotency is Idempotency.unneeded]

    assert [one.path for one in without] == FORMS
    assert all(one.raw == "application/x-www-form-urlencoded" for one in without)


def test_only_uploads_take_the_key_in_their_handler() -> None:
    assert [one.path for one in POSTS if one.idempotency is Idempotency.handler] == ["/v1/attachments"]


@sqlite_only
def test_a_repeated_upload_is_one_attachment_and_another_file_is_another_request(machine: Caller, desk: Desk) -> None:
    def upload(content: bytes, name: str = "a.txt") -> Any:
        headers = KEY | {"Content-Type": "text/plain"}
        return machine.post("/v1/attachments", raw=content, headers=headers, query_string=f"filename={name}")

    first, again = upload(b"the bytes"), upload(b"the bytes")

    assert (first.status_code, first.json["id"]) == (again.status_code, again.json["id"])
    assert (again.status_code, again.headers["location"]) == (201, first.headers["location"])
    assert len(desk.rows("SELECT id FROM attachments")) == 1
    problem(upload(b"other bytes"), 409, "idempotency_key_reused")
    problem(upload(b"the bytes", "b.txt"), 409, "idempotency_key_reused")
    problem(machine.post("/v1/tickets", {"title": "x"}, headers=KEY), 409, "idempotency_key_reused")


@sqlite_only
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/webhooks", {"url": "https://receiver.example/x"}),
        ("/v1/api_keys", {"name": "x", "role": "agent"}),
        ("/v1/auth/tokens", {"email": "agent@example.test", "password": "x"}),
    ],
)
def test_a_refused_key_has_no_effect(machine: Caller, desk: Desk, path: str, body: dict[str, str]) -> None:
    problem(machine.post(path, body, headers=KEY), 400, "idempotency_key_refused")

    assert desk.rows("SELECT id FROM subscriptions") == []
    assert desk.rows("SELECT key FROM idempotency_keys") == []


UNLOCKED = next(one for one in POSTS if one.path == "/v1/requesters/{requester}/link_confirmations")


@sqlite_only
def test_an_operation_with_own_transactions_gives_the_key_of_a_failed_request_back(desk: Desk) -> None:
    calls: list[str] = []

    def failing(call: Any) -> Answer:
        calls.append("failed")
        raise Conflict("not now")

    collected = Operations()
    collected.all.append(dataclasses.replace(counted(UNLOCKED, calls), handler=failing))
    problem(asked(UNLOCKED, calls, web.create_app("gateway", collected)), 409, "conflict")

    assert asked(UNLOCKED, calls).status_code == 201
    assert calls == ["failed", UNLOCKED.path]


@sqlite_only
def test_a_key_whose_request_has_no_response_yet_is_in_use(desk: Desk) -> None:
    calls: list[str] = []
    asked(UNLOCKED, calls)
    with database.connection(), database.transaction():
        database.execute("UPDATE idempotency_keys SET status = 0")

    problem(asked(UNLOCKED, calls), 409, "idempotency_key_in_use")

    assert len(calls) == 1
