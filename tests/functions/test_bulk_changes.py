"""/v1/bulk_changes through HTTP: a job with a preview, progress, the list of refused tickets, and an undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only

HIGH = {"act": "change", "changes": {"priority": "high", "tags": {"add": ["vip"]}}}


def test_a_filter_is_changed_as_a_job_and_undone(machine: Caller, desk: Desk) -> None:
    ticket, other = machine.ticket(tags=["a"]), machine.ticket(tags=["b"])

    job = machine.made("/v1/bulk_changes", {"filter": {"tag": ["a"]}, "acts": [HIGH], "note": "They pay."})

    assert (job["state"], job["tickets"], job["selection"]) == (
        "running",
        1,
        {"tag": ["a"]},
    )
    desk.run_due()
    where = f"/v1/bulk_changes/{job['id']}"
    assert machine.read(where)["changed"] == 1
    assert machine.read(f"/v1/tickets/{ticket['id']}")["tags"] == ["a", "vip"]
    assert machine.read(f"/v1/tickets/{other['id']}")["priority"] == "normal"
    [item] = machine.read(f"{where}/tickets", params={"outcome": "changed"})["items"]
    assert (item["ticket_id"], item["reasons"]) == (ticket["id"], [])
    undo = machine.made(f"{where}/undo")
    desk.run_due()
    assert machine.read(f"/v1/bulk_changes/{undo['id']}")["changed"] == 1
    assert machine.read(f"/v1/tickets/{ticket['id']}")["tags"] == ["a"]
    assert [one["id"] for one in machine.everything("/v1/bulk_changes")] == [undo["id"], job["id"]]


def test_a_dry_run_answers_with_a_sample_and_changes_nothing(machine: Caller) -> None:
    ticket = machine.ticket()
    body = {"tickets": [ticket["id"]], "acts": [HIGH, {"act": "transition", "transition": "nonsense"}], "dry_run": True}

    result = machine.post("/v1/bulk_changes", body)

    assert result.status_code == 200, result.text
    assert (result.json["tickets"], result.json["refused"]) == (1, 1)
    assert "nonsense" in result.json["sample"][0]["reasons"][0]
    assert machine.read(f"/v1/tickets/{ticket['id']}")["version"] == 1
    assert machine.read("/v1/bulk_changes")["items"] == []


def test_an_idempotency_key_starts_one_job(machine: Caller) -> None:
    body = {"tickets": [machine.ticket()["id"]], "acts": [HIGH]}
    key = {"Idempotency-Key": "once"}

    first, again = (machine.post("/v1/bulk_changes", body, headers=key) for _ in range(2))

    assert first.json["id"] == again.json["id"]
    assert len(machine.read("/v1/bulk_changes")["items"]) == 1


@sqlite_only
def test_a_selection_is_ids_or_a_filter(machine: Caller) -> None:
    ticket = machine.ticket()["id"]

    neither = machine.post("/v1/bulk_changes", {"acts": [HIGH]})
    both = machine.post("/v1/bulk_changes", {"acts": [HIGH], "tickets": [ticket], "filter": {}})
    unknown = machine.post("/v1/bulk_changes", {"acts": [{"act": "explode"}], "tickets": [ticket]})

    assert paths(problem(neither, 422)) == paths(problem(both, 422)) == ["/tickets"]
    problem(unknown, 422)


@sqlite_only
def test_a_bulk_change_is_its_callers_own(machine: Caller, as_user: Callable[[str], Caller]) -> None:
    job = machine.made("/v1/bulk_changes", {"tickets": [machine.ticket()["id"]], "acts": [HIGH]})
    agent = as_user("agent")

    problem(agent.get(f"/v1/bulk_changes/{job['id']}"), 404)
    problem(agent.post(f"/v1/bulk_changes/{job['id']}/cancellation"), 404)
    assert agent.read("/v1/bulk_changes")["items"] == []


@sqlite_only
def test_an_act_needs_its_own_permission(machine: Caller, gateway: Any) -> None:
    key = {"name": "narrow", "role": "agent", "scopes": ["tickets_bulk", "tickets_write"]}
    narrow = Caller(gateway, machine.made("/v1/api_keys", key)["key"])
    body = {"tickets": [machine.ticket()["id"]], "acts": [{"act": "assignment", "assignee_id": None}]}

    assert "tickets_assign" in problem(narrow.post("/v1/bulk_changes", body), 403)["detail"]


def test_a_macro_is_applied_to_each_ticket(machine: Caller, desk: Desk) -> None:
    macro = machine.made("/v1/macros", {"name": "Rush", "acts": [{"priority": "high"}, {"tags": {"add": ["rush"]}}]})
    tickets = [machine.ticket()["id"] for _ in range(2)]

    job = machine.made("/v1/bulk_changes", {"tickets": tickets, "acts": [{"act": "macro", "macro_id": macro["id"]}]})
    desk.run_due()

    assert machine.read(f"/v1/bulk_changes/{job['id']}")["changed"] == 2
    assert {machine.read(f"/v1/tickets/{one}")["priority"] for one in tickets} == {"high"}
    problem(machine.post(f"/v1/bulk_changes/{job['id']}/undo"), 409, "nothing_to_undo")


@pytest.mark.parametrize("query", ["printer", "PRINTERS -lamp", '"burning printer"', "print* is:open"])
def test_a_query_selects_the_tickets_that_a_search_finds(machine: Caller, desk: Desk, query: str) -> None:
    found = machine.ticket("Fire", description="The burning printer again.")
    other = machine.ticket("Lamp", description="A lamp and a printer.") if "-" in query else machine.ticket("Lamp")
    desk.index()

    machine.made(
        "/v1/bulk_changes", {"filter": {"q": query}, "acts": [{"act": "change", "changes": {"priority": "high"}}]}
    )
    desk.run_due()

    assert machine.read(f"/v1/tickets/{found['id']}")["priority"] == "high"
    assert machine.read(f"/v1/tickets/{other['id']}")["priority"] == "normal"


def test_a_wrong_query_starts_no_job(machine: Caller) -> None:
    acts = [{"act": "change", "changes": {"priority": "high"}}]

    problem(machine.post("/v1/bulk_changes", {"filter": {"q": "colour:red"}, "acts": acts}), 422)
    assert machine.read("/v1/bulk_changes")["items"] == []
