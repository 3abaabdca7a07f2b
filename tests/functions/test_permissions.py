"""Every route of the gateway against every role, against keys with one permission each, and without a caller.

`route_permissions.txt` is the expected matrix. A change of a route's permission, or of a role, must appear there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.gateway.app import operations
from functions.http.operations import Operation
from models.identity.rules import ROLE_PERMISSIONS, Permission, Role
from tests.functions.callers import ROLES, Caller, problem, sqlite_only


def matrix() -> dict[str, tuple[str | None, set[str]]]:
    """Route -> the permission that it needs, and the roles that may call it."""
    found: dict[str, tuple[str | None, set[str]]] = {}
    lines = Path(__file__).with_name("route_permissions.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("#"):
            continue
        method, path, permission, *answers = line.split()
        assert len(answers) == len(ROLES), line
        assert set(answers) <= {"yes", "no"}, line
        assert f"{method} {path}" not in found, f"{method} {path} has two lines"
        allowed = {role for role, answer in zip(ROLES, answers, strict=True) if answer == "yes"}
        found[f"{method} {path}"] = (None if permission == "-" else permission, allowed)
    return found


MATRIX = matrix()


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


def test_every_guarded_route_is_in_the_table_with_its_permission() -> None:
    declared = {name_of(operation): operation.needs and str(operation.needs) for operation in guarded()}

    assert {name: permission for name, (permission, _) in MATRIX.items()} == declared


def walk(caller: Caller, allowed: set[str]) -> None:
    """Call every guarded route; a refusal names the missing permission."""
    for operation in guarded():
        name, result = name_of(operation), ask(caller, operation)
        if name in allowed:
            assert result.status_code not in (401, 403, 500), f"{name}: {result.text}"
        else:
            document = problem(result, 403, "forbidden")
            assert str(MATRIX[name][0]) in document["detail"], name


@sqlite_only
@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_call_the_routes_of_the_table_and_no_others(as_role: Callable[[str], Caller], role: str) -> None:
    walk(as_role(role), {route for route, (_, roles) in MATRIX.items() if role in roles})


@sqlite_only
def test_a_key_with_one_permission_may_call_the_routes_that_need_it_and_no_others(
    gateway: Any, machine: Caller
) -> None:
    for permission in Permission:
        key = machine.made("/v1/api_keys", {"name": "narrow", "scopes": [permission]})["key"]

        allowed = {route for route, (needed, _) in MATRIX.items() if needed in (None, str(permission))}

        walk(Caller(gateway, key), allowed)


@sqlite_only
def test_nobody_may_nothing(stranger: Caller) -> None:
    for operation in guarded():
        problem(ask(stranger, operation), 401, "unauthenticated")


@sqlite_only
def test_me_shows_role_and_permissions(as_role: Callable[[str], Caller]) -> None:
    for role in ROLES:
        me = as_role(role).read("/v1/me")

        assert (me["kind"], me["role"]) == ("api_key", role)
        assert set(me["permissions"]) == {str(permission) for permission in ROLE_PERMISSIONS[Role(role)]}
    assert {str(permission) for permission in Permission} == set(as_role("admin").read("/v1/me")["permissions"])
