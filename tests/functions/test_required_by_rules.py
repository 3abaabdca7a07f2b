"""Effects of a life cycle that the information model refuses do not happen, and the history says why."""

from __future__ import annotations

import copy

from models.definitions import store
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller, sqlite_only
from tests.models.workflow.test_analysis import CLEAN, TEMPLATES, on
from tests.models.workflow.test_required_values import BODY, MADE, PART


@sqlite_only
def test_what_the_model_refuses_does_not_happen_and_the_history_says_why(desk: Desk, machine: Caller) -> None:
    effects = [{"priority": "urgent"}, {"create_ticket": MADE}]
    body = copy.deepcopy(CLEAN) | {"reactions": [on("note", do=effects)], "templates": TEMPLATES}
    with database.transaction():
        for one in (BODY, PART):
            store.publish("model", one["type"], one, source="test", by="test")
        store.publish("workflow", "clean", body, source="test", by="test")
    store.forget()
    ticket = machine.ticket(type="thing")
    path = f"/v1/tickets/{ticket['id']}"

    machine.made(f"{path}/messages", {"kind": "note", "body": "Go."})
    desk.run_due()
    refused = machine.read(path)
    machine.ask("PATCH", path, {"fields": {"impact": "all"}}, headers={"If-Match": "*"})
    machine.made(f"{path}/messages", {"kind": "note", "body": "Again."})
    desk.run_due()

    assert (refused["priority"], machine.read(path)["priority"]) == ("normal", "urgent")
    assert len(machine.everything("/v1/tickets")) == 1
    told = str(machine.everything(f"{path}/events"))
    assert "with the priority urgent the ticket needs a value in impact" in told
    assert "a new part is refused: /fields/serial: expected a value: the field is required" in told
