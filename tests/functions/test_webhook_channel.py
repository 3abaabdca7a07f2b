"""The generic webhook channel as a provider and a requester meet it: the same questions as of every channel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, problem
from tests.functions.chatterbox import FIXTURES, account_body, event, post, publish
from tests.servers import HttpReceiver, Say, receiving


def test_an_event_becomes_a_ticket_and_the_answer_goes_back(
    service: HttpReceiver, provider: Caller, machine: Caller, desk: Desk
) -> None:
    taken = post(provider, event())
    desk.run_due()

    fate = machine.read(f"/v1/inbox/{taken.json['event_id']}")
    assert (taken.status_code, fate["status"]) == (200, "processed")
    ticket = desk.ticket()
    assert desk.bodies(ticket) == ["The printer is on fire.\n\nPlease hurry & help."]
    before = len(service.got)
    desk.reply(ticket, "Water it.")
    desk.run_due()
    [got] = service.got[before:]
    told = json.loads(got.body)
    assert (told["room"], told["text"]) == ("room-7", "Water it.")
    [delivery] = [one for one in desk.deliveries(ticket) if not one["automatic"]]
    assert delivery["state"] == "sent"
    assert got.headers["idempotency-key"] == str(delivery["id"])


def test_a_repeat_changes_nothing(service: HttpReceiver, provider: Caller, desk: Desk) -> None:
    first, again = post(provider, event()), post(provider, event())
    desk.run_due()

    assert (first.json["repeat"], again.json["repeat"]) == (False, True)
    assert first.json["event_id"] == again.json["event_id"]
    assert len(desk.messages(desk.ticket())) == len({m["id"] for m in desk.messages(desk.ticket())})
    assert desk.bodies(desk.ticket()).count("The printer is on fire.\n\nPlease hurry & help.") == 1


def test_a_second_message_of_the_room_joins_its_ticket_and_an_edit_changes_the_first(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    post(provider, event())
    more = {"id": "m-3", "text": "Hello?", "files": []}
    post(provider, event(id="ev-7", message=more))
    post(provider, event("changed"))
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["The plotter is on fire.", "Hello?"]


def test_a_wrong_secret_is_refused_and_nothing_is_kept(service: HttpReceiver, provider: Caller, desk: Desk) -> None:
    problem(post(provider, event(), key="secret-other"), 401)
    problem(
        provider.post("/webhooks/webhook/chatterbox", raw=event(), headers={"Content-Type": "application/json"}),
        401,
    )

    assert desk.rows("SELECT id FROM inbox") == []


def test_an_unknown_event_is_kept_shown_and_replayed_when_a_rule_knows_it(
    service: HttpReceiver, provider: Caller, machine: Caller, desk: Desk
) -> None:
    event_id = post(provider, event(kind="danced")).json["event_id"]
    desk.run_due()
    failed = machine.read(f"/v1/inbox/{event_id}")
    body = account_body()
    body["events"][1]["when"]["$.kind"]["in"].append("danced")
    publish(body)

    machine.made(f"/v1/inbox/{event_id}/replay")
    desk.run_due()

    assert (failed["status"], "no rule" in failed["reason"]) == ("failed", True)
    assert machine.read(f"/v1/inbox/{event_id}")["status"] == "processed"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\x00", b"[" * 50_000, b'"x"', b"null"])
def test_a_malformed_body_is_kept_and_answered_with_2xx(
    service: HttpReceiver, provider: Caller, machine: Caller, desk: Desk, raw: bytes
) -> None:
    taken = post(provider, raw)
    desk.run_due()

    assert taken.status_code == 200
    fate = machine.read(f"/v1/inbox/{taken.json['event_id']}")
    assert (fate["status"], bool(fate["reason"])) == ("failed", True)


def test_a_challenge_gets_its_word_back_and_is_not_kept(service: HttpReceiver, provider: Caller, desk: Desk) -> None:
    answer = post(provider, (FIXTURES / "chat/ping.json").read_bytes())

    assert answer.json == {"pong": "3eZbrw1aBm2rZgRNFdxV"}
    assert desk.rows("SELECT id FROM inbox") == []


def replied(provider: Caller, desk: Desk, service: HttpReceiver) -> Any:
    """A ticket whose acknowledgement, if any, is out; then an agent's answer, not yet carried."""
    post(provider, event())
    desk.run_due()
    service.got.clear()
    ticket = desk.ticket()
    desk.reply(ticket, "Water it.")
    return ticket


