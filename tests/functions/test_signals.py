"""POST /v1/tickets/{id}/signals: an automation pushes a ticket along."""

from __future__ import annotations

from typing import Any

import pytest

from models.definitions import files, store
from models.kernel import limits
from models.kernel.errors import Invalid
from models.kernel.storage import database
from models.publishing import workflows
from models.workflow import checks
from scripts import defs
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem


def workflow_with_a_signal() -> dict[str, Any]:
    body, _ = files.read(defs.ROOT / "support" / "workflow.yaml")
    body["reactions"].append(
        {
            "on": "signal",
            "signal": "build_done",
            "name": "start_after_build",
            "in": ["new"],
            "transition": "start",
        }
    )
    return body


@pytest.fixture
def reacts_to_build_done(desk: Desk) -> None:
    with database.transaction():
        store.publish("workflow", "support", workflow_with_a_signal(), source="test", by="test")
    workflows.forget()


def test_a_signal_is_recorded_and_the_life_cycle_reacts(
    reacts_to_build_done: None, machine: Caller, desk: Desk
) -> None:
    ticket = machine.ticket()
    path = f"/v1/tickets/{ticket['id']}"

    taken = machine.post(f"{path}/signals", {"signal": "build_done", "payload": {"build": 7}})
    desk.run_due()

    assert taken.status_code == 202
    assert machine.read(path)["state"] == "open"
    history = machine.read(f"{path}/events")["items"]
    signal = next(e for e in history if e["event_type"] == "signal_received")
    assert signal["event_id"] == taken.json["event_id"]
    assert signal["payload"] == {"signal": "build_done", "payload": {"build": 7}}
    moved = next(e for e in history if e["event_type"] == "ticket_state_changed")
    assert (moved["payload"]["rule"], moved["payload"]["event"]) == ("start_after_build", "signal")
    assert moved["causation_id"].startswith("task:")


def test_another_signal_than_the_one_named_changes_nothing(
    reacts_to_build_done: None, machine: Caller, desk: Desk
) -> None:
    ticket = machine.ticket()

    machine.made(f"/v1/tickets/{ticket['id']}/signals", {"signal": "build_failed"})
    outcomes = desk.run_due()

    assert outcomes == ["done"]
    assert machine.read(f"/v1/tickets/{ticket['id']}") == ticket


def test_a_signal_that_the_state_does_not_allow_is_a_recorded_refusal_or_nothing(
    reacts_to_build_done: None, machine: Caller, desk: Desk
) -> None:
    number = machine.ticket()["number"]
    machine.made(f"/v1/tickets/{number}/transitions", {"transition": "resolve"})

    machine.made(f"/v1/tickets/{number}/signals", {"signal": "build_done"})
    desk.run_due()

    assert machine.read(f"/v1/tickets/{number}")["state"] == "solved"


def test_a_payload_is_bounded(machine: Caller) -> None:
    number = machine.ticket()["number"]
    path = f"/v1/tickets/{number}/signals"
    most = limits.signal_payload_bytes_max
    fits = {"a": "x" * (most - len('{"a":""}'))}

    kept = machine.post(path, {"signal": "big", "payload": fits})
    refused = machine.post(path, {"signal": "big", "payload": {"a": fits["a"] + "x"}})
    nested = machine.post(
        path,
        raw=b'{"signal":"deep","payload":{"a":' + b"[" * 40 + b"]" * 40 + b"}}",
        headers={"Content-Type": "application/json"},
    )

    assert kept.status_code == 202
    assert paths(problem(refused, 422)) == ["/payload"]
    problem(nested, 422)
    names = [e["event_type"] for e in machine.read(f"/v1/tickets/{number}/events")["items"]]
    assert names.count("signal_received") == 1


@pytest.mark.parametrize(
    "reaction",
    [
        {"on": "signal", "name": "x"},
        {"on": "note", "signal": "build_done", "name": "x"},
        {"on": "signal", "signal": "Build done!", "name": "x"},
    ],
)
def test_a_reaction_to_a_signal_names_it(reaction: dict[str, Any]) -> None:
    body = workflow_with_a_signal()
    body["reactions"].append(reaction)

    with pytest.raises(Invalid, match="signal"):
        checks.parse(body)
