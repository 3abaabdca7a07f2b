"""The generic webhook channel as a provider and a requester meet it: the same questions as of every channel."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from falcon import testing

from models.definitions import publishing, store
from models.definitions.catalogue import Found
from models.kernel import settings
from queues.channels.webhook import send
from tests.desk import Desk
from tests.functions.callers import Caller, problem
from tests.servers import HttpReceiver, Say, receiving

FIXTURES = Path("queues/channels/webhook/fixtures")


@pytest.fixture
def service(desk: Desk, webhooks: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """The invented chat product: its account is published, and its server answers the desk's real sender."""
    from queues import channels

    with receiving() as found:
        found.otherwise = Say(200, body=b'{"ok": true, "id": "m-900"}')
        monkeypatch.setenv("NESTOR_SECRET_CHATTERBOX_KEY", "secret-chatterbox")
        monkeypatch.setenv("NESTOR_SECRET_CHATTERBOX_REPLY_URL", found.url)
        monkeypatch.setenv("WEBHOOKS_PRIVATE", "true")
        settings.current.cache_clear()
        body = yaml.safe_load((FIXTURES / "chat/account.yaml").read_text(encoding="utf-8")) | {
            "workflow": "support"
        }
        publishing.apply([Found("channel", "webhook.chatterbox", body, "", Path("x"))], by="tests")
        store.forget()
        monkeypatch.setattr(channels, "sender", lambda channel: send)
        yield found


@pytest.fixture
def provider(webhooks: Any) -> Caller:
    return Caller(webhooks)


def event(name: str = "said", **changes: Any) -> bytes:
    found = json.loads((FIXTURES / f"chat/{name}.json").read_text(encoding="utf-8"))
    found["message"]["files"] = []
    return json.dumps(found | changes).encode()


def post(provider: Caller, raw: bytes, *, key: str = "secret-chatterbox", **headers: str) -> testing.Result:
    digest = base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()
    told = {"X-Chatterbox-Hmac": f"sha256={digest}", "Content-Type": "application/json"} | headers
    return provider.post("/webhooks/webhook/chatterbox", raw=raw, headers=told)


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


def said_in(
    room: str, by: int, text: str, *, kind: str = "said", number: str = "1", answers: str | None = None
) -> bytes:
    """A message of a service that numbers its messages anew in each room."""
    return event(
        id=f"{room}:{kind}:{text}", kind=kind, room={"id": room}, **{"from": {"id": by, "robot": False}},
        message={"id": number, "text": text, "answers": answers, "files": []},
    )  # fmt: skip


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


def test_the_service_is_told_its_own_id_of_the_message_that_an_answer_answers(
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
    body = yaml.safe_load((FIXTURES / "chat/account.yaml").read_text(encoding="utf-8"))
    body |= {"workflow": "incident", "ticket_type": "incident"}
    body["events"][1]["fields"] = {"affected_users": "$.value", "kept": "$.value"}
    publishing.apply([Found("channel", "webhook.chatterbox", body, "", Path("x"))], by="tests")
    store.forget()

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


def test_a_wrong_secret_is_refused_and_nothing_is_kept(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    problem(post(provider, event(), key="secret-other"), 401)
    problem(
        provider.post(
            "/webhooks/webhook/chatterbox", raw=event(), headers={"Content-Type": "application/json"}
        ),
        401,
    )

    assert desk.rows("SELECT id FROM inbox") == []


def test_an_unknown_event_is_kept_shown_and_replayed_when_a_rule_knows_it(
    service: HttpReceiver, provider: Caller, machine: Caller, desk: Desk
) -> None:
    event_id = post(provider, event(kind="danced")).json["event_id"]
    desk.run_due()
    failed = machine.read(f"/v1/inbox/{event_id}")
    body = yaml.safe_load((FIXTURES / "chat/account.yaml").read_text(encoding="utf-8")) | {
        "workflow": "support"
    }
    body["events"][1]["when"]["$.kind"]["in"].append("danced")
    publishing.apply([Found("channel", "webhook.chatterbox", body, "", Path("x"))], by="tests")
    store.forget()

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


def test_a_challenge_gets_its_word_back_and_is_not_kept(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
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


def test_a_permanent_refusal_is_visible_and_not_repeated(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
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
            "id": "m-1", "text": "See.",
            "files": [{"href": files.url, "name": "fire.png", "type": "image/png", "bytes": 9}],
        }  # fmt: skip
        post(provider, event(message=message))
        desk.run_due()

        assert len(files.got) == 1
    [shown] = machine.read(f"/v1/tickets/{desk.ticket().number}/messages")["items"][0]["attachments"]
    assert (shown["filename"], shown["size_bytes"]) == ("fire.png", 9)


def test_a_url_whose_file_has_changed_gives_the_new_one(
    service: HttpReceiver, provider: Caller, desk: Desk
) -> None:
    with receiving() as files:
        for number, content in enumerate((b"the first", b"the second, longer")):
            files.otherwise = Say(200, body=content)
            named = {"href": files.url, "name": "latest.png", "type": "image/png"}
            message = {"id": f"m-{number}", "text": "See.", "files": [named]}
            post(provider, event(id=f"ev-{number}", message=message))
            desk.run_due()

    sizes = desk.rows("SELECT size_bytes FROM attachments ORDER BY created_at, id")
    assert [one["size_bytes"] for one in sizes] == [9, 18]


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
    body = yaml.safe_load((FIXTURES / "chat/account.yaml").read_text(encoding="utf-8"))
    body |= {"workflow": "incident", "ticket_type": "incident"}
    body["events"][1]["fields"] = {
        "severity": "$.severity",
        "affected_users": "$.users",
        "nothing": "$.severity",
    }
    publishing.apply([Found("channel", "webhook.chatterbox", body, "", Path("x"))], by="tests")
    store.forget()

    post(provider, event(severity="major", users="many"))
    desk.run_due()

    ticket = desk.ticket()
    assert ticket.fields["severity"] == "major"
    assert not {"affected_users", "nothing"} & ticket.fields.keys()
    [message] = [one for one in desk.messages(ticket) if one["direction"] == "inbound"]
    assert message["details"]["fields"] == {"severity": "major", "affected_users": "many", "nothing": "major"}
