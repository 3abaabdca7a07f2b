"""The model of a type holds on every path: merged changes, required and hidden fields, and one history of them all."""

from __future__ import annotations

from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.publishing import workflows
from models.ticket_actions import commands
from models.tickets import ticket_fields
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

pytestmark = sqlite_only

LABEL = {"en": "Label", "ru": "Надпись"}
MODEL: dict[str, Any] = {
    "type": "trip",
    "label": LABEL,
    "workflow": "trip",
    "fields": {
        "to": {"kind": "text", "required": True, "label": LABEL, "portal": "edit"},
        "way": {
            "kind": "choice",
            "label": LABEL,
            "portal": "edit",
            "choices": {"train": {"label": LABEL}, "plane": {"label": LABEL}},
        },
        "why_plane": {
            "kind": "text",
            "label": LABEL,
            "portal": "edit",
            "required_when": 'fields.way == "plane"',
            "visible_when": 'fields.way == "plane"',
        },
        "class": {
            "kind": "choice",
            "label": LABEL,
            "default": "second",
            "visible_when": 'fields.way == "train"',
            "choices": {"first": {"label": LABEL}, "second": {"label": LABEL}},
        },
        "approver": {"kind": "text", "label": LABEL, "required_when": 'ticket.priority == "urgent"'},
        "ticket_code": {"kind": "text", "label": LABEL, "required_when": 'ticket.state == "booked"'},
        "cost": {"kind": "money", "currencies": ["EUR"], "label": LABEL},
    },
}
WORKFLOW: dict[str, Any] = {
    "workflow": "trip",
    "label": LABEL,
    "types": ["trip"],
    "initial": "new",
    "states": {"new": {"category": "todo", "label": LABEL}, "booked": {"category": "done", "label": LABEL}},
    "transitions": {
        "book": {"from": ["new"], "to": "booked", "label": LABEL, "who": ["agent", "requester", "automation"]}
    },
    "reactions": [
        {"on": "signal:by_plane", "name": "fly", "do": [{"set": {"way": "plane"}}]},
        {"on": "signal:explain", "name": "explain", "do": [{"set": {"why_plane": "It is far."}}]},
        {"on": "signal:both", "name": "both", "do": [{"set": {"why_plane": "It is far.", "way": "plane"}}]},
    ],
}


@pytest.fixture(autouse=True)
def trips(desk: Desk) -> None:
    with database.transaction():
        store.publish("model", "trip", MODEL, source="test", by="test")
        store.publish("workflow", "trip", WORKFLOW, source="test", by="test")
    store.forget()
    workflows.forget()


@pytest.fixture
def path(agent: Caller) -> str:
    made = agent.ticket(type="trip", fields={"to": "Bern", "way": "train", "cost": {"amount": 900, "currency": "EUR"}})
    return f"/v1/tickets/{made['id']}"


def change(caller: Caller, path: str, **body: Any) -> Any:
    return caller.ask("PATCH", path, body, headers={"If-Match": "*"})


def refused_fields(answer: Any) -> dict[str, str]:
    return {one["path"]: one["message"] for one in problem(answer, 422)["errors"]}


def changes(caller: Caller, path: str) -> list[Any]:
    return [
        one["payload"]["changes"]
        for one in caller.everything(f"{path}/events", limit=100)
        if one["event_type"] == "ticket_updated"
    ]


def test_a_change_of_one_field_keeps_the_others(path: str, agent: Caller) -> None:
    changed = change(agent, path, fields={"to": "Basel"})

    assert changed.json["fields"] == {
        "to": "Basel",
        "way": "train",
        "class": "second",
        "cost": {"amount": 900, "currency": "EUR"},
    }


def test_null_removes_a_field_and_an_empty_map_changes_nothing(path: str, agent: Caller) -> None:
    before = agent.read(path)
    assert change(agent, path, fields={}).json["version"] == before["version"]

    changed = change(agent, path, fields={"cost": None, "class": None})

    assert changed.json["fields"] == {"to": "Bern", "way": "train"}


