"""Every sensitive act becomes an audit entry with actor, object, and values before and after."""

from __future__ import annotations

from typing import Any

from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.conftest import sign_in


def entries(machine: Caller, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = machine.read("/v1/audit", params=parameters)["items"]
    return found


@sqlite_only
def test_a_new_role_is_shown_before_and_after_and_a_new_name_only_by_its_key(machine: Caller) -> None:
    user = machine.made(
        "/v1/users", {"email": "kea@example.test", "name": "Kea", "password": "a parrot named Kea", "role": "agent"}
    )
    etag = machine.get(f"/v1/users/{user['id']}").headers["etag"]
    machine.ask("PATCH", f"/v1/users/{user['id']}", {"role": "manager", "name": "Kea II"}, headers={"If-Match": etag})

    [entry] = entries(machine, action="user_updated", object_id=user["id"])

    assert entry["before"] == {"role": "agent"}
    assert entry["after"]["role"] == "manager"
    assert entry["after"]["changed"] == ["name", "role"]
    assert "Kea" not in str(entries(machine))
    assert "kea@example.test" not in str(entries(machine))


@sqlite_only
def test_sign_ins_and_their_failures_are_entries(machine: Caller, gateway: Any) -> None:
    sign_in(gateway, "agent@example.test")
    wrong = {"email": "agent@example.test", "password": "wrong horse battery"}
    problem(Caller(gateway).post("/v1/auth/tokens", wrong), 401)

    [done] = entries(machine, action="signed_in")
    [failed] = entries(machine, action="sign_in_failed")

    assert (done["actor_kind"], done["actor_id"]) == ("user", done["object_id"])
    assert (failed["actor_kind"], failed["actor_id"], failed["outcome"]) == ("anonymous", None, "failed")
    assert (failed["address"], failed["object_id"]) == ("127.0.0.1", done["object_id"])


@sqlite_only
def test_exports_erasures_merges_links_raw_downloads_and_teams_are_entries(machine: Caller, desk: Desk) -> None:
    first = desk.create_ticket(description="x", email="ada@example.test")
    second = desk.create_ticket(description="x", email="bob@example.test")
    ada, bob = (machine.read(f"/v1/tickets/{ticket.id}")["requester"]["id"] for ticket in (first, second))
    raw = desk.receive_raw("telegram", b"nonsense", content_type="application/json")
    team = machine.read("/v1/teams")["items"][0]

    machine.read(f"/v1/requesters/{ada}/export")
    merge = machine.made(f"/v1/requesters/{ada}/merges", {"source_id": bob})
    machine.ask("DELETE", f"/v1/requesters/{ada}/merges/{merge['id']}")
    machine.post(f"/v1/requesters/{ada}/links", {})
    machine.post(f"/v1/requesters/{bob}/erasure")
    machine.get(f"/v1/inbox/{raw}/raw")
    machine.ask("PUT", f"/v1/teams/{team['name']}/members", {"members": []}, headers={"If-Match": "*"})

    me = machine.read("/v1/me")["id"]
    acts = {(entry["action"], entry["object_id"]) for entry in entries(machine, actor_id=me)}
    assert {
        ("requester_exported", ada),
        ("requesters_merged", ada),
        ("requester_merge_undone", ada),
        ("link_created", ada),
        ("requester_erased", bob),
        ("raw_event_downloaded", str(raw)),
        ("team_members_set", team["name"]),
    } <= acts


@sqlite_only
def test_an_act_that_fails_leaves_no_entry(machine: Caller) -> None:
    before = len(entries(machine))

    nobody = "00000000-0000-7000-8000-000000000000"
    problem(machine.post(f"/v1/requesters/{nobody}/merges", {"source_id": nobody}), 409)
    problem(machine.post(f"/v1/requesters/{nobody}/erasure"), 404)

    assert len(entries(machine)) == before
