"""Time spent: minutes with a note, correctable by their author, and required by a transition."""

from __future__ import annotations

import msgspec
import pytest

from models.publishing import workflows
from models.ticket_workflow import steps
from tests.desk import Desk, gapless
from tests.functions.callers import Caller, problem, sqlite_only


def test_minutes_are_added_corrected_and_summed(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket()
    path = f"/v1/tickets/{ticket['id']}/time_entries"

    first = machine.made(path, {"minutes": 30, "note": "Took it apart"})
    machine.made(path, {"minutes": 15})
    corrected = machine.ask("PUT", f"{path}/{first['id']}", {"minutes": 45, "note": "And back"})
    assert corrected.status_code == 200, corrected.text

    found = machine.read(path)
    assert [(one["minutes"], one["note"]) for one in found["items"]] == [(45, "And back"), (15, None)]
    assert found["minutes_spent"] == machine.read(f"/v1/tickets/{ticket['id']}")["minutes_spent"] == 60
    assert machine.ask("DELETE", f"{path}/{first['id']}").status_code == 204
    assert machine.read(path)["minutes_spent"] == 15
    events = machine.everything(f"/v1/tickets/{ticket['id']}/events", limit=50)
    assert gapless([event["sequence"] for event in events])
    kinds = [event["event_type"] for event in events if event["event_type"].startswith("time_entry")]
    assert kinds == ["time_entry_added", "time_entry_added", "time_entry_changed", "time_entry_removed"]


@sqlite_only
def test_only_the_author_corrects_an_entry(machine: Caller, agent: Caller) -> None:
    ticket = machine.ticket()
    path = f"/v1/tickets/{ticket['id']}/time_entries"
    entry = machine.made(path, {"minutes": 30})

    problem(agent.ask("PUT", f"{path}/{entry['id']}", {"minutes": 1}), 403, "not_your_time_entry")
    problem(agent.ask("DELETE", f"{path}/{entry['id']}"), 403, "not_your_time_entry")
    assert machine.read(path)["minutes_spent"] == 30


@sqlite_only
@pytest.mark.parametrize("minutes", [0, -5, 100_000])
def test_minutes_that_nobody_spends_are_refused(machine: Caller, minutes: int) -> None:
    ticket = machine.ticket()

    problem(machine.post(f"/v1/tickets/{ticket['id']}/time_entries", {"minutes": minutes}), 422)


def test_a_transition_can_require_time_spent(machine: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    version = desk.command(workflows.newest, "support")
    transitions = dict(version.definition.transitions)
    transitions["resolve"] = msgspec.structs.replace(transitions["resolve"], requires=["time_spent"])
    changed = msgspec.structs.replace(version.definition, transitions=transitions)
    monkeypatch.setattr(steps, "workflow_of", lambda change: changed)
    ticket = machine.ticket()
    path = f"/v1/tickets/{ticket['id']}/transitions"

    refused = problem(machine.post(path, {"transition": "resolve"}), 409, "transition_refused")
    assert refused["reasons"] == ["resolve needs a value in time_spent"]
    taken = machine.post(path, {"transition": "resolve", "time_spent": {"minutes": 20, "note": "On the phone"}})

    assert taken.status_code == 200, taken.text
    assert (taken.json["state"], taken.json["minutes_spent"]) == ("solved", 20)


@sqlite_only
def test_a_refused_transition_records_no_time(machine: Caller) -> None:
    ticket = machine.ticket()
    body = {"transition": "nonsense", "time_spent": {"minutes": 20}}

    problem(machine.post(f"/v1/tickets/{ticket['id']}/transitions", body), 409, "transition_refused")

    assert machine.read(f"/v1/tickets/{ticket['id']}/time_entries")["items"] == []
