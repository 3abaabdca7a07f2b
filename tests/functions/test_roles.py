"""Custom roles: made of named permissions, given by people who have these permissions themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.identity.rules import ROLE_PERMISSIONS, SHIPPED_RIGHTS, Permission, Rights, Role
from models.kernel.storage import database
from models.teams import queries as teams
from tests.desk import Desk
from tests.functions.callers import PASSWORD, Caller, paths, problem, sqlite_only
from tests.functions.conftest import sign_in

LEAD = {"name": "people-lead", "permissions": ["tickets_read", "users_read", "users_manage", "api_keys_manage"]}
NEW = {"email": "nina@example.test", "name": "Nina New", "password": "secret-parrot-word"}


def holder_of(gateway: Any, machine: Caller, role: str) -> Caller:
    return Caller(gateway, machine.made("/v1/api_keys", {"name": f"{role} for a test", "role": role})["key"])


@sqlite_only
def test_the_api_describes_each_permission_in_a_sentence(machine: Caller) -> None:
    listed = machine.read("/v1/permissions")["items"]

    assert [one["name"] for one in listed] == [str(permission) for permission in Permission]
    assert all(one["description"].endswith(".") and one["description"][0].isupper() for one in listed)


@sqlite_only
def test_the_api_lists_the_shipped_roles_with_their_permissions(machine: Caller) -> None:
    listed = machine.read("/v1/roles")["items"]

    assert {role["name"]: set(role["permissions"]) for role in listed} == {
        str(role): {str(one) for one in permissions} for role, permissions in ROLE_PERMISSIONS.items()
    }
    assert all(role["shipped"] and role["based_on"] == role["name"] for role in listed)


def test_a_custom_role_gives_its_permissions_until_it_is_changed(gateway: Any, machine: Caller) -> None:
    made = machine.post("/v1/roles", {"name": "reader", "permissions": ["tickets_read"], "description": "Reads."})
    reader = holder_of(gateway, machine, "reader")
    me = reader.read("/v1/me")
    allowed, refused = reader.get("/v1/tickets").status_code, reader.get("/v1/inbox")

    changed = machine.ask(
        "PATCH", "/v1/roles/reader", {"permissions": ["inbox_read"]}, headers={"If-Match": made.headers["etag"]}
    )

    assert (me["role"], me["based_on"], me["permissions"]) == ("reader", "agent", ["tickets_read"])
    assert allowed == 200
    assert "inbox_read" in problem(refused, 403, "forbidden")["detail"]
    assert (changed.json["version"], changed.json["permissions"]) == (2, ["inbox_read"])
    problem(reader.get("/v1/tickets"), 403, "forbidden")
    assert reader.get("/v1/inbox").status_code == 200


def test_users_of_a_custom_role_are_given_tickets_if_it_works_on_tickets(desk: Desk, machine: Caller) -> None:
    machine.made("/v1/roles", {"name": "shift-lead", "permissions": ["tickets_read", "tickets_write"]})
    machine.made("/v1/roles", {"name": "auditor", "permissions": ["tickets_read"]})
    lead = machine.made("/v1/users", NEW | {"role": "shift-lead"})
    auditor = machine.made(
        "/v1/users", NEW | {"email": "audit@example.test", "name": "Anna Auditor", "role": "auditor"}
    )
    path = f"/v1/tickets/{machine.ticket()['id']}/assignment"
    desk.run_due()

    given = machine.ask("PUT", path, {"assignee_id": lead["id"]})
    refused = machine.ask("PUT", path, {"assignee_id": auditor["id"]})

    assert given.json["assignee"]["id"] == lead["id"], given.text
    problem(refused, 422)
    with database.connection():
        names = {candidate.name for candidate in teams.roster(None)}
    assert "Nina New" in names
    assert "Anna Auditor" not in names


@sqlite_only
def test_life_cycles_and_fields_see_the_shipped_role_that_a_custom_role_is_based_on(
    gateway: Any, machine: Caller
) -> None:
    machine.made("/v1/roles", {"name": "lead", "permissions": ["tickets_read", "tickets_write"], "based_on": "manager"})

    me = holder_of(gateway, machine, "lead").read("/v1/me")

    assert (me["role"], me["based_on"]) == ("lead", "manager")


@sqlite_only
@pytest.mark.parametrize(
    "body",
    [
        {"name": "admin", "permissions": []},
        {"name": "automation", "permissions": []},
        {"name": "requester", "permissions": []},
        {"name": "Lead", "permissions": []},
        {"name": "", "permissions": []},
        {"name": "x" * 61, "permissions": []},
        {"name": "lead", "permissions": ["everything"]},
        {"name": "lead", "permissions": ["tickets_read "]},
        {"name": "lead", "permissions": [], "based_on": "king"},
        {"name": "lead", "permissions": [], "description": "two\nlines"},
        {"name": "lead"},
    ],
)
def test_a_role_that_makes_no_sense_is_refused(machine: Caller, body: dict[str, Any]) -> None:
    problem(machine.post("/v1/roles", body), 422)

    assert len(machine.read("/v1/roles")["items"]) == len(Role)


@sqlite_only
def test_a_name_is_taken_once_and_shipped_roles_stay(machine: Caller) -> None:
    machine.made("/v1/roles", LEAD)

    problem(machine.post("/v1/roles", LEAD), 409, "role_taken")
    for method, body in (("PATCH", {"permissions": []}), ("DELETE", None)):
        problem(machine.ask(method, "/v1/roles/agent", body, headers={"If-Match": "*"}), 409, "shipped_role")
        problem(machine.ask(method, "/v1/roles/nobody", body, headers={"If-Match": "*"}), 404)


def test_a_role_in_use_is_not_deleted(gateway: Any, machine: Caller) -> None:
    machine.made("/v1/roles", LEAD)
    key = machine.made("/v1/api_keys", {"name": "k", "role": "people-lead"})

    problem(machine.ask("DELETE", "/v1/roles/people-lead"), 409, "role_in_use")
    machine.ask("DELETE", f"/v1/api_keys/{key['id']}")
    nina = machine.post("/v1/users", NEW | {"role": "people-lead"})
    problem(machine.ask("DELETE", "/v1/roles/people-lead"), 409, "role_in_use")
    machine.ask("PATCH", nina.headers["location"], {"role": "agent"}, headers={"If-Match": "*"})

    assert machine.ask("DELETE", "/v1/roles/people-lead").status_code == 204
    problem(machine.post("/v1/users", NEW | {"email": "x@example.test", "role": "people-lead"}), 422)


def test_nobody_gives_a_role_with_more_permissions_than_they_have(gateway: Any, machine: Caller) -> None:
    machine.made("/v1/roles", LEAD)
    lead = holder_of(gateway, machine, "people-lead")

    for role in ("admin", "manager", "agent", "accountant"):
        refused = problem(lead.post("/v1/users", NEW | {"role": role}), 403, "more_than_yours")
        assert "which you do not have" in refused["detail"]
        problem(lead.post("/v1/api_keys", {"name": "k", "role": role}), 403, "more_than_yours")

    assert lead.post("/v1/users", NEW | {"role": "people-lead"}).status_code == 201


def test_who_manages_users_does_not_take_over_a_user_with_more_permissions(gateway: Any, machine: Caller) -> None:
    machine.made("/v1/roles", LEAD)
    lead = holder_of(gateway, machine, "people-lead")
    admin = next(one for one in machine.read("/v1/users")["items"] if one["role"] == "admin")

    for changes in (
        {"password": "secret-parrot-word"},
        {"email": "mine@example.test"},
        {"role": "people-lead"},
        {"active": False},
    ):
        refused = lead.ask("PATCH", f"/v1/users/{admin['id']}", changes, headers={"If-Match": "*"})
        problem(refused, 403, "more_than_yours")

    assert sign_in(gateway, "admin@example.test", PASSWORD)


def test_who_manages_roles_does_not_make_a_role_with_more_permissions(gateway: Any, machine: Caller) -> None:
    machine.made("/v1/roles", {"name": "role-keeper", "permissions": ["roles_manage", "users_read"]})
    machine.made("/v1/roles", {"name": "strong", "permissions": ["requesters_erase"]})
    keeper = holder_of(gateway, machine, "role-keeper")
    etag = {"If-Match": "*"}

    problem(keeper.post("/v1/roles", {"name": "mine", "permissions": ["tickets_read"]}), 403, "more_than_yours")
    based = {"name": "mine", "permissions": [], "based_on": "manager"}
    problem(keeper.post("/v1/roles", based), 403, "more_than_yours")
    grown = keeper.ask("PATCH", "/v1/roles/role-keeper", {"permissions": ["tasks_manage"]}, headers=etag)
    problem(grown, 403, "more_than_yours")
    problem(keeper.ask("PATCH", "/v1/roles/strong", {"permissions": []}, headers=etag), 403, "more_than_yours")
    problem(keeper.ask("DELETE", "/v1/roles/strong"), 403, "more_than_yours")
    assert keeper.post("/v1/roles", {"name": "mine", "permissions": ["users_read"]}).status_code == 201


def test_roles_leave_their_history(machine: Caller, desk: Desk) -> None:
    machine.made("/v1/roles", {"name": "reader", "permissions": ["tickets_read"]})
    machine.ask("PATCH", "/v1/roles/reader", {"permissions": []}, headers={"If-Match": "*"})
    machine.ask("PATCH", "/v1/roles/reader", {"permissions": []}, headers={"If-Match": "*"})
    machine.ask("DELETE", "/v1/roles/reader")

    rows = desk.rows("SELECT event_type, actor_kind FROM events WHERE aggregate = 'role' ORDER BY sequence")

    assert [row["event_type"] for row in rows] == ["role_created", "role_updated", "role_deleted"]
    assert {row["actor_kind"] for row in rows} == {"api_key"}


PERMISSIONS = st.frozensets(st.sampled_from(Permission))
RIGHTS = st.builds(Rights, st.just("x"), st.sampled_from(Role), PERMISSIONS)


@given(giver=RIGHTS, gift=RIGHTS)
def test_rights_that_are_given_never_exceed_the_rights_of_the_giver(giver: Rights, gift: Rights) -> None:
    if giver.covers(gift):
        assert gift.permissions <= giver.permissions
        assert gift.role is giver.role or ROLE_PERMISSIONS[gift.role] <= giver.permissions


@given(a=RIGHTS, b=RIGHTS, c=RIGHTS)
def test_a_chain_of_gifts_gives_no_more_than_its_first_giver_has(a: Rights, b: Rights, c: Rights) -> None:
    if a.covers(b) and b.covers(c):
        assert c.permissions <= a.permissions
    assert SHIPPED_RIGHTS["admin"].covers(a)


@sqlite_only
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=PERMISSIONS, wanted=PERMISSIONS, number=st.integers(0, 10**9))
def test_the_api_gives_a_role_exactly_when_the_caller_has_its_permissions(
    gateway: Any, machine: Caller, held: frozenset[Permission], wanted: frozenset[Permission], number: int
) -> None:
    held |= {Permission.roles_manage, Permission.users_read}
    suffix = f"{number}-{len(machine.read('/v1/roles')['items'])}"
    machine.made("/v1/roles", {"name": f"giver-{suffix}", "permissions": sorted(held)})
    giver = holder_of(gateway, machine, f"giver-{suffix}")

    result = giver.post("/v1/roles", {"name": f"gift-{suffix}", "permissions": sorted(wanted)})

    assert result.status_code == (201 if wanted <= held else 403)
    names = {role["name"] for role in machine.read("/v1/roles")["items"]}
    assert (f"gift-{suffix}" in names) == (wanted <= held)


@sqlite_only
def test_a_bad_list_filter_names_the_roles(machine: Caller) -> None:
    machine.made("/v1/roles", LEAD)

    assert machine.read("/v1/users", params={"role": "people-lead"})["items"] == []
    assert paths(problem(machine.get("/v1/users", params={"role": "boss"}), 422)) == ["?role"]
