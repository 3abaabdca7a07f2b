"""What strangers write into an event of a described service must hold up nobody, and reach nobody else's messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller
from tests.functions.chatterbox import account_body, event, post, publish, said_in
from tests.servers import HttpReceiver, Say, receiving


def test_rooms_that_number_their_messages_alike_are_kept_apart(
    service: HttpReceiver, provider: Caller, machine: Caller, desk: Desk
) -> None:
    post(provider, said_in("ada's", 1, "Mine."))
    second = post(provider, said_in("bob's", 2, "Mine too."))
    desk.run_due()
    post(provider, said_in("bob's", 2, "Bob's new words.", kind="changed"))
    desk.run_due()

    assert machine.read(f"/v1/inbox/{second.json['event_id']}")["status"] == "processed"
    bodies = {ticket.contact_address: desk.bodies(ticket) for ticket in desk.tickets()}
    assert bodies == {"chatterbox:ada's": ["Mine."], "chatterbox:bob's": ["Bob's new words."]}


def test_the_service_gets_its_own_id_of_the_answered_message(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    post(provider, said_in("ada's", 1, "Help!"))
    desk.run_due()
    before = len(service.got)

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    [got] = service.got[before:]
    assert json.loads(got.body)["answers"] == "1"


def test_the_id_of_an_answer_means_something_in_its_own_room_only(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    service.otherwise = Say(200, body=b'{"ok": true, "id": "7"}')
    post(provider, said_in("room-1", 42, "First."))
    desk.run_due()

    post(provider, said_in("room-2", 42, "Elsewhere.", answers="7"))
    post(provider, said_in("room-1", 42, "And then?", number="2", answers="7"))
    desk.run_due()

    assert sorted(map(desk.bodies, desk.tickets())) == [["Elsewhere."], ["First.", "And then?"]]


STRANGE = [float("nan"), float("inf"), "\ud800", {"\udfff": ["a\x00b"]}]


@pytest.mark.parametrize("value", STRANGE)
def test_a_strange_value_in_a_field_holds_up_nobody(
    service: HttpReceiver, provider: Caller, desk: Desk, value: Any
) -> None:
    body = account_body(workflow="incident", ticket_type="incident")
    body["events"][1]["fields"] = {"affected_users": "$.value", "kept": "$.value"}
    publish(body)

    post(provider, event(value=value))
    post(provider, event(id="ev-8", message={"id": "m-4", "text": "Hello?", "files": []}))
    desk.run_due()

    assert [one["status"] for one in desk.rows("SELECT status FROM inbox")] == ["processed", "processed"]
    assert len(desk.bodies(desk.ticket())) == 2


def test_a_file_whose_url_nobody_can_call_is_named_and_holds_up_nobody(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    urls = ["https://files.example.com/\x00", "https://files.example.com/\ud800", "file:///etc/passwd"]
    files = [{"href": url, "name": f"{n}.png"} for n, url in enumerate(urls)]

    post(provider, event(message={"id": "m-1", "text": "See.", "files": files}))
    desk.run_due()

    assert desk.rows("SELECT id FROM attachments") == []
    details = desk.messages(desk.ticket())[0]["details"]
    assert [line.partition(":")[0] for line in details["left_out"]] == ["0.png", "1.png", "2.png"]


def test_a_url_whose_file_has_changed_gives_the_new_one(service: HttpReceiver, provider: Caller, desk: Desk) -> None:
    with receiving() as files:
        for number, content in enumerate((b"the first", b"the second, longer")):
            files.otherwise = Say(200, body=content)
            named = {"href": files.url, "name": "latest.png", "type": "image/png"}
            message = {"id": f"m-{number}", "text": "See.", "files": [named]}
            post(provider, event(id=f"ev-{number}", message=message))
            desk.run_due()

    sizes = desk.rows("SELECT size_bytes FROM attachments ORDER BY created_at, id")
    assert [one["size_bytes"] for one in sizes] == [9, 18]


@pytest.mark.parametrize("value", STRANGE)
def test_a_strange_word_in_a_trial_call_is_answered_in_what_json_has(
    service: HttpReceiver, provider: Caller, value: Any
) -> None:
    answered = post(provider, json.dumps({"kind": "ping", "word": value}).encode())

    assert answered.status_code == 200
    assert "pong" in json.loads(answered.content, parse_constant=pytest.fail)
