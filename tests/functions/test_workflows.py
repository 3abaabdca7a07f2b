"""Life cycles and ticket types over the API: read, checked, planned, tried, published; and why a
ticket is what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.kernel.storage import database
from models.teams import commands as teams
from scripts import defs
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

SUPPORT = (defs.ROOT / "support" / "workflow.yaml").read_text()
QUESTION = (defs.ROOT / "model" / "question.yaml").read_text()


def test_life_cycles_in_force_are_listed_with_their_versions(machine: Caller) -> None:
    listed = machine.read("/v1/workflows")["items"]
    one = machine.read("/v1/workflows/incident")
    versions = machine.read("/v1/workflows/incident/versions")["items"]

    assert {item["name"] for item in listed} == {"support", "incident", "purchase", "access-request", "task"}
    assert list(one["definition"]["states"])[:2] == [
        "reported",
        "investigating",
    ]  # the order of the file, on both databases
    assert (versions[0]["version"], versions[0]["in_force"]) == (1, True)
    assert machine.read("/v1/workflows/incident/versions/1")["version"] == 1
    for missing in (
        "/v1/workflows/nothing",
        "/v1/workflows/incident/versions/9",
        "/v1/workflows/nothing/versions",
    ):
        assert machine.ask("GET", missing).status_code == 404


def test_a_draft_is_published_put_in_force_and_rolled_back(machine: Caller) -> None:
    draft = SUPPORT.replace("after: 7d", "after: 3d")

    made = machine.post("/v1/workflows/support/versions", {"source": draft, "reason": "shorter"})
    again = machine.post("/v1/workflows/support/versions", {"source": draft})
    back = machine.ask("PUT", "/v1/workflows/support/version_in_force", {"version": 1, "reason": "too short"})

    assert (made.status_code, made.json["version"], again.status_code) == (201, 2, 200)
    assert back.json["version"] == 1
    newest, first = machine.read("/v1/workflows/support/versions")["items"]
    assert (newest["in_force"], first["in_force"]) == (False, True)
    assert [one["reason"] for one in first["activations"]] == ["published", "too short"]


def test_a_wrong_draft_is_reported_with_line_and_column_and_changes_nothing(machine: Caller) -> None:
    draft = SUPPORT.replace(
        "  resolve:\n    from: [new, open, waiting_on_requester]\n    to: solved",
        "  resolve:\n    from: [new, open, waiting_on_requester]\n    to: sovled",
    )

    checked = machine.post("/v1/workflows/support/check", {"source": draft}).json
    refused = problem(machine.post("/v1/workflows/support/versions", {"source": draft}), 422, "invalid")

    [finding] = checked["findings"]
    assert (checked["publishable"], finding["severity"], finding["path"]) == (
        False,
        "error",
        ".transitions.resolve.to",
    )
    assert finding["line"] == draft[: draft.index("sovled")].count("\n") + 1
    assert "did you mean solved?" in finding["message"]
    assert refused["errors"][0]["path"] == "/source"
    assert len(machine.read("/v1/workflows/support/versions")["items"]) == 1


@sqlite_only
def test_a_body_that_is_no_draft_is_reported_in_the_same_way(machine: Caller) -> None:
    for source, told in (
        ("a: [", "expected"),
        ("- x", "expected a mapping"),
        (QUESTION, "expected a workflow, found model"),
        (SUPPORT.replace("workflow: support", "workflow: other"), "expected support, found other"),
        ("include: [x.yaml]\n" + SUPPORT, "there is no file 'support/x.yaml'"),
        ("a: &a [1]\n" + "\n".join(f"b{n}: *a" for n in range(200)), "at most 100 aliases"),
    ):
        [finding, *_] = machine.post("/v1/workflows/support/check", {"source": source}).json["findings"]
        assert told in finding["message"], source[:40]


def test_a_plan_counts_live_tickets(machine: Caller, desk: Desk) -> None:
    desk.transition(desk.create_ticket(), "resolve")

    planned = machine.post("/v1/workflows/support/plan", {"source": SUPPORT.replace("solved", "answered")}).json

    assert (planned["action"], planned["version"], planned["states_gone"]) == ("changed", 2, {"solved": 1})


def test_a_simulation_shows_the_effects_of_each_step_and_the_possible_next_ones(machine: Caller) -> None:
    body = {
        "people": {"olga": {"teams": ["oncall"]}},
        "given": {"priority": "urgent"},
        "steps": [{"when": {"wait": "15m"}}, {"when": {"transition": {"name": "resolve", "by": "olga"}}}],
    }

    told = machine.post("/v1/workflows/incident/simulate", body).json

    assert told["ticket"]["sla"]["first_response"] == "breached"
    assert told["steps"][-1]["acts"][0]["kind"] == "refused"
    assert any(option["transition"] == "investigate" and option["possible"] for option in told["options"])
    wrong = machine.post("/v1/workflows/incident/simulate", {"steps": [{"when": {"reply": "nobody"}}]})
    assert problem(wrong, 422, "invalid")["errors"][0]["path"] == "/steps/0"


def test_a_new_field_is_taken_at_once_and_a_used_one_is_not_removed(machine: Caller) -> None:
    more = QUESTION + "  room: {kind: number, label: {en: Room, ru: Комната}}\n"
    assert machine.post("/v1/model/types/question/versions", {"source": more}).status_code == 201

    document = machine.read("/v1/model/types/question/schema?language=ru")
    wrong = machine.post("/v1/tickets", {"title": "x", "fields": {"room": "seven"}})
    machine.made("/v1/tickets", {"title": "x", "fields": {"room": 7}})
    refused = machine.post("/v1/model/types/question/versions", {"source": QUESTION})

    assert document["properties"]["room"]["title"] == "Комната"
    assert problem(wrong, 422, "invalid")["errors"] == [
        {"path": "/fields/room", "message": "expected a number, found 'seven'"}
    ]
    assert "1 tickets have a value in it" in problem(refused, 422, "invalid")["errors"][0]["message"]
    assert {one["type"] for one in machine.read("/v1/model/types")["items"]} >= {
        "question",
        "incident",
        "purchase",
    }


def test_a_schema_says_what_the_callers_role_may_not_set(machine: Caller, as_role: Callable[[str], Caller]) -> None:
    path = "/v1/model/entities/requester/schema"

    assert as_role("agent").read(path)["properties"]["vip"]["readOnly"]
    assert "readOnly" not in machine.read(path)["properties"]["vip"]


def test_a_refused_move_says_who_was_first(machine: Caller, as_user: Callable[[str], Caller]) -> None:
    ticket = machine.ticket()
    path = f"/v1/tickets/{ticket['id']}/transitions"
    as_user("agent").made(path, {"transition": "resolve"})

    late = problem(machine.post(path, {"transition": "resolve"}), 409, "transition_refused")
    stale = machine.ask("POST", path, {"transition": "reopen"}, headers={"If-Match": '"1"'})

    assert late["state"] == "solved"
    assert (late["last_move"]["to"], late["last_move"]["actor_kind"]) == ("solved", "user")
    assert stale.status_code == 412


def test_why_names_rules_values_timers_and_promises(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(type="incident", priority="urgent", requester={"email": "ada@example.test"})

    told = machine.read(f"/v1/tickets/{ticket['id']}/why")

    assert (told["workflow"], told["state"]) == ("incident", "reported")
    rules = {rule["rule"]: rule for decision in told["decisions"] for rule in decision["rules"]}
    assert rules["acknowledge"]["outcome"] == "acted"
    assert rules["acknowledge"]["values"]["message.author_kind"] == "requester"
    assert {timer["timer"] for timer in told["timers"]} == {
        "remind_unassigned",
        "sla:first_response",
        "sla:resolution",
    }
    assert [one["target"] for one in told["promises"]] == ["first_response", "resolution"]


def test_approvals_are_voted_on_over_the_api(machine: Caller, desk: Desk, as_user: Callable[[str], Caller]) -> None:
    agent = as_user("agent")
    me = agent.read("/v1/me")["id"]
    machine.ask("PUT", "/v1/teams/approvers/members", {"members": [me]})
    ticket = machine.ticket(type="access-request", fields={"system": "crm"})
    path = f"/v1/tickets/{ticket['id']}/approvals"
    [pending] = machine.read(path)["items"]

    foreign = machine.post(f"{path}/{pending['id']}/votes", {"vote": "approve"})
    voted = agent.post(f"{path}/{pending['id']}/votes", {"vote": "approve", "comment": "fine"})

    assert "are for members of approvers" in problem(foreign, 409, "transition_refused")["reasons"][0]
    assert (voted.status_code, voted.json["state"]) == (200, "provisioning")
    [decided] = machine.read(path)["items"]
    assert (decided["state"], decided["votes"][0]["comment"]) == ("approved", "fine")
    assert machine.read("/v1/teams/approvers")["members"] == [me]


def test_a_team_that_does_not_exist_is_refused(machine: Caller) -> None:
    assert (
        "expected a team"
        in problem(machine.post("/v1/tickets", {"title": "x", "team": "ghosts"}), 422, "invalid")["detail"]
    )
    assert machine.made("/v1/tickets", {"title": "x", "team": "it", "tags": ["vip", "vip"]})["tags"] == ["vip"]
    assert [one["team"] for one in machine.read("/v1/tickets?team=it&tag=vip")["items"]] == ["it"]


def test_notices_are_read_once(machine: Caller, desk: Desk, as_user: Callable[[str], Caller]) -> None:
    agent = as_user("agent")
    me = agent.read("/v1/me")["id"]
    with database.transaction():
        teams.set_members("approvers", [me], expected_version=None)
    machine.ticket(type="access-request", fields={"system": "crm"})

    [notice] = agent.read("/v1/me/notices?unread=true")["items"]
    done: Any = agent.ask("PUT", f"/v1/me/notices/{notice['id']}/read")

    assert done.status_code == 204
    assert agent.read("/v1/me/notices?unread=true")["items"] == []
    assert machine.ask("PUT", f"/v1/me/notices/{notice['id']}/read").status_code == 404


def test_a_search_looks_into_the_fields_that_are_searchable(machine: Caller, desk: Desk) -> None:
    wanted = machine.ticket(type="incident", fields={"service": "Mail gateway", "workaround": "Use the phone"})
    machine.ticket(type="incident", fields={"service": "Printers"})
    desk.index()

    assert [one["number"] for one in machine.read("/v1/tickets?q=gateway")["items"]] == [wanted["number"]]
    assert machine.read("/v1/tickets?q=phone")["items"] == []


def test_a_field_is_shown_to_those_who_may_see_it_and_survives_who_may_not(
    machine: Caller, as_role: Callable[[str], Caller]
) -> None:
    secret = QUESTION + "  margin: {kind: number, see: [manager], edit: [manager], label: {en: Margin, ru: Маржа}}\n"
    machine.post("/v1/model/types/question/versions", {"source": secret})
    path = f"/v1/tickets/{machine.made('/v1/tickets', {'title': 'x', 'fields': {'margin': 7, 'product': 'A'}})['id']}"
    agent = as_role("agent")

    seen = agent.read(path)
    changed = agent.ask("PATCH", path, {"fields": {"product": "B"}}, headers={"If-Match": f'"{seen["version"]}"'})

    assert seen["fields"] == {"product": "A"}
    assert changed.json["fields"] == {"product": "B"}
    assert as_role("manager").read(path)["fields"] == {"product": "B", "margin": 7}
