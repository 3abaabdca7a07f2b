"""/v1/webhooks: made with a secret that is shown once, changed under its ETag, tried, replayed, and described by
schemas.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from models.events import fan_out
from models.events.catalogue import EVENT_TYPES
from models.kernel import settings
from models.subscriptions import payloads, queries
from tests.desk import Desk
from tests.functions.callers import Caller, problem
from tests.servers import Say, receiving

URL = "https://hooks.example.com/desk"


def made(machine: Caller, **more: Any) -> Any:
    return machine.made("/v1/webhooks", {"url": URL, "event_types": ["ticket_created"]} | more)


def test_the_secret_is_shown_when_it_is_made_and_never_again(machine: Caller, desk: Desk) -> None:
    result = machine.post("/v1/webhooks", {"url": URL, "event_types": ["*"], "description": "CRM"})

    assert result.status_code == 201
    assert result.headers["cache-control"] == "no-store"
    assert result.json["secret"].startswith("whsec_")
    address = result.headers["location"]
    assert "secret" not in machine.read(address)
    assert result.json["secret"] not in json.dumps(machine.read("/v1/webhooks"))
    kept = json.dumps(desk.rows("SELECT payload FROM events WHERE aggregate = 'webhook'"), default=str)
    assert result.json["secret"] not in kept


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"url": "http://hooks.example.com/"}, "/url"),
        ({"url": "https://127.0.0.1/"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"url": "https://user:password@example.com/"}, "/url"),
        ({"url": "https://example.com:6379/"}, "/url"),
        ({"event_types": ["ticket_exploded"]}, "/event_types/0"),
        ({"event_types": ["*", "ticket_created"]}, "/event_types"),
        ({"event_types": []}, "/event_types"),
    ],
)
def test_a_mistake_is_reported_with_its_place(machine: Caller, body: dict[str, Any], path: str) -> None:
    told = {"url": URL, "event_types": ["ticket_created"]} | body

    document = problem(machine.post("/v1/webhooks", told), 422)

    assert [error["path"] for error in document["errors"]] == [path]


def test_a_change_needs_the_etag_that_was_read(machine: Caller) -> None:
    webhook = made(machine)
    address = f"/v1/webhooks/{webhook['id']}"
    etag = machine.get(address).headers["etag"]

    problem(machine.ask("PATCH", address, {"description": "x"}), 428)
    changed = machine.ask("PATCH", address, {"description": "x", "active": False}, headers={"If-Match": etag})
    problem(machine.ask("PATCH", address, {"description": "y"}, headers={"If-Match": etag}), 412)

    assert (changed.json["state"], changed.json["active"], changed.json["description"]) == (
        "paused",
        False,
        "x",
    )


def test_a_trial_goes_out_and_its_log_shows_the_outcome(
    machine: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOKS_PRIVATE", "true")
    settings.current.cache_clear()
    with receiving() as receiver:
        receiver.answers.append(Say(500, body=b"no"))
        webhook = made(machine, url=receiver.url)
        address = f"/v1/webhooks/{webhook['id']}"

        trial = machine.made(f"{address}/test")
        desk.run_due()
        desk.advance(minutes=1)
        desk.run_due()

        told = machine.read(f"{address}/deliveries/{trial['id']}")
        assert (trial["state"], trial["event_type"]) == ("pending", "webhook_tested")
        assert (told["state"], told["attempts"], told["last_status"]) == ("delivered", 2, 204)
        assert [one["response"] for one in told["attempt_log"]] == ["no", ""]
        assert [one["id"] for one in machine.read(f"{address}/deliveries?state=delivered")["items"]] == [trial["id"]]
        assert machine.read(f"{address}/deliveries?state=failed")["items"] == []
        machine.made(f"{address}/deliveries/{trial['id']}/replay")
        problem(machine.post(f"{address}/deliveries/{trial['id']}/replay"), 409)
        desk.run_due()
        assert len(receiver.got) == 3


def test_deliveries_are_paged(machine: Caller, desk: Desk) -> None:
    webhook = made(machine)
    for number in range(5):
        machine.ticket(f"ticket {number}")

    found = machine.everything(f"/v1/webhooks/{webhook['id']}/deliveries")

    assert len({one["id"] for one in found}) == 5


def test_what_was_switched_off_is_seen_and_switched_on_again(machine: Caller, desk: Desk) -> None:
    from models.subscriptions import commands

    webhook = made(machine)
    address = f"/v1/webhooks/{webhook['id']}"
    [subscription] = desk.command(queries.page, before=None, limit=9)
    desk.command(commands.switch_off, subscription, "nothing was delivered for 3 days")
    machine.ticket()

    shown = machine.read(address)
    problem(machine.post(f"{address}/replay", {"since": "2026-01-01T00:00:00Z"}), 409, "webhook_not_active")
    problem(machine.post(f"{address}/test"), 409, "webhook_not_active")
    health = machine.get("/healthz/deep").json
    machine.ask("PATCH", address, {"active": True}, headers={"If-Match": "*"})
    replayed = machine.made(f"{address}/replay", {"since": "2026-01-01T00:00:00Z"})

    assert (shown["state"], shown["switched_off_reason"]) == (
        "switched_off",
        "nothing was delivered for 3 days",
    )
    assert health["parts"]["webhooks"] == {
        "ok": False,
        "detail": "1 switched off after long failure, 0 failing",
    }
    assert replayed == {"count": 1}
    assert machine.read(address)["switched_off_reason"] is None


def test_a_removed_webhook_is_gone(machine: Caller) -> None:
    webhook = made(machine)
    address = f"/v1/webhooks/{webhook['id']}"

    assert machine.ask("DELETE", address).status_code == 204

    problem(machine.get(address), 404)
    assert machine.read("/v1/webhooks")["items"] == []


def test_a_rotated_secret_is_another(machine: Caller) -> None:
    webhook = made(machine)

    rotated = machine.made(f"/v1/webhooks/{webhook['id']}/rotate_secret")

    assert rotated["secret"] != webhook["secret"]
    assert rotated["secret_rotating_until"] is not None


def test_only_admins_see_webhooks(as_role: Callable[[str], Caller]) -> None:
    for role in ("manager", "agent", "accountant"):
        problem(as_role(role).get("/v1/webhooks"), 403)


def test_events_of_a_real_desk_conform_to_the_published_schemas(machine: Caller, desk: Desk) -> None:
    made(machine, event_types=["*"])
    ticket = machine.ticket(description="It burns.", requester={"email": "ada@example.com"})
    machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": "Water it."})
    machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "note", "body": "Again."})
    desk.receive_telegram()
    desk.receive_email()
    desk.run_due()
    listed = {one["event_type"]: one["schema_url"] for one in machine.read("/v1/webhooks/schemas")["items"]}

    checked = set()
    for row in desk.rows("SELECT event_id FROM events"):
        event = desk.command(queries.event, row["event_id"])
        for bodies in (False, True):
            told = json.loads(payloads.body(event, include_bodies=bodies))
            jsonschema.validate(told, machine.read(listed[event["event_type"]]))
        checked.add(event["event_type"])
    assert checked >= {"ticket_created", "message_received", "message_added", "note_added", "webhook_created"}


def test_every_schema_is_one(machine: Caller) -> None:
    for name in EVENT_TYPES:
        schema = machine.read(f"/v1/webhooks/schemas/{name}")

        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["properties"]["version"] == {"const": 1}
    problem(machine.get("/v1/webhooks/schemas/ticket_exploded"), 404)


def test_the_first_webhook_of_several_processes_is_answered_when_all_of_them_know_of_it(
    machine: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setenv("BROKER_URL", "amqp://nobody:nothing@127.0.0.1:1/")
    settings.current.cache_clear()

    made(machine)
    made(machine)
    desk.advance(minutes=2)
    made(machine)

    assert len(slept) == 2
    assert all(seconds > fan_out.notice_s for seconds in slept)
