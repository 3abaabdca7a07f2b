"""Who may do what: every route of the gateway against every role, and nobody."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from functions.gateway.app import operations
from functions.http.operations import Operation
from models.identity.rules import ROLE_PERMISSIONS, Permission, Role
from tests.functions.callers import ROLES, Caller, problem, sqlite_only

# Written down a second time on purpose: a change of a permission, or of what a route needs, is to be seen here.
EVERYBODY = {"admin", "manager", "accountant", "agent"}
DESK = {"admin", "manager", "agent"}
LEADERS = {"admin", "manager"}
ADMIN = {"admin"}
ALLOWED: dict[str, set[str]] = {
    "DELETE /v1/auth/tokens/current": EVERYBODY,
    "GET /v1/me": EVERYBODY,
    "POST /v1/me/password": EVERYBODY,
    "POST /v1/users": ADMIN,
    "POST /v1/users/{user}/invitations": ADMIN,
    "GET /v1/users": LEADERS,
    "GET /v1/users/{user}": LEADERS,
    "PATCH /v1/users/{user}": ADMIN,
    "POST /v1/api_keys": ADMIN,
    "GET /v1/api_keys": ADMIN,
    "DELETE /v1/api_keys/{key}": ADMIN,
    "POST /v1/tickets": DESK,
    "GET /v1/tickets": EVERYBODY,
    "GET /v1/tickets/{ticket}": EVERYBODY,
    "PATCH /v1/tickets/{ticket}": DESK,
    "GET /v1/tickets/{ticket}/transitions": EVERYBODY,
    "POST /v1/tickets/{ticket}/transitions": DESK,
    "PUT /v1/tickets/{ticket}/assignment": DESK,
    "POST /v1/tickets/{ticket}/signals": DESK,
    "GET /v1/tickets/{ticket}/events": EVERYBODY,
    "POST /v1/tickets/{ticket}/messages": DESK,
    "GET /v1/tickets/{ticket}/messages": EVERYBODY,
    "GET /v1/tickets/{ticket}/messages/{message}": EVERYBODY,
    "PATCH /v1/tickets/{ticket}/messages/{message}": DESK,
    "DELETE /v1/tickets/{ticket}/messages/{message}": DESK,
    "GET /v1/tickets/{ticket}/participants": EVERYBODY,
    "GET /v1/channels": DESK,
    "GET /v1/tickets/{ticket}/messages/{message}/html": EVERYBODY,
    "GET /v1/me/addresses": DESK,
    "POST /v1/me/address_links": DESK,
    "DELETE /v1/me/addresses/{channel}/{address}": DESK,
    "GET /v1/requesters": EVERYBODY,
    "GET /v1/requesters/{requester}": EVERYBODY,
    "PATCH /v1/requesters/{requester}": DESK,
    "POST /v1/requesters/{requester}/identities": DESK,
    "POST /v1/requesters/{requester}/identity_changes": DESK,
    "POST /v1/requesters/{requester}/merges": DESK,
    "GET /v1/requesters/{requester}/merges": EVERYBODY,
    "DELETE /v1/requesters/{requester}/merges/{merge}": DESK,
    "POST /v1/requesters/{requester}/links": DESK,
    "POST /v1/requesters/{requester}/codes": DESK,
    "POST /v1/requesters/{requester}/codes/{code}/verification": DESK,
    "GET /v1/requesters/{requester}/export": LEADERS,
    "POST /v1/requesters/{requester}/erasure": ADMIN,
    "POST /v1/attachments": DESK,
    "GET /v1/attachments/{attachment}": EVERYBODY,
    "GET /v1/channels/{channel}/{account}": DESK,
    "GET /v1/tickets/{ticket}/deliveries": DESK,
    "GET /v1/inbox": DESK,
    "GET /v1/inbox/{event}": DESK,
    "GET /v1/inbox/{event}/raw": DESK,
    "POST /v1/inbox/{event}/replay": LEADERS,
    "POST /v1/inbox/{event}/discard": LEADERS,
    "GET /v1/deliveries": DESK,
    "GET /v1/deliveries/{delivery}": DESK,
    "POST /v1/deliveries/{delivery}/retry": LEADERS,
    "POST /v1/deliveries/{delivery}/discard": LEADERS,
    "GET /v1/tasks": LEADERS,
    "GET /v1/tasks/{task}": LEADERS,
    "POST /v1/tasks/{task}/retry": LEADERS,
    "POST /v1/tasks/{task}/discard": LEADERS,
    "GET /v1/tickets/{ticket}/why": EVERYBODY,
    "GET /v1/tickets/{ticket}/approvals": EVERYBODY,
    "POST /v1/tickets/{ticket}/approvals/{approval}/votes": DESK,
    "GET /v1/tickets/{ticket}/links": EVERYBODY,
    "GET /v1/teams": EVERYBODY,
    "GET /v1/teams/{team}": EVERYBODY,
    "PUT /v1/teams/{team}/members": ADMIN,
    "GET /v1/me/notices": EVERYBODY,
    "PUT /v1/me/notices/{notice}/read": EVERYBODY,
    "GET /v1/workflows": DESK,
    "GET /v1/workflows/{workflow}": DESK,
    "GET /v1/workflows/{workflow}/versions": DESK,
    "GET /v1/workflows/{workflow}/versions/{version}": DESK,
    "POST /v1/workflows/{workflow}/versions": ADMIN,
    "PUT /v1/workflows/{workflow}/version_in_force": ADMIN,
    "POST /v1/workflows/{workflow}/check": DESK,
    "POST /v1/workflows/{workflow}/plan": DESK,
    "POST /v1/workflows/{workflow}/simulate": DESK,
    "GET /v1/model/types": DESK,
    "GET /v1/model/types/{type}": DESK,
    "GET /v1/model/types/{type}/schema": DESK,
    "GET /v1/model/entities/{entity}/schema": DESK,
    "POST /v1/model/types/{type}/check": DESK,
    "POST /v1/model/types/{type}/versions": ADMIN,
    "POST /v1/webhooks": ADMIN,
    "GET /v1/webhooks": ADMIN,
    "GET /v1/webhooks/schemas": ADMIN,
    "GET /v1/webhooks/schemas/{event_type}": ADMIN,
    "GET /v1/webhooks/{webhook}": ADMIN,
    "PATCH /v1/webhooks/{webhook}": ADMIN,
    "DELETE /v1/webhooks/{webhook}": ADMIN,
    "POST /v1/webhooks/{webhook}/rotate_secret": ADMIN,
    "POST /v1/webhooks/{webhook}/test": ADMIN,
    "GET /v1/webhooks/{webhook}/deliveries": ADMIN,
    "GET /v1/webhooks/{webhook}/deliveries/{delivery}": ADMIN,
    "POST /v1/webhooks/{webhook}/deliveries/{delivery}/replay": ADMIN,
    "POST /v1/webhooks/{webhook}/replay": ADMIN,
    "GET /v1/audit": ADMIN,
    "GET /v1/audit.csv": ADMIN,
}


def guarded() -> list[Operation]:
    return [operation for operation in operations().all if not operation.public]


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def ask(caller: Caller, operation: Operation) -> Any:
    """The route with an id that does not exist and a body that is none: what a caller gets who may
    is not 401 or 403.
    """
    path = re.sub(r"{\w+}", "00000000-0000-7000-8000-000000000000", operation.path)
    raw = b"[]" if operation.body is not None else b""
    return caller.ask(operation.method, path, raw=raw, headers={"Content-Type": "application/json"})


def test_every_guarded_route_is_in_the_table() -> None:
    assert {name_of(operation) for operation in guarded()} == ALLOWED.keys()


@sqlite_only
def test_each_role_may_what_the_table_says_and_nothing_else(as_role: Callable[[str], Caller]) -> None:
    for role in ROLES:
        caller = as_role(role)
        for operation in guarded():
            name, result = name_of(operation), ask(caller, operation)
            if role in ALLOWED[name]:
                assert result.status_code not in (401, 403, 500), f"{role}: {name}: {result.text}"
            else:
                assert operation.needs is not None
                document = problem(result, 403, "forbidden")
                assert str(operation.needs) in document["detail"], name


@sqlite_only
def test_nobody_may_nothing(stranger: Caller) -> None:
    for operation in guarded():
        problem(ask(stranger, operation), 401, "unauthenticated")


@sqlite_only
def test_me_tells_role_and_permissions(as_role: Callable[[str], Caller]) -> None:
    for role in ROLES:
        me = as_role(role).read("/v1/me")

        assert (me["kind"], me["role"]) == ("api_key", role)
        assert set(me["permissions"]) == {str(permission) for permission in ROLE_PERMISSIONS[Role(role)]}
    assert {str(permission) for permission in Permission} == set(as_role("admin").read("/v1/me")["permissions"])
