"""/v1/tickets and what hangs on it, through HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.kernel import clock
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only


def test_a_ticket_is_made_read_and_found_by_id_and_by_number(machine: Caller) -> None:
    wanted = {
        "title": "Printer",
        "description": "It burns.",
        "priority": "high",
        "type": "question",
        "requester": {"name": "Ada", "email": "ada@example.test"},
        "fields": {"floor": 3},
    }

    result = machine.post("/v1/tickets", wanted)

    assert result.status_code == 201
    made = result.json
    assert result.headers["location"] == f"/v1/tickets/{made['id']}"
    assert result.headers["etag"] == '"1"'
    assert {name: made[name] for name in ("title", "priority", "type", "fields")} == {
        "title": "Printer",
        "priority": "high",
        "type": "question",
        "fields": {"floor": 3},
    }
    assert made["requester"]["name"] == "Ada"
    assert machine.read(result.headers["location"]) == made
    assert machine.read(f"/v1/tickets/{made['number']}") == made
    person = machine.read(f"/v1/requesters/{made['requester']['id']}")
    assert [identity["address"] for identity in person["identities"]] == ["ada@example.test"]


def test_the_description_is_the_first_message_and_the_requester_is_acknowledged(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(description="It burns.", requester={"name": "Ada", "email": "ada@example.test"})

    desk.run_due()

    messages = machine.read(f"/v1/tickets/{ticket['number']}/messages")["items"]
    assert [m["direction"] for m in messages] == ["inbound", "outbound"]
    assert messages[0]["body"] == "It burns."
    assert messages[1]["deliveries"][0]["state"] == "sent"
    deliveries = machine.read(f"/v1/tickets/{ticket['number']}/deliveries")["items"]
    assert [d["attempt_log"][0]["outcome"] for d in deliveries] == ["accepted"]


def test_a_reply_is_answered_at_once_and_goes_out_to_the_requester(agent: Caller, machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(description="It burns.", requester={"email": "ada@example.test"})

    result = agent.post(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": "Water it."})

    assert result.status_code == 201
    message = result.json
    assert message["author"]["kind"] == "agent"
    assert message["deliveries"][0]["state"] == "pending"
    desk.run_due()
    assert "Water it." in desk.sent_bodies()
    assert agent.read(result.headers["location"])["deliveries"][0]["state"] == "sent"
    assert machine.read(f"/v1/tickets/{ticket['id']}")["state"] == "waiting_on_requester"


def test_a_note_is_never_sent(agent: Caller, machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    sent_before = len(desk.sent)

    note = agent.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "note", "body": "Be nice."})

    desk.run_due()
    assert note["deliveries"] == []
    assert len(desk.sent) == sent_before
    later = {"kind": "note", "body": "Be nice.", "send_at": "2099-01-01T00:00:00Z"}
    assert paths(problem(agent.post(f"/v1/tickets/{ticket['id']}/messages", later), 422)) == ["/send_at"]


@sqlite_only
def test_a_message_says_something(machine: Caller) -> None:
    path = f"/v1/tickets/{machine.ticket()['id']}/messages"

    for body in ("", " ", "\n\t\u3000", "x" * 100_001, "a\x00"):
        assert paths(problem(machine.post(path, {"kind": "note", "body": body}), 422)) == ["/body"]
    assert machine.post(path, {"kind": "note", "body": "x" * 100_000}).status_code == 201


def test_a_reply_for_later_goes_out_later(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    tomorrow = clock.rfc3339(clock.now() + timedelta(days=1))

    machine.made(
        f"/v1/tickets/{ticket['id']}/messages",
        {"kind": "reply", "body": "Good morning.", "send_at": tomorrow},
    )
    desk.run_due()
    early = desk.sent_bodies()
    desk.advance(days=1, minutes=1)
    desk.run_due()

    assert "Good morning." not in early
    assert "Good morning." in desk.sent_bodies()


def test_transitions_say_what_is_possible_and_what_is_refused_and_why(agent: Caller, machine: Caller) -> None:
    number = machine.ticket()["number"]

    machine.made(f"/v1/tickets/{number}/transitions", {"transition": "resolve"})

    options = {o["transition"]: o for o in agent.read(f"/v1/tickets/{number}/transitions")["items"]}

    assert options["reopen"]["possible"] is True
    assert options["reopen"]["label"].keys() == {"en", "ru"}
    assert options["close"]["possible"] is False
    assert options["close"]["reasons"]


def test_a_transition_moves_the_ticket_and_a_refused_one_is_409_with_reasons_and_history(
    agent: Caller, machine: Caller
) -> None:
    number = machine.ticket()["number"]

    refused = agent.post(f"/v1/tickets/{number}/transitions", {"transition": "close"})
    moved = agent.post(f"/v1/tickets/{number}/transitions", {"transition": "resolve"})

    assert problem(refused, 409, "transition_refused")["reasons"]
    assert moved.json["state"] == "solved"
    assert moved.headers["etag"] == '"2"'
    history = [e["event_type"] for e in machine.read(f"/v1/tickets/{number}/events")["items"]]
    assert history == ["ticket_created", "transition_refused", "ticket_state_changed"]


def test_an_unknown_transition_is_refused_like_an_impossible_one(machine: Caller) -> None:
    number = machine.ticket()["number"]

    refused = machine.post(f"/v1/tickets/{number}/transitions", {"transition": "fly"})

    assert "fly" in problem(refused, 409, "transition_refused")["detail"]


def test_a_closed_ticket_takes_no_reply_but_notes(machine: Caller) -> None:
    number = machine.ticket()["number"]
    for transition in ("resolve", "close"):
        machine.made(f"/v1/tickets/{number}/transitions", {"transition": transition})

    reply = machine.post(f"/v1/tickets/{number}/messages", {"kind": "reply", "body": "Hello?"})
    note = machine.post(f"/v1/tickets/{number}/messages", {"kind": "note", "body": "Too late."})

    problem(reply, 409, "ticket_closed")
    assert note.status_code == 201


def test_a_ticket_is_assigned_to_an_active_user_and_to_nobody(agent: Caller, machine: Caller) -> None:
    number = machine.ticket()["number"]
    me = agent.read("/v1/me")

    assigned = agent.ask("PUT", f"/v1/tickets/{number}/assignment", {"assignee_id": me["id"]})
    freed = agent.ask("PUT", f"/v1/tickets/{number}/assignment", {"assignee_id": None})

    assert assigned.json["assignee"] == {"id": me["id"], "name": "Olga Agent", "away_until": None}
    assert freed.json["assignee"] is None
    stranger = "00000000-0000-7000-8000-000000000000"
    refused = agent.ask("PUT", f"/v1/tickets/{number}/assignment", {"assignee_id": stranger})
    assert paths(problem(refused, 422)) == ["/assignee_id"]


def test_an_assignment_honours_the_version_when_it_is_sent(agent: Caller, machine: Caller) -> None:
    made = machine.ticket()
    path = f"/v1/tickets/{made['number']}"
    me, read = {"assignee_id": agent.read("/v1/me")["id"]}, machine.get(path).headers["etag"]

    first = agent.ask("PUT", f"{path}/assignment", me, headers={"If-Match": read})
    late = machine.ask("PUT", f"{path}/assignment", {"assignee_id": None}, headers={"If-Match": read})
    strange = machine.ask("PUT", f"{path}/assignment", {"assignee_id": None}, headers={"If-Match": "3"})

    assert first.status_code == 200
    problem(late, 412, "precondition_failed")
    problem(strange, 400, "bad_request")
    assert machine.read(path)["assignee"]["id"] == me["assignee_id"]
    freed = machine.ask("PUT", f"{path}/assignment", {"assignee_id": None}, headers={"If-Match": "*"})
    assert freed.json["assignee"] is None


def test_changes_need_the_version_that_was_read(machine: Caller) -> None:
    path = f"/v1/tickets/{machine.ticket()['number']}"

    without = machine.ask("PATCH", path, {"priority": "high"})
    changed = machine.ask("PATCH", path, {"priority": "high"}, headers={"If-Match": '"1"'})
    late = machine.ask("PATCH", path, {"priority": "low"}, headers={"If-Match": '"1"'})
    weak = machine.ask("PATCH", path, {"title": "Fax"}, headers={"If-Match": 'W/"2"'})
    whatever = machine.ask("PATCH", path, {"priority": "low"}, headers={"If-Match": "*"})
    foreign = machine.ask("PATCH", path, {"priority": "low"}, headers={"If-Match": '"abc"'})

    problem(without, 428, "precondition_required")
    assert changed.headers["etag"] == '"2"'
    problem(late, 412, "precondition_failed")
    assert weak.json["title"] == "Fax"
    assert whatever.json["priority"] == "low"
    problem(foreign, 412, "precondition_failed")
    for given, status in (
        ('"9", "x"', 412),
        ("3", 400),
        ("", 400),
        ('"', 400),
        ('"3", "4"', 400),
        ("*, *", 400),
    ):
        problem(machine.ask("PATCH", path, {"priority": "low"}, headers={"If-Match": given}), status)
    several = machine.ask("PATCH", path, {"priority": "high"}, headers={"If-Match": f'"x", {whatever.headers["etag"]}'})
    assert several.status_code == 200


def test_another_type_moves_the_ticket_to_the_life_cycle_of_the_type(machine: Caller) -> None:
    made = machine.ticket()
    path = f"/v1/tickets/{made['id']}"

    changed = machine.ask("PATCH", path, {"type": "incident"}, headers={"If-Match": '"1"'}).json

    assert (changed["type"], changed["workflow"], changed["state"]) == ("incident", "incident", "reported")
    assert changed["next_due_at"] is not None
    names = {one["transition"] for one in machine.read(f"{path}/transitions")["items"]}
    assert "investigate" in names
    [decision] = [one for one in machine.read(f"{path}/why")["decisions"] if one["event"] == "type_changed"]
    assert "reported is the initial state" in decision["rules"][0]["reasons"][0]


def test_a_change_that_changes_nothing_keeps_the_version(machine: Caller) -> None:
    ticket = machine.ticket()

    same = machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", {"title": "Printer"}, headers={"If-Match": '"1"'})
    empty = machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", {}, headers={"If-Match": '"1"'})

    assert same.json == empty.json == ticket


@sqlite_only
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/tickets/{}", None),
        ("PATCH", "/v1/tickets/{}", {"title": "x"}),
        ("GET", "/v1/tickets/{}/messages", None),
        ("POST", "/v1/tickets/{}/messages", {"kind": "note", "body": "x"}),
        ("GET", "/v1/tickets/{}/transitions", None),
        ("POST", "/v1/tickets/{}/transitions", {"transition": "resolve"}),
        ("PUT", "/v1/tickets/{}/assignment", {"assignee_id": None}),
        ("GET", "/v1/tickets/{}/events", None),
        ("GET", "/v1/tickets/{}/deliveries", None),
        ("POST", "/v1/tickets/{}/signals", {"signal": "x"}),
    ],
)
def test_a_ticket_that_does_not_exist_is_404_everywhere(machine: Caller, method: str, path: str, body: Any) -> None:
    missing = (
        "4711",
        "0",
        "00000000-0000-7000-8000-000000000000",
        "9" * 30,
        "-1",
        "1e3",
        "٣",
        "x" * 300,
        "%2e%2e",
        "'; DROP TABLE tickets; --",
    )

    for name in missing:
        result = machine.ask(method, path.format(name), body, headers={"If-Match": "*"})
        problem(result, 404, "not_found")


@sqlite_only
def test_tags_take_any_script_and_are_found_in_one_form(machine: Caller) -> None:
    made = machine.ticket(tags=["срочно", "cafe\u0301", "urgent"])

    assert made["tags"] == ["срочно", "café", "urgent"]
    assert machine.ask("PUT", f"/v1/tickets/{made['id']}/tags/%E5%A4%A7%E3%81%8D%E3%81%84").json["tags"][-1] == "大きい"
    found = machine.read("/v1/tickets", query_string="tag=caf%C3%A9")["items"]
    assert [one["id"] for one in found] == [made["id"]]
    assert machine.post("/v1/tickets", {"title": "x", "tags": ["two words"]}).status_code == 422


@sqlite_only
def test_a_user_may_read_any_language(machine: Caller) -> None:
    user = {"email": "ute@example.test", "name": "Ute", "role": "agent", "password": "a wombat with a lantern"}

    assert machine.made("/v1/users", user | {"locale": "pt-BR"})["locale"] == "pt-BR"
    assert machine.made("/v1/users", user | {"email": "uwe@example.test"})["locale"] == "en"


def test_a_patch_adds_and_removes_tags_without_naming_the_others(machine: Caller) -> None:
    ticket = machine.ticket(tags=["vip", "paper"])

    edit = {"tags": {"add": ["toner", "vip"], "remove": ["paper"]}}
    result = machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", edit, headers={"If-Match": '"1"'})

    assert result.status_code == 200, result.text
    assert result.json["tags"] == ["vip", "toner"]
    again = machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", edit, headers={"If-Match": '"2"'})
    assert again.json["version"] == 2
    too_many = {"tags": {"add": [f"t{number}" for number in range(49)]}}
    refused = machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", too_many, headers={"If-Match": '"2"'})
    assert paths(problem(refused, 422)) == ["/tags"]