def test_open_fields_are_merged_as_declared_ones_are(agent: Caller) -> None:
    made = agent.ticket(type="question", fields={"a": 1, "b": {"c": 2}})
    path = f"/v1/tickets/{made['id']}"

    changed = change(agent, path, fields={"a": None, "d": 4, "missing": None})

    assert changed.json["fields"] == {"b": {"c": 2}, "d": 4}


def test_the_history_names_each_changed_field_and_nothing_twice(path: str, agent: Caller) -> None:
    change(agent, path, fields={"to": "Basel", "cost": None, "class": "first"}, priority="high")

    [changed] = changes(agent, path)

    assert changed == {
        "priority": {"from": "normal", "to": "high"},
        "fields.to": {"from": "Bern", "to": "Basel"},
        "fields.class": {"from": "second", "to": "first"},
        "fields.cost": {"from": {"amount": 900, "currency": "EUR"}, "to": None},
    }


@pytest.mark.parametrize("body", [{"to": None}, {"to": ""}])
def test_a_required_field_cannot_be_emptied(path: str, agent: Caller, body: dict[str, Any]) -> None:
    assert set(refused_fields(change(agent, path, fields=body))) == {"/fields/to"}


def test_a_change_that_makes_another_field_required_must_bring_it(path: str, agent: Caller) -> None:
    alone = change(agent, path, fields={"way": "plane"})
    together = change(agent, path, fields={"way": "plane", "why_plane": "It is far."})

    assert refused_fields(alone) == {
        "/fields/why_plane": 'expected a value: the field is required when fields.way == "plane"'
    }
    assert together.status_code == 200


def test_a_change_of_the_priority_asks_for_the_fields_that_it_requires(path: str, agent: Caller) -> None:
    assert set(refused_fields(change(agent, path, priority="urgent"))) == {"/fields/approver"}

    assert change(agent, path, priority="urgent", fields={"approver": "Mira"}).status_code == 200


def test_a_field_that_was_empty_before_the_change_may_stay_empty(desk: Desk, agent: Caller) -> None:
    """A mail fills in no form. Its ticket can be changed before everything required is known."""
    with database.transaction():
        ticket = commands.create(commands.NewTicket(title="Trip", type="trip"), actor=desk.person("agent"))

    changed = change(agent, f"/v1/tickets/{ticket.id}", fields={"way": "train"})

    assert changed.status_code == 200, changed.text


def test_a_hidden_field_takes_no_value_at_the_creation_or_by_a_change(path: str, agent: Caller) -> None:
    body = {"title": "Trip", "type": "trip", "fields": {"to": "Bern", "way": "train", "why_plane": "Fast."}}

    created = agent.post("/v1/tickets", body)
    changed = change(agent, path, fields={"why_plane": "Fast."})

    expected = {"/fields/why_plane": 'the field takes no value here: it is visible when fields.way == "plane"'}
    assert refused_fields(created) == refused_fields(changed) == expected


def test_a_value_that_a_change_hides_stays_and_can_be_removed(agent: Caller) -> None:
    made = agent.ticket(type="trip", fields={"to": "Rome", "way": "plane", "why_plane": "Far."})
    path = f"/v1/tickets/{made['id']}"

    assert change(agent, path, fields={"way": "train", "why_plane": "Far."}).json["fields"]["why_plane"] == "Far."
    assert set(refused_fields(change(agent, path, fields={"why_plane": "Very far."}))) == {"/fields/why_plane"}
    assert change(agent, path, fields={"why_plane": None}).json["fields"] == {"to": "Rome", "way": "train"}