def outcome(desk: Desk, ticket: Any) -> dict[str, Any]:
    [delivery] = [one for one in desk.deliveries(ticket) if not one["automatic"]]
    return dict(delivery)


def test_a_throttled_answer_is_sent_when_it_may(service: HttpReceiver, provider: Caller, desk: Desk) -> None:
    ticket = replied(provider, desk, service)
    service.answers.append(Say(429, headers={"retry-after": "30"}))

    desk.run_due()
    early = outcome(desk, ticket)["state"]
    desk.advance(seconds=31)
    desk.run_due()

    assert (early, outcome(desk, ticket)["state"], len(service.got)) == ("pending", "sent", 2)


def test_a_permanent_refusal_is_visible_and_not_repeated(service: HttpReceiver, provider: Caller, desk: Desk) -> None:
    ticket = replied(provider, desk, service)
    service.answers.append(Say(400))

    desk.run_due()
    desk.advance(hours=1)
    desk.run_due()

    assert (outcome(desk, ticket)["state"], len(service.got)) == ("failed", 1)
    assert desk.events(ticket, "delivery_failed")


def test_an_answer_whose_fate_is_unknown_is_repeated_under_its_one_idempotency_key(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    ticket = replied(provider, desk, service)
    service.answers.append(Say(cut=True))

    desk.run_due()
    desk.advance(minutes=1)
    desk.run_due()

    assert (outcome(desk, ticket)["state"], len(service.got)) == ("sent", 2)
    assert len({got.headers["idempotency-key"] for got in service.got}) == 1


def test_a_file_named_by_its_url_is_fetched_into_the_ticket(
    service: HttpReceiver, provider: Caller, machine: Caller, desk: Desk
) -> None:
    with receiving() as files:
        files.otherwise = Say(200, body=b"PNG bytes")
        message = {
            "id": "m-1",
            "text": "See.",
            "files": [{"href": files.url, "name": "fire.png", "type": "image/png", "bytes": 9}],
        }
        post(provider, event(message=message))
        desk.run_due()

        assert len(files.got) == 1
    [shown] = machine.read(f"/v1/tickets/{desk.ticket().number}/messages")["items"][0]["attachments"]
    assert (shown["filename"], shown["size_bytes"]) == ("fire.png", 9)


def test_the_demo_account_takes_what_its_file_says(provider: Caller, machine: Caller, desk: Desk) -> None:
    raw = (FIXTURES / "demo/question.json").read_bytes()
    headers = {"Authorization": "Bearer demo-secret", "Content-Type": "application/json"}

    taken = provider.post("/webhooks/webhook/demo", raw=raw, headers=headers)
    desk.run_due()

    assert machine.read(f"/v1/inbox/{taken.json['event_id']}")["status"] == "processed"
    assert desk.bodies(desk.ticket()) == ["The printer is on fire."]


def test_fields_that_the_tickets_type_has_and_that_fit_are_set(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    body = account_body(workflow="incident", ticket_type="incident")
    body["events"][1]["fields"] = {
        "severity": "$.severity",
        "affected_users": "$.users",
        "nothing": "$.severity",
    }
    publish(body)

    post(provider, event(severity="major", users="many"))
    desk.run_due()

    ticket = desk.ticket()
    assert ticket.fields["severity"] == "major"
    assert not {"affected_users", "nothing"} & ticket.fields.keys()
    [message] = [one for one in desk.messages(ticket) if one["direction"] == "inbound"]
    assert message["details"]["fields"] == {"severity": "major", "affected_users": "many", "nothing": "major"}


def test_facts_about_the_author_become_fields_of_the_requester(
    service: HttpReceiver, provider: Caller, machine: Caller, desk: Desk
) -> None:
    body = account_body()
    body["events"][1]["author"]["fields"] = {"phone": "$.phone", "vip": "$.phone", "shoe": "$.phone"}
    publish(body)

    post(provider, event(phone="+49 30 1234"))
    desk.run_due()

    requester_id = desk.ticket().requester_id
    assert machine.read(f"/v1/requesters/{requester_id}")["fields"] == {"phone": "+49301234"}
