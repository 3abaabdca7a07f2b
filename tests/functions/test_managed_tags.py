"""/v1/tags: counts, descriptions, renaming, merging and deletion as jobs."""

from __future__ import annotations

from typing import Any

from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only
from tests.functions.test_visibility import hide


def tags_of(machine: Caller, ticket: Any) -> list[str]:
    found: list[str] = machine.read(f"/v1/tickets/{ticket['id']}")["tags"]
    return found


def test_tags_are_listed_with_counts_and_descriptions(machine: Caller) -> None:
    machine.ticket(tags=["vip", "paper"])
    machine.ticket(tags=["vip"])
    described = machine.ask("PUT", "/v1/tags/waiting", {"description": "For a part", "colour": "#2f7d32"})
    assert described.status_code == 200, described.text
    machine.ask("PUT", "/v1/tags/vip", {"description": "Pays well"})

    found = machine.everything("/v1/tags", limit=2)

    assert [(one["name"], one["tickets"], one["description"]) for one in found] == [
        ("paper", 1, None),
        ("vip", 2, "Pays well"),
        ("waiting", 0, "For a part"),
    ]


def test_a_renaming_merges_with_an_existing_tag_and_can_be_undone(machine: Caller, desk: Desk) -> None:
    one, both = machine.ticket(tags=["printr", "x"]), machine.ticket(tags=["printr", "printer"])
    machine.ask("PUT", "/v1/tags/printr", {"description": "Printers"})

    job = machine.made("/v1/tags/printr/renaming", {"to": "printer"})
    desk.run_due()

    assert (tags_of(machine, one), tags_of(machine, both)) == (["x", "printer"], ["printer"])
    names = {tag["name"]: tag for tag in machine.everything("/v1/tags")}
    assert names["printer"]["description"] == "Printers"
    assert "printr" not in names
    machine.made(f"/v1/bulk_changes/{job['id']}/undo")
    desk.run_due()
    assert sorted(tags_of(machine, both)) == ["printer", "printr"]


def test_a_deleted_tag_is_removed_from_snoozed_and_closed_tickets_as_well(machine: Caller, desk: Desk) -> None:
    ticket, asleep = machine.ticket(tags=["old"]), machine.ticket(tags=["old"])
    machine.ask("PUT", f"/v1/tickets/{asleep['id']}/snooze", {"until_answer": True})

    result = machine.ask("DELETE", "/v1/tags/old")
    desk.run_due()

    assert result.status_code == 202
    assert tags_of(machine, ticket) == tags_of(machine, asleep) == []
    assert machine.read("/v1/tags")["items"] == []


@sqlite_only
def test_an_agent_lists_tags_and_does_not_manage_them(machine: Caller, agent: Caller) -> None:
    machine.ticket(tags=["vip"])

    assert [tag["name"] for tag in agent.read("/v1/tags")["items"]] == ["vip"]
    problem(agent.post("/v1/tags/vip/renaming", {"to": "v"}), 403)
    assert paths(problem(machine.post("/v1/tags/vip/renaming", {"to": "vip"}), 422)) == ["/to"]


def test_a_description_stays_for_tickets_that_the_caller_does_not_see(
    desk: Desk, machine: Caller, as_user: Any
) -> None:
    hide(desk)
    manager = as_user("manager")
    theirs, ours = machine.ticket(tags=["raise", "cut"], team="hr"), machine.ticket(tags=["raise", "cut"])
    for name in ("raise", "cut", "unused"):
        machine.ask("PUT", f"/v1/tags/{name}", {"description": "About pay", "colour": "#2f7d32"})

    manager.made("/v1/tags/raise/renaming", {"to": "bonus"})
    for name in ("cut", "unused"):
        assert manager.ask("DELETE", f"/v1/tags/{name}").status_code == 202
    desk.run_due()

    described = {tag["name"]: (tag["description"], tag["colour"]) for tag in machine.everything("/v1/tags")}
    # A tag of no ticket stays as well: the caller cannot tell it from a tag of a hidden ticket.
    assert described == dict.fromkeys(("raise", "cut", "unused", "bonus"), ("About pay", "#2f7d32"))
    assert (tags_of(machine, theirs), tags_of(machine, ours)) == (["raise", "cut"], ["bonus"])


@sqlite_only
def test_a_manager_from_whom_no_team_hides_removes_a_description(desk: Desk, machine: Caller, as_user: Any) -> None:
    hide(desk, members=("manager",))
    machine.ask("PUT", "/v1/tags/old", {"description": "Old"})

    assert as_user("manager").ask("DELETE", "/v1/tags/old").status_code == 202

    assert machine.read("/v1/tags")["items"] == []
