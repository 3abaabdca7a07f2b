"""Requesters and organisations publish events without words about a person; a merge fills gaps and can be undone."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from models.definitions import store
from models.requesters import commands
from models.visibility import owners
from tests.desk import Desk
from tests.functions.callers import Caller, sqlite_only

pytestmark = sqlite_only
_TEXT = {"kind": "text", "label": {"en": "Label", "ru": "Надпись"}}


@pytest.fixture(autouse=True)
def model(desk: Desk) -> None:
    """The model of requesters has three texts."""
    fields = {"phone": _TEXT, "room": _TEXT, "floor": _TEXT}
    entity = {"entity": "requester", "label": _TEXT["label"], "fields": fields}
    desk.command(store.publish, "model", "entity.requester", entity, source="test", by="test")
    store.forget()


def events_of(desk: Desk, aggregate: str, aggregate_id: str) -> list[tuple[str, Any]]:
    found = desk.rows(
        "SELECT event_type, payload FROM events WHERE aggregate = :aggregate AND aggregate_id = :id ORDER BY sequence",
        aggregate=aggregate,
        id=UUID(aggregate_id),
    )
    return [(one["event_type"], json.loads(one["payload"])) for one in found]


def change(caller: Caller, path: str, **body: Any) -> Any:
    return caller.ask("PATCH", path, body, headers={"If-Match": "*"}).json


def person(machine: Caller, **more: Any) -> Any:
    return machine.made("/v1/requesters", {"name": "Ada", **more})


def test_a_requester_publishes_each_change_by_the_names_of_what_changed(desk: Desk, machine: Caller) -> None:
    firm = machine.made("/v1/organisations", {"name": "Firm", "domains": ["firma.example"]})
    ada = person(machine, email="ada@firma.example")
    path = f"/v1/requesters/{ada['id']}"

    change(machine, path, name="Ada L.", fields={"phone": "1234"}, organisation_id=None)
    change(machine, path, name="Ada L.")
    machine.made(f"{path}/identities", {"channel": "telegram", "address": "42"})
    machine.made(f"{path}/identity_changes", {"channel": "telegram", "address": "42", "blocked": True})

    assert events_of(desk, "requester", ada["id"]) == [
        ("requester_created", {"organisation_id": firm["id"]}),
        ("requester_updated", {"changed": ["fields.phone", "name", "organisation_id"], "organisation_id": None}),
        ("requester_updated", {"changed": ["identities"]}),
        ("requester_updated", {"changed": ["identities"]}),
    ]
    actors = desk.rows("SELECT DISTINCT actor_kind FROM events WHERE aggregate = 'requester'")
    assert [one["actor_kind"] for one in actors] == ["api_key"]


def test_who_writes_for_the_first_time_creates_themselves(desk: Desk, machine: Caller) -> None:
    desk.receive_telegram("It burns.", chat=42, name="Ada")
    desk.receive_telegram("Still.", chat=42, name="Ada")
    desk.run_due()

    [ada] = machine.read("/v1/requesters")["items"]

    assert events_of(desk, "requester", ada["id"]) == [("requester_created", {"organisation_id": None})]
    [event] = desk.rows("SELECT actor_kind, actor_id FROM events WHERE aggregate = 'requester'")
    assert (event["actor_kind"], event["actor_id"]) == ("requester", ada["id"])


def test_an_address_that_another_caller_took_first_leaves_no_event(
    desk: Desk, machine: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.made("/v1/webhooks", {"url": "https://hooks.example.com/", "event_types": ["*"]})
    first = desk.command(commands.find_or_create, "telegram", "42", name="Ada")
    monkeypatch.setattr(commands, "_owner_or_organisation", lambda channel, address: (None, None))

    second = desk.command(commands.find_or_create, "telegram", "42", name="Ada")

    assert second.id == first.id
    [event] = desk.rows("SELECT event_id, aggregate_id FROM events WHERE aggregate = 'requester'")
    assert event["aggregate_id"] == str(first.id)
    delivered = desk.rows("SELECT event_id FROM webhook_deliveries WHERE event_id NOT IN (SELECT event_id FROM events)")
    assert delivered == []


def test_an_organisation_publishes_its_life(desk: Desk, machine: Caller) -> None:
    firm = machine.made("/v1/organisations", {"name": "Firm", "domains": ["firma.example"]})
    path = f"/v1/organisations/{firm['id']}"

    change(machine, path, name="Firm Ltd", domains=[])
    change(machine, path, name="Firm Ltd")
    machine.ask("DELETE", path)

    assert events_of(desk, "organisation", firm["id"]) == [
        ("organisation_created", {"name": "Firm"}),
        ("organisation_updated", {"changed": ["domains", "name"]}),
        ("organisation_deleted", {}),
    ]


def test_a_merge_fills_the_gaps_of_the_kept_requester_until_its_undo(desk: Desk, machine: Caller) -> None:
    firm = machine.made("/v1/organisations", {"name": "Firm"})
    kept = person(machine, fields={"phone": "1"}, locale="de")
    other = person(
        machine,
        fields={"phone": "2", "room": "7", "floor": "3"},
        locale="en",
        time_zone="Europe/Berlin",
        organisation_id=firm["id"],
    )
    path = f"/v1/requesters/{kept['id']}"

    merge = machine.made(f"{path}/merges", {"source_id": other["id"]})
    together = machine.read(path)
    change(machine, path, fields={"floor": "4"})
    machine.ask("DELETE", f"{path}/merges/{merge['id']}")
    apart = machine.read(path)

    assert together["fields"] == {"phone": "1", "room": "7", "floor": "3"}
    assert (together["locale"], together["time_zone"], together["organisation"]["id"]) == (
        "de",
        "Europe/Berlin",
        firm["id"],
    )
    assert apart["fields"] == {"phone": "1", "floor": "4"}
    assert (apart["locale"], apart["time_zone"], apart["organisation"]) == ("de", None, None)
    restored = machine.read(f"/v1/requesters/{other['id']}")
    assert restored["fields"] == {"phone": "2", "room": "7", "floor": "3"}
    named = [event_type for event_type, _ in events_of(desk, "requester", kept["id"])]
    assert named == ["requester_created", "requesters_merged", "requester_updated", "requester_merge_undone"]


def test_an_erasure_publishes_itself_and_the_log_has_no_words_of_the_person(desk: Desk, machine: Caller) -> None:
    ada = person(machine, email="ada@firma.example", fields={"phone": "555-1234"})
    other = person(machine, fields={"room": "the blue room"})
    machine.made(f"/v1/requesters/{ada['id']}/merges", {"source_id": other["id"]})
    exported = machine.read(f"/v1/requesters/{ada['id']}/export")

    machine.made(f"/v1/requesters/{ada['id']}/erasure")

    assert [one["event_type"] for one in exported["requester_history"] if one["aggregate_id"] == ada["id"]] == [
        "requester_created",
        "requesters_merged",
    ]
    found = events_of(desk, "requester", ada["id"])
    assert found[-1] == ("requester_erased", {})
    kept = json.dumps([found, desk.rows("SELECT filled FROM requester_merges")], default=str)
    assert not any(word in kept for word in ("555-1234", "blue room", "ada@", "Ada"))


def test_subscribers_get_events_of_requesters_as_far_as_their_owner_may_read_them(
    desk: Desk, machine: Caller, as_user: Any
) -> None:
    machine.made("/v1/webhooks", {"url": "https://hooks.example.com/", "event_types": ["requester_created"]})
    ada = person(machine)
    people = {role: UUID(as_user(role).read("/v1/me")["id"]) for role in ("agent", "accountant")}
    event: Any = {"aggregate": "requester", "aggregate_id": ada["id"]}

    waiting = desk.rows("SELECT event_id FROM webhook_deliveries")
    schema = machine.read("/v1/webhooks/schemas/requester_created")

    assert len(waiting) == 1
    assert "requester" in schema["properties"]["data"]["properties"]["aggregate"]["enum"]
    assert desk.command(owners.seen_event, event, people["agent"]) == event
    assert desk.command(owners.seen_event, event, people["accountant"]) is None
