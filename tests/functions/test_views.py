"""Views: saved filters, their tickets and counts, who may change them, and what becomes of a broken one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from models.kernel import clock
from models.kernel.storage import database
from models.ticket_lists.views import counts
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

URGENT = {"name": "Urgent", "filter": {"priority": ["urgent"]}, "columns": ["number", "title"], "sort": "-created_at"}


@pytest.fixture
def manager(as_user: Callable[[str], Caller]) -> Caller:
    return as_user("manager")


@pytest.fixture
def admin(as_user: Callable[[str], Caller]) -> Caller:
    return as_user("admin")


def titles(caller: Caller, view: str) -> set[str]:
    return {one["title"] for one in caller.read(f"/v1/views/{view}/tickets?fields=title")["items"]}


def counted(caller: Caller) -> dict[str, str | None]:
    return {
        one["view"]: None if one["tickets"] is None else one["tickets"]["text"]
        for one in caller.read("/v1/views/counts")["items"]
    }


def test_the_shipped_views_find_what_their_names_say(machine: Caller, agent: Caller, desk: Desk) -> None:
    mine = machine.ticket("Mine")
    machine.ask("PUT", f"/v1/tickets/{mine['id']}/assignment", {"assignee_id": desk.person("agent").id})
    machine.ticket("Free", description="It burns.", requester={"email": "ada@example.test"})
    failed = desk.create_ticket("Failed", email="bob@example.test")
    message_id = desk.reply(failed)
    waiting = desk.create_ticket("Waiting", email="eve@example.test", description="x")
    desk.reply(waiting)
    machine.ask("PUT", f"/v1/tickets/{machine.ticket('Snoozed')['id']}/snooze", {"until_answer": True})
    late = desk.create_ticket("Late")
    mentioned = machine.ticket("Mentioned")
    agent.made(f"/v1/tickets/{mentioned['id']}/messages", {"kind": "note", "body": "x"})
    with database.transaction():
        database.execute("UPDATE deliveries SET state = 'failed' WHERE message_id = :id", id=message_id)
        database.execute("UPDATE tickets SET next_due_at = NOW_PLUS(-60) WHERE id = :id", id=late.id)
        database.execute("UPDATE tickets SET category = 'todo' WHERE id <> :id", id=waiting.id)
        database.execute(
            "INSERT INTO ticket_followers (ticket_id, user_id, reason, created_at)"
            " VALUES (:ticket, :user, 'mentioned', NOW())",
            ticket=mentioned["id"],
            user=desk.person("agent").id,
        )

    away = {"away_until": (clock.now() + timedelta(hours=1)).isoformat()}
    agent.ask("PUT", "/v1/me/availability", away)

    found = {view["id"]: titles(agent, view["id"]) for view in agent.read("/v1/views")["items"]}

    everything = {"Mine", "Free", "Failed", "Waiting", "Late", "Mentioned"}
    assert found == {
        "mine": {"Mine"},
        "unassigned": everything - {"Mine"},
        "unanswered": {"Free"},
        "waiting": {"Waiting"},
        "overdue": {"Late"},
        "failed_sends": {"Failed"},
        "snoozed": {"Snoozed"},
        "mentions": {"Mentioned"},
        "assignee_away": {"Mine"},
        "all": everything,
    }
    assert counted(agent) == {view: str(len(shown)) for view, shown in found.items()}


def test_a_view_has_its_columns_and_order_and_other_ones_on_request(agent: Caller, desk: Desk) -> None:
    for title in ("One", "Two"):
        desk.create_ticket(title, priority="urgent")
    desk.create_ticket("Other")
    view = agent.made("/v1/views", URGENT)

    page = agent.read(f"/v1/views/{view['id']}/tickets?limit=1&total=true")
    rest = agent.read(f"/v1/views/{view['id']}/tickets", params={"limit": "1", "cursor": page["next_cursor"]})

    assert [one.keys() for one in page["items"]] == [{"id", "number", "title"}]
    assert [one["title"] for one in (*page["items"], *rest["items"])] == ["Two", "One"]
    assert page["total"]["count"] == 2
    other = agent.read(f"/v1/views/{view['id']}/tickets?fields=state&sort=created_at")["items"]
    assert [one.keys() for one in other] == [{"id", "state"}] * 2


@sqlite_only
def test_an_own_view_is_its_owners_alone(agent: Caller, manager: Caller, desk: Desk) -> None:
    view = agent.made("/v1/views", URGENT)

    assert [one["id"] for one in agent.read("/v1/views")["items"]][-1] == view["id"]
    assert view["id"] not in [one["id"] for one in manager.read("/v1/views")["items"]]
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/tickets", None),
        ("PATCH", "", {"name": "Theirs"}),
        ("DELETE", "", None),
    ):
        headers = {"If-Match": "*"} if method == "PATCH" else {}
        problem(manager.ask(method, f"/v1/views/{view['id']}{path}", body, headers=headers), 404)


@sqlite_only
def test_a_shared_view_needs_the_permission_and_is_everyones(agent: Caller, manager: Caller, desk: Desk) -> None:
    shared = {**URGENT, "scope": "all"}

    problem(agent.post("/v1/views", shared), 403, "shared_view")
    view = manager.made("/v1/views", shared)

    assert view["can_change"]
    assert not agent.read(f"/v1/views/{view['id']}")["can_change"]
    problem(agent.ask("DELETE", f"/v1/views/{view['id']}"), 403, "shared_view")
    manager.ask("PATCH", f"/v1/views/{view['id']}", {"sort": "title"}, headers={"If-Match": '"1"'})
    problem(manager.ask("PATCH", f"/v1/views/{view['id']}", {"name": "x"}, headers={"If-Match": '"1"'}), 412)
    assert manager.ask("DELETE", f"/v1/views/{view['id']}").status_code == 204
    events = desk.rows("SELECT event_type, payload FROM events WHERE aggregate = 'view' ORDER BY sequence")
    assert [one["event_type"] for one in events] == ["view_created", "view_updated", "view_deleted"]
    actions = [one["action"] for one in desk.rows("SELECT action FROM audit_entries WHERE object_kind = 'view'")]
    assert actions == ["view_created", "view_updated", "view_deleted"]


@sqlite_only
def test_an_own_view_writes_no_event_until_it_is_shared(manager: Caller, desk: Desk) -> None:
    view = manager.made("/v1/views", URGENT)
    manager.ask("PATCH", f"/v1/views/{view['id']}", {"name": "Mine"}, headers={"If-Match": "*"})
    assert desk.rows("SELECT 1 FROM events WHERE aggregate = 'view'") == []

    manager.ask("PATCH", f"/v1/views/{view['id']}", {"scope": "all"}, headers={"If-Match": "*"})

    assert len(desk.rows("SELECT 1 FROM events WHERE aggregate = 'view'")) == 1


@sqlite_only
def test_a_team_view_is_for_its_members_and_those_who_manage_views(
    agent: Caller, manager: Caller, admin: Caller, desk: Desk
) -> None:
    with database.transaction():
        database.execute("DELETE FROM team_members WHERE team = 'it'")
    view = manager.made("/v1/views", {**URGENT, "scope": "team", "team": "it"})

    problem(agent.get(f"/v1/views/{view['id']}"), 404)
    with database.transaction():
        database.execute(
            "INSERT INTO team_members (team, user_id) VALUES ('it', :user) ON CONFLICT DO NOTHING",
            user=desk.person("agent").id,
        )
    assert agent.read(f"/v1/views/{view['id']}")["team"] == "it"
    assert admin.read(f"/v1/views/{view['id']}")["can_change"]


@sqlite_only
@pytest.mark.parametrize(
    ("changes", "status", "path"),
    [
        ({"filter": {"state": ["slved"]}}, 422, "/filter/state/0"),
        ({"filter": {"colour": ["red"]}}, 422, "/filter"),
        ({"filter": {"requester_address": ["ada@example.test"]}}, 422, "/filter/requester_address"),
        ({"filter": {"due_until": "soon"}}, 422, "/filter/due_until"),
        ({"columns": ["colour"]}, 422, "/columns/0"),
        ({"sort": "colour"}, 422, "/sort"),
        ({"scope": "shipped"}, 422, "/scope"),
        ({"team": "it"}, 422, "/team"),
        ({"name": " "}, 422, "/name"),
    ],
)
def test_a_wrong_view_is_refused_with_the_place(
    manager: Caller, desk: Desk, changes: dict[str, Any], status: int, path: str
) -> None:
    found = problem(manager.post("/v1/views", {**URGENT, **changes}), status)

    assert [one["path"] for one in found["errors"]] == [path]


@sqlite_only
def test_the_shipped_views_cannot_be_changed(manager: Caller, desk: Desk) -> None:
    problem(manager.ask("DELETE", "/v1/views/mine"), 409, "shipped_view")
    problem(manager.ask("PATCH", "/v1/views/mine", {"name": "x"}, headers={"If-Match": "*"}), 409, "shipped_view")


def test_a_view_whose_filter_names_nothing_any_more_says_so_and_the_others_go_on(agent: Caller, desk: Desk) -> None:
    desk.create_ticket("One", priority="urgent")
    broken = agent.made("/v1/views", {**URGENT, "filter": {"team": ["it"]}})["id"]
    older = agent.made("/v1/views", URGENT)["id"]
    sound = agent.made("/v1/views", URGENT)["id"]
    with database.transaction():
        database.execute(
            "UPDATE ticket_views SET filter = :filter WHERE id = :id", filter='{"team":["gone"]}', id=broken
        )
        database.execute(
            "UPDATE ticket_views SET filter = :filter WHERE id = :id", filter='{"moon":["full"]}', id=older
        )

    found = {one["id"]: one["problem"] for one in agent.read("/v1/views")["items"]}
    assert "gone" in found[broken]
    assert "moon" in found[older]
    assert found[sound] is None
    assert [counted(agent)[one] for one in (broken, older, sound)] == [None, None, "1"]
    for view in (broken, older):
        problem(agent.get(f"/v1/views/{view}/tickets"), 409, "view_broken")
    mended = agent.ask("PATCH", f"/v1/views/{older}", {"filter": {}}, headers={"If-Match": "*"}).json
    assert mended["problem"] is None


@sqlite_only
def test_counts_are_304_until_something_happens(agent: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.gateway.lists.views.counts_fresh_s", 10**9)
    first = agent.get("/v1/views/counts")
    etag = first.headers["ETag"]

    again = agent.get("/v1/views/counts", headers={"If-None-Match": etag})
    assert (again.status_code, again.text) == (304, "")
    desk.create_ticket("New")
    after = agent.get("/v1/views/counts", headers={"If-None-Match": etag})
    assert after.status_code == 200
    assert after.headers["ETag"] != etag
    agent.made("/v1/views", URGENT)
    assert agent.get("/v1/views/counts", headers={"If-None-Match": after.headers["ETag"]}).status_code == 200


@sqlite_only
def test_a_count_ends_at_its_bound(agent: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "counted_max", 2)
    for number in range(3):
        desk.create_ticket(f"Ticket {number}")

    assert counted(agent)["all"] == "2+"


def test_views_and_their_counts_show_only_tickets_that_the_caller_sees(
    agent: Caller, admin: Caller, desk: Desk
) -> None:
    with database.transaction():
        database.execute("UPDATE teams SET visibility = 'members' WHERE name = 'it'")
        database.execute("DELETE FROM team_members WHERE team = 'it'")
    desk.create_ticket("Hidden", team="it")
    desk.create_ticket("Open")

    assert titles(agent, "all") == {"Open"}
    assert counted(agent)["all"] == "1"
    assert counted(admin)["all"] == "2"


@sqlite_only
def test_the_views_of_who_leaves_are_handed_over_or_removed(agent: Caller, admin: Caller, desk: Desk) -> None:
    leaving, staying = desk.person("agent").id, desk.person("manager").id
    agent.made("/v1/views", URGENT)
    assert admin.read(f"/v1/users/{leaving}/holdings")["views"] == 1

    handed = admin.made(f"/v1/users/{leaving}/handovers", {"to": staying})
    assert handed["views"] == 1
    agent.made("/v1/views", URGENT)
    admin.ask("PATCH", f"/v1/users/{leaving}", {"active": False}, headers={"If-Match": "*"})

    assert [str(row["owner_id"]) for row in desk.rows("SELECT owner_id FROM ticket_views")] == [str(staying)]
