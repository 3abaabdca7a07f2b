"""A field that names a ticket tells an agent nothing about tickets of other teams."""

from __future__ import annotations

from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.test_visibility import hide

pytestmark = sqlite_only

LABEL = {"en": "Label", "ru": "Надпись"}
MODEL = {
    "type": "link",
    "label": LABEL,
    "workflow": "support",
    "fields": {"about": {"kind": "ticket", "label": LABEL}, "room": {"kind": "text", "label": LABEL}},
}
PERSON = {"fields": {"about": {"kind": "ticket", "label": LABEL}}}


@pytest.fixture
def hidden(desk: Desk, machine: Caller) -> Any:
    """A ticket that the manager does not see."""
    with database.transaction():
        store.publish("model", "link", MODEL, source="test", by="tests")
    store.forget()
    ticket = machine.ticket("Zanzibar")
    hide(desk, members=("agent",))
    machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", {"team": "hr"}, headers={"If-Match": "*"})
    return ticket


def answers(caller: Caller, method: str, path: str, body: Any, *references: str) -> list[str]:
    """The problem of each reference, with the reference left out."""
    found = []
    for reference in references:
        result = caller.ask(method, path, body(reference), headers={"If-Match": "*"})
        [error] = problem(result, 422)["errors"]
        found.append(error["message"].replace(reference, "X"))
    return found


def test_a_hidden_ticket_and_one_that_does_not_exist_have_the_same_answer(
    machine: Caller, hidden: Any, as_user: Any
) -> None:
    manager = as_user("manager")
    mine = manager.ticket("Mine", type="link")

    def new(reference: str) -> Any:
        return {"title": "x", "type": "link", "fields": {"about": reference}}

    numbers = (str(hidden["number"]), "987654")
    created = answers(manager, "POST", "/v1/tickets", new, *numbers)
    changed = answers(manager, "PATCH", f"/v1/tickets/{mine['id']}", lambda one: {"fields": {"about": one}}, *numbers)

    assert created[0] == created[1]
    assert changed[0] == changed[1]


def test_an_api_key_looks_up_what_its_owner_may_see(machine: Caller, hidden: Any, as_role: Any) -> None:
    reader = as_role("agent")

    refused = reader.post("/v1/tickets", {"title": "x", "type": "link", "fields": {"about": str(hidden["number"])}})
    taken = machine.post("/v1/tickets", {"title": "x", "type": "link", "fields": {"about": str(hidden["number"])}})

    problem(refused, 422)
    assert taken.json["fields"] == {"about": hidden["id"]}


def test_a_value_that_names_a_hidden_ticket_stays_when_the_fields_are_sent_back(
    machine: Caller, hidden: Any, as_user: Any
) -> None:
    linked = machine.ticket("Linked", type="link", fields={"about": str(hidden["number"])})
    manager = as_user("manager")

    sent_back = manager.ask(
        "PATCH",
        f"/v1/tickets/{linked['id']}",
        {"fields": {**linked["fields"], "room": "12"}},
        headers={"If-Match": "*"},
    )

    assert sent_back.json["fields"] == {"about": hidden["id"], "room": "12"}


def test_a_text_of_another_field_is_no_ticket(machine: Caller, hidden: Any) -> None:
    mine = machine.ticket("Mine", type="link", fields={"room": "987654"})

    refused = machine.ask(
        "PATCH", f"/v1/tickets/{mine['id']}", {"fields": {"about": "987654"}}, headers={"If-Match": "*"}
    )

    problem(refused, 422)
