"""Fields that a role may not see: nothing that the API shows of a ticket has their values, by any way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.publishing import workflows
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

pytestmark = sqlite_only

LABEL = {"en": "Label", "ru": "Надпись"}
SECRET = 90_210
WORD = "Zanzibar"
MODEL = {
    "type": "complaint",
    "label": LABEL,
    "workflow": "complaint",
    "fields": {
        "salary": {"kind": "number", "label": LABEL, "see": ["manager"], "edit": ["manager"]},
        "clue": {"kind": "text", "label": LABEL, "see": ["manager"], "searchable": True},
        "room": {"kind": "text", "label": LABEL, "searchable": True},
        "checked_by": {"kind": "text", "label": LABEL, "edit": ["manager"]},
    },
}
PLAIN = {"type": "plain", "label": LABEL, "workflow": "support", "open": True, "fields": {}}
CHILD = {"title": "child", "type": "complaint", "fields": {"salary": SECRET}}
WORKFLOW = {
    "workflow": "complaint",
    "label": LABEL,
    "types": ["complaint"],
    "initial": "new",
    "states": {"new": {"category": "todo", "label": LABEL}, "paid": {"category": "done", "label": LABEL}},
    "transitions": {
        "pay": {
            "from": ["new"],
            "to": "paid",
            "label": LABEL,
            "who": ["agent", "manager", "admin", "automation"],
            "guard": "fields.salary < 10",
        },
    },
    "reactions": [
        {
            "on": "field_changed:salary",
            "name": "note_salary",
            "when": "event.after != 5",
            "do": [{"add_tags": ["new"]}],
        },
        {"on": "note", "name": "try_to_pay", "when": "fields.salary > 0", "transition": "pay"},
        {
            "on": "assigned",
            "name": "split",
            "do": [{"create_ticket": {"title": "child", "type": "complaint", "fields": {"salary": SECRET}}}],
        },
    ],
    "templates": {"child": {"en": "Child", "ru": "Часть"}},
    "tags": ["new"],
}


@pytest.fixture
def manager(desk: Desk, as_user: Any) -> Caller:
    with database.transaction():
        store.publish("model", "complaint", MODEL, source="test", by="test")
        store.publish("model", "plain", PLAIN, source="test", by="test")
        store.publish("workflow", "complaint", WORKFLOW, source="test", by="test")
    store.forget()
    workflows.forget()
    caller: Caller = as_user("manager")
    return caller


@pytest.fixture
def path(manager: Caller) -> str:
    """A ticket with guarded fields, to which everything happened that writes them down."""
    made = manager.ticket(type="complaint", fields={"salary": SECRET, "clue": WORD, "room": "4"})
    path = f"/v1/tickets/{made['id']}"
    fields = {"salary": SECRET + 1, "clue": WORD, "room": "5"}
    assert manager.ask("PATCH", path, {"fields": fields}, headers={"If-Match": "*"}).status_code == 200
    manager.made(f"{path}/messages", {"kind": "note", "body": "Look."})
    return path


def shown(caller: Caller, path: str) -> dict[str, Any]:
    """Everything that the API shows of a ticket, by place."""
    refused = caller.post(f"{path}/transitions", {"transition": "pay"})
    return {
        "ticket": caller.read(path),
        "list": caller.everything("/v1/tickets"),
        "events": caller.everything(f"{path}/events"),
        "why": caller.read(f"{path}/why"),
        "transitions": caller.read(f"{path}/transitions"),
        "refusal": refused.json,
    }


def leaks(found: dict[str, Any]) -> list[str]:
    return [
        place for place, value in found.items() if str(SECRET)[:4] in json.dumps(value) or WORD in json.dumps(value)
    ]


def test_a_role_that_may_not_see_a_field_finds_its_value_nowhere(path: str, manager: Caller, agent: Caller) -> None:
    assert leaks(shown(manager, path)) == ["ticket", "list", "events", "why", "transitions", "refusal"]

    assert leaks(shown(agent, path)) == []
    assert agent.read(path)["fields"] == {"room": "5"}


def test_what_is_shown_of_a_history_is_whole_except_for_the_guarded_values(
    path: str, manager: Caller, agent: Caller
) -> None:
    ours, theirs = agent.everything(f"{path}/events"), manager.everything(f"{path}/events")

    assert [one["event_type"] for one in ours] == [one["event_type"] for one in theirs]
    changed = next(one["payload"]["changes"] for one in ours if one["event_type"] == "ticket_updated")
    assert changed == {"fields.room": {"from": "4", "to": "5"}}
    reasons = agent.post(f"{path}/transitions", {"transition": "pay"}).json["reasons"]
    assert reasons == ["withheld: it shows a field that you may not see"]


def test_a_ticket_that_a_life_cycle_asks_for_is_shown_without_guarded_fields(
    desk: Desk, path: str, manager: Caller, agent: Caller
) -> None:
    manager.ask("PUT", f"{path}/assignment", {"assignee_id": str(desk.person("agent").id)})
    desk.run_due()

    assert leaks(shown(agent, path)) == []
    assert leaks({"children": agent.everything("/v1/tickets")}) == []


@pytest.mark.parametrize("type_", ["plain", "unmodelled"])
def test_a_field_keeps_its_guard_when_the_type_changes(path: str, agent: Caller, manager: Caller, type_: str) -> None:
    changed = agent.ask("PATCH", path, {"type": type_}, headers={"If-Match": "*"})

    assert changed.status_code == 200, changed.text
    assert changed.json["fields"] == {"room": "5"}
    assert leaks(shown(agent, path)) == []
    assert manager.read(path)["fields"] == {"salary": SECRET + 1, "clue": WORD, "room": "5"}


def test_a_change_of_all_fields_keeps_those_that_the_caller_may_not_see(
    path: str, agent: Caller, manager: Caller
) -> None:
    bodies: list[dict[str, Any]] = [
        {"fields": {}},
        {"type": "plain", "fields": {}},
        {"type": "unmodelled", "fields": {}},
    ]
    for body in bodies:
        assert agent.ask("PATCH", path, body, headers={"If-Match": "*"}).status_code == 200
        kept = manager.read(path)["fields"]
        assert (kept.get("salary"), kept.get("clue")) == (SECRET + 1, WORD)


@pytest.mark.parametrize("type_", ["complaint", "plain", "unmodelled"])
def test_a_field_that_a_role_may_not_edit_cannot_be_edited_by_way_of_another_type(
    path: str, agent: Caller, type_: str
) -> None:
    agent.ask("PATCH", path, {"type": type_}, headers={"If-Match": "*"})

    answer = agent.ask("PATCH", path, {"fields": {"checked_by": "me"}}, headers={"If-Match": "*"})

    problem(answer, 422)
    assert "checked_by" in answer.text


@pytest.mark.parametrize("type_", ["complaint", "plain", "unmodelled"])
def test_a_hidden_value_cannot_be_guessed_by_setting_it(path: str, agent: Caller, type_: str) -> None:
    agent.ask("PATCH", path, {"type": type_}, headers={"If-Match": "*"})

    right = agent.ask("PATCH", path, {"fields": {"salary": SECRET + 1}}, headers={"If-Match": "*"})
    wrong = agent.ask("PATCH", path, {"fields": {"salary": 1}}, headers={"If-Match": "*"})

    assert (right.status_code, wrong.status_code) == (422, 422)
    assert right.json["errors"] == wrong.json["errors"]


def test_a_search_does_not_look_into_fields_that_the_caller_may_not_see(
    desk: Desk, path: str, agent: Caller, manager: Caller
) -> None:
    def found(caller: Caller, text: str) -> int:
        desk.index()
        return len(caller.everything("/v1/tickets", limit=2, q=text))

    assert (found(manager, WORD), found(agent, WORD)) == (1, 0)
    assert found(agent, "5") == 1
    agent.ask("PATCH", path, {"type": "plain"}, headers={"If-Match": "*"})
    assert (found(manager, WORD), found(agent, WORD)) == (1, 0)


def test_a_link_in_the_history_to_a_hidden_ticket_names_nothing(
    desk: Desk, path: str, manager: Caller, agent: Caller, machine: Caller
) -> None:
    from tests.functions.test_visibility import hide

    hide(desk, members=("manager",))
    manager.ask("PUT", f"{path}/assignment", {"assignee_id": str(desk.person("agent").id)})
    desk.run_due()
    [made] = [one["payload"] for one in agent.everything(f"{path}/events") if one["event_type"] == "linked_ticket_made"]
    assert made["number"] is not None
    machine.ask("PATCH", f"/v1/tickets/{made['ticket_id']}", {"team": "hr"}, headers={"If-Match": "*"})

    [made] = [one["payload"] for one in agent.everything(f"{path}/events") if one["event_type"] == "linked_ticket_made"]

    assert (made["ticket_id"], made["number"]) == (None, None)


def test_an_export_shows_no_guarded_field(desk: Desk, path: str, machine: Caller, gateway: Any, as_user: Any) -> None:
    """A custom role that is based on agent and may export."""
    ada = machine.ticket(
        type="complaint", requester={"email": "ada@example.com"}, fields={"salary": SECRET, "room": "4"}
    )
    person = {
        "entity": "requester",
        "label": LABEL,
        "fields": {"rank": {"kind": "number", "label": LABEL, "see": ["manager"]}},
    }
    with database.transaction():
        store.publish("model", "entity.requester", person, source="test", by="test")
        database.execute(
            "UPDATE requesters SET fields = :fields WHERE id = :id",
            fields=json.dumps({"rank": SECRET, "city": "Bern"}),
            id=ada["requester"]["id"],
        )
    store.forget()
    role = {"name": "exporter", "based_on": "agent", "permissions": ["tickets_read", "requesters_export"]}
    machine.made("/v1/roles", role)
    exporter = Caller(gateway, machine.made("/v1/api_keys", {"name": "x", "role": "exporter"})["key"])

    found = exporter.read(f"/v1/requesters/{ada['requester']['id']}/export")

    assert found["tickets"][0]["fields"] == {"room": "4"}
    assert found["requester"]["fields"] == {"city": "Bern"}
    assert leaks({"export": found}) == []


def test_texts_of_agents_and_reasons_of_bulk_changes_show_no_hidden_field(desk: Desk, path: str, agent: Caller) -> None:
    hidden = "{{ fields.salary }}/{{ fields.clue }}"
    reply = agent.made("/v1/saved_replies", {"name": "y", "texts": {"en": hidden}})
    agent.ask("PUT", "/v1/me/signature", {"texts": {"en": f"x {hidden}"}})
    macro = agent.made("/v1/macros", {"name": "m", "acts": [{"note": {"texts": {"en": f"x {hidden}"}}}]})
    bulk = {"tickets": [path.rpartition("/")[2]], "acts": [{"act": "transition", "transition": "pay"}]}
    job = agent.made("/v1/bulk_changes", bulk)
    desk.run_due()

    shown = [
        agent.made(f"{path}/saved_replies/{reply['id']}/rendering", {}),
        agent.read(f"{path}/signature"),
        agent.made(f"{path}/macros/{macro['id']}/preview", {})["messages"],
        agent.read(f"/v1/bulk_changes/{job['id']}/tickets"),
    ]

    assert not [one for one in shown if str(SECRET) in str(one) or WORD in str(one)]
    assert shown[0]["missing"] == ["fields.salary", "fields.clue"]


def test_an_undo_names_no_hidden_field_that_it_did_not_restore(path: str, agent: Caller, manager: Caller) -> None:
    def set_fields(**fields: Any) -> None:
        assert manager.ask("PATCH", path, {"fields": fields}, headers={"If-Match": "*"}).status_code == 200

    set_fields(salary=1, room="6")
    [undo, *_] = manager.read(f"{path}/undos")["items"]
    set_fields(salary=2)

    whole = manager.made(f"/v1/undos/{undo['id']}")["kept"]

    assert whole == ["fields.salary changed again since and stays"]
    assert agent.read(f"/v1/undos/{undo['id']}")["kept"] == ["withheld: it shows a field that you may not see"]


def test_a_refused_undo_names_no_hidden_field(path: str, agent: Caller, manager: Caller) -> None:
    assert manager.ask("PATCH", path, {"fields": {"salary": 1}}, headers={"If-Match": "*"}).status_code == 200
    [undo, *_] = agent.read(f"{path}/undos")["items"]

    refused = agent.post(f"/v1/undos/{undo['id']}")

    problem(refused, 409, "undo_refused")
    assert "salary" not in refused.text