def test_a_default_is_filled_in_where_its_field_is_visible(agent: Caller) -> None:
    by_train = agent.ticket(type="trip", fields={"to": "Bern", "way": "train"})
    on_foot = agent.ticket(type="trip", fields={"to": "Bern"})

    assert by_train["fields"]["class"] == "second"
    assert "class" not in on_foot["fields"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"why_plane": "Far.", "way": "plane", "to": "Rome"}, {"why_plane": "Far.", "way": "plane", "to": "Rome"}),
        ({"why_plane": "Far.", "way": "ship", "to": "Rome"}, {"to": "Rome"}),
        ({"why_plane": "Far."}, {}),
    ],
)
def test_a_channel_sets_what_fits_together(desk: Desk, given: dict[str, Any], kept: dict[str, Any]) -> None:
    assert ticket_fields.fields_of_event("trip", given) == kept


@pytest.mark.parametrize(
    ("signal", "reason", "fields"),
    [
        ("by_plane", "/fields/why_plane: expected a value", {"way": "train"}),
        ("explain", "/fields/why_plane: the field takes no value here", {"way": "train"}),
        ("both", None, {"way": "plane", "why_plane": "It is far."}),
    ],
)
def test_the_effect_of_a_life_cycle_keeps_to_the_model(
    desk: Desk, path: str, agent: Caller, signal: str, reason: str | None, fields: dict[str, str]
) -> None:
    agent.made(f"{path}/signals", {"signal": signal})
    desk.run_due()

    assert fields.items() <= agent.read(path)["fields"].items()
    withheld = [
        one["payload"]["reason"]
        for one in agent.everything(f"{path}/events", limit=100)
        if one["event_type"] == "effect_withheld"
    ]
    assert [one.startswith(reason or "") for one in withheld] == ([True] if reason else [])


def test_a_transition_keeps_to_the_model_in_the_state_that_it_enters(path: str, agent: Caller) -> None:
    transitions = f"{path}/transitions"
    [option] = agent.read(transitions)["items"]
    assert (option["requires"], option["possible"]) == (["ticket_code"], False)

    hidden = agent.post(transitions, {"transition": "book", "fields": {"why_plane": "Far."}})
    emptied = agent.post(transitions, {"transition": "book", "fields": {"to": None}})
    bare = agent.post(transitions, {"transition": "book"})
    booked = agent.post(transitions, {"transition": "book", "fields": {"ticket_code": "X1"}})

    assert set(refused_fields(hidden)) == {"/fields/why_plane"}
    assert set(refused_fields(emptied)) == {"/fields/to"}
    assert problem(bare, 409, "transition_refused")["reasons"] == ["book needs a value in ticket_code"]
    assert (booked.status_code, booked.json["state"]) == (200, "booked")
    assert changes(agent, path) == [{"fields.ticket_code": {"from": None, "to": "X1"}}]


def test_a_requester_sets_only_the_fields_that_requesters_may_edit(desk: Desk, path: str, agent: Caller) -> None:
    found = desk.ticket()

    for fields, place in (({"cost": {"amount": 1, "currency": "EUR"}}, "/fields/cost"), ({"to": None}, "/fields/to")):
        error = desk.refused(ticket_fields.changed_fields, found, fields, role="requester")
        assert place in str(error)
    kept = desk.command(ticket_fields.changed_fields, found, {"to": "Basel"}, role="requester")
    assert kept["to"] == "Basel"


def test_another_type_keeps_the_values_that_it_does_not_declare_and_asks_for_its_own(agent: Caller) -> None:
    made = agent.ticket(type="question", fields={"product": "Lamp"})
    path = f"/v1/tickets/{made['id']}"

    alone = change(agent, path, type="trip")
    changed = change(agent, path, type="trip", fields={"to": "Bern"})

    assert set(refused_fields(alone)) == {"/fields/to"}
    assert changed.json["fields"] == {"product": "Lamp", "to": "Bern"}
    assert set(refused_fields(change(agent, path, fields={"product": "Chair"}))) == {"/fields/product"}
    assert change(agent, path, fields={"product": None}).json["fields"] == {"to": "Bern"}
