"""/v1/requesters: one person over many channels, merged and parted, blocked, exported, erased."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from models.channels.accounts import ChannelAccount
from models.inbox import commands as inbox
from models.kernel import limits
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import Command, EventKey
from models.requesters import codes, commands, profile
from tests.desk import Desk
from tests.functions.callers import Caller, problem
from tests.models.inbound.story import digits_in

ANY = {"If-Match": "*"}


@pytest.fixture
def ada(desk: Desk, machine: Caller) -> Any:
    """Ada, who wrote a mail."""
    desk.receive_email("My password is hunter2.", subject="Secret matter")
    desk.run_due()
    return machine.read("/v1/requesters?q=ada@example")["items"][0]


def _telegram_person(desk: Desk, machine: Caller) -> Any:
    desk.receive_telegram("The same printer.", chat=42, name="Ada L.")
    desk.run_due()
    return machine.read("/v1/requesters?q=Ada L.")["items"][0]


def test_two_people_are_merged_and_parted_again(machine: Caller, desk: Desk, ada: Any) -> None:
    other = _telegram_person(desk, machine)

    merge = machine.made(f"/v1/requesters/{ada['id']}/merges", {"source_id": other["id"], "reason": "one Ada"})
    together = machine.read(f"/v1/requesters/{ada['id']}")
    tickets = machine.read(f"/v1/tickets?requester={ada['id']}")["items"]
    undone = machine.ask("DELETE", f"/v1/requesters/{ada['id']}/merges/{merge['id']}")

    assert {one["channel"] for one in together["identities"]} == {"email", "telegram"}
    assert len(tickets) == 2
    assert undone.json["undone_by"]
    assert [one["channel"] for one in machine.read(f"/v1/requesters/{ada['id']}")["identities"]] == ["email"]
    assert [one["address"] for one in machine.read(f"/v1/requesters/{other['id']}")["identities"]] == ["42"]
    assert len(machine.read(f"/v1/tickets?requester={other['id']}")["items"]) == 1
    problem(machine.ask("DELETE", f"/v1/requesters/{ada['id']}/merges/{merge['id']}"), 409)


def test_what_came_after_a_merge_goes_to_whom_its_address_belongs(machine: Caller, desk: Desk, ada: Any) -> None:
    other = _telegram_person(desk, machine)
    merge = machine.made(f"/v1/requesters/{ada['id']}/merges", {"source_id": other["id"]})
    machine.made("/v1/tickets", {"title": "Ada's", "requester": {"email": "ada@example.com"}})
    desk.index()
    chat = machine.read(f"/v1/tickets?requester={ada['id']}&q=printer")["items"][0]
    machine.made(f"/v1/tickets/{chat['id']}/transitions", {"transition": "resolve"})
    machine.made(f"/v1/tickets/{chat['id']}/transitions", {"transition": "close"})
    desk.receive_telegram("Another matter of mine.", chat=42, name="Ada L.")
    desk.run_due()

    machine.ask("DELETE", f"/v1/requesters/{ada['id']}/merges/{merge['id']}")

    def titles(person: Any) -> set[str]:
        return {one["title"] for one in machine.read(f"/v1/tickets?requester={person['id']}")["items"]}

    assert titles(ada) == {"Secret matter", "Ada's"}
    assert titles(other) == {"The same printer.", "Another matter of mine."}
    exported = machine.read(f"/v1/requesters/{other['id']}/export")["messages"]
    assert "Another matter of mine." in {one["body"] for one in exported}


def test_a_merge_below_another_one_is_not_undone_first(machine: Caller, desk: Desk, ada: Any) -> None:
    other = _telegram_person(desk, machine)
    third = machine.made("/v1/tickets", {"title": "T", "requester": {"email": "c@example.com"}})["requester"]
    first = machine.made(f"/v1/requesters/{ada['id']}/merges", {"source_id": other["id"]})
    second = machine.made(f"/v1/requesters/{third['id']}/merges", {"source_id": ada["id"]})

    problem(machine.ask("DELETE", f"/v1/requesters/{ada['id']}/merges/{first['id']}"), 409)
    assert machine.ask("DELETE", f"/v1/requesters/{third['id']}/merges/{second['id']}").status_code == 200
    assert machine.ask("DELETE", f"/v1/requesters/{ada['id']}/merges/{first['id']}").status_code == 200


def test_nobody_is_merged_with_themselves_or_twice(machine: Caller, desk: Desk, ada: Any) -> None:
    other = _telegram_person(desk, machine)
    path = f"/v1/requesters/{ada['id']}/merges"

    problem(machine.post(path, {"source_id": ada["id"]}), 409)
    machine.made(path, {"source_id": other["id"]})
    problem(machine.post(path, {"source_id": other["id"]}), 409)


def test_a_code_proves_an_address_and_brings_its_person_along(machine: Caller, desk: Desk, ada: Any) -> None:
    other = _telegram_person(desk, machine)
    code = machine.made(f"/v1/requesters/{other['id']}/codes", {"address": "ada@example.com"})
    desk.run_due()
    mailed = desk.sent[-1]
    digits = next(word.strip(".") for word in mailed.body.split() if word.strip(".").isdigit())
    path = f"/v1/requesters/{other['id']}/codes/{code['id']}/verification"
    wrong = f"{(int(digits) + 1) % 1_000_000:06d}"

    problem(machine.post(path, {"digits": wrong}), 409, "wrong_code")
    proved = machine.post(path, {"digits": digits})
    again = machine.post(path, {"digits": digits})

    assert mailed.address == "ada@example.com"
    assert mailed.message.external_id
    assert {(one["channel"], one["verified_by"]) for one in proved.json["identities"]} == {
        ("telegram", None),
        ("email", "code"),
    }
    assert machine.read(f"/v1/requesters/{ada['id']}")["merged_into"] == other["id"]
    problem(again, 409, "wrong_code")


def test_one_caller_mails_codes_to_a_few_addresses_an_hour(machine: Caller, desk: Desk, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}/codes"
    most = limits.codes_of_sender_burst

    answers = [machine.post(path, {"address": f"stranger-{number}@example.com"}) for number in range(most + 20)]

    assert [answer.status_code for answer in answers] == [201] * most + [409] * 20
    problem(answers[-1], 409, "too_many_codes")
    desk.advance(hours=1)
    assert machine.post(path, {"address": "later@example.com"}).status_code == 201


def test_a_code_that_is_mailed_again_is_the_same_mail(machine: Caller, desk: Desk, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}/codes"
    desk.answers.append(outbound.transient("the server is busy"))

    machine.made(path, {"address": "other@example.com"})
    desk.run_due()
    desk.advance(minutes=2)
    desk.run_due()
    machine.made(path, {"address": "third@example.com"})
    desk.run_due()

    first, again, another = desk.calls[-3:]
    assert (first.message.attempt_number, again.message.attempt_number) == (1, 2)
    assert first.message.external_id == again.message.external_id
    assert first.message.external_id != another.message.external_id


@pytest.mark.parametrize("how", ["suppressed", "blocked"])
def test_no_code_goes_to_an_address_that_must_not_be_written_to(
    machine: Caller, desk: Desk, ada: Any, how: str
) -> None:
    other = _telegram_person(desk, machine)
    path = f"/v1/requesters/{other['id']}/codes"
    machine.made(path, {"address": "ada@example.com"})
    calls = len(desk.calls)

    with database.transaction():
        if how == "suppressed":
            commands.suppress("email", "ada@example.com", "no such mailbox")
        else:
            profile.set_blocked(UUID(ada["id"]), "email", "ada@example.com", "spam")
    desk.run_due()

    assert len(desk.calls) == calls
    problem(machine.post(path, {"address": "ADA@example.com"}), 409, "address_not_written")


def test_an_address_that_a_code_cannot_reach_is_not_written_to_again(machine: Caller, desk: Desk, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}/codes"
    desk.answers.append(outbound.permanent("no such mailbox", suppress="no such mailbox"))

    machine.made(path, {"address": "ada@example.com"})
    desk.run_due()

    assert machine.read(f"/v1/requesters/{ada['id']}")["identities"][0]["suppressed_reason"] == "no such mailbox"
    problem(machine.post(path, {"address": "ada@example.com"}), 409, "address_not_written")


def test_a_guesser_of_codes_has_five_tries(machine: Caller, desk: Desk, ada: Any) -> None:
    code = machine.made(f"/v1/requesters/{ada['id']}/codes", {"address": "other@example.com"})
    right = codes.digits_of(UUID(code["id"]))
    path = f"/v1/requesters/{ada['id']}/codes/{code['id']}/verification"

    for _ in range(5):
        machine.post(path, {"digits": "x" + right[1:]})

    problem(machine.post(path, {"digits": right}), 409, "wrong_code")


def test_a_mailbox_is_not_filled_with_codes(machine: Caller, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}/codes"
    for _ in range(3):
        machine.made(path, {"address": "victim@example.com"})

    problem(machine.post(path, {"address": "victim@example.com"}), 409, "too_many_codes")


def test_a_deep_link_is_shown_once(machine: Caller, ada: Any) -> None:
    link = machine.made(f"/v1/requesters/{ada['id']}/links", {})

    assert 20 <= len(link["token"]) <= 64
    assert set(link["token"]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def test_the_number_of_a_deep_link_is_entered_where_the_link_was_made(machine: Caller, desk: Desk, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}"
    token = machine.made(f"{path}/links", {})["token"]
    desk.receive(Command("start", token, "42", "Ada", "42", "42"), channel="telegram")
    desk.run_due()
    number = digits_in(desk.calls[-1].body)

    wrong = machine.post(f"{path}/link_confirmations", {"token": token, "number": "x"})
    right = machine.ask("POST", f"{path}/link_confirmations", {"token": token, "number": number})
    again = machine.post(f"{path}/link_confirmations", {"token": token, "number": number})

    problem(wrong, 409, "wrong_number")
    assert {one["address"] for one in right.json["identities"]} == {"ada@example.com", "42"}
    problem(again, 409, "wrong_number")


def test_nothing_is_taken_from_a_blocked_address_until_it_is_released(machine: Caller, desk: Desk, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}/identity_changes"
    address = {"channel": "email", "address": "ada@example.com"}

    blocked = machine.made(path, {**address, "blocked": True, "reason": "threats"})
    desk.receive_email("Again!", message_id="<2@x>")
    desk.run_due()
    machine.made(path, {**address, "blocked": False})
    desk.receive_email("Sorry.", message_id="<3@x>")
    desk.run_due()

    assert blocked["identities"][0]["blocked_reason"] == "threats"
    assert len(machine.read("/v1/requesters?blocked=true")["items"]) == 0
    assert [row["reason"] for row in desk.rows("SELECT reason FROM inbox WHERE status = 'ignored'")] == [
        "its sender is blocked"
    ]
    assert len(desk.tickets()) == 2


def test_name_language_and_zone_are_changed_by_version(machine: Caller, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}"
    etag = machine.get(path).headers["etag"]

    changed = machine.ask("PATCH", path, {"locale": "de", "time_zone": "Europe/Berlin"}, headers={"If-Match": etag})

    assert (changed.json["locale"], changed.json["time_zone"]) == ("de", "Europe/Berlin")
    problem(machine.ask("PATCH", path, {"name": "A"}, headers={"If-Match": etag}), 412)
    problem(machine.ask("PATCH", path, {"time_zone": "Mars/Olympus"}, headers=ANY), 422)


def test_an_address_that_is_somebody_elses_is_not_taken(machine: Caller, desk: Desk, ada: Any) -> None:
    other = _telegram_person(desk, machine)
    path = f"/v1/requesters/{other['id']}/identities"

    added = machine.made(path, {"channel": "email", "address": "ADA.private@example.com"})
    refused = machine.post(path, {"channel": "email", "address": "ada@example.com"})

    assert [one["address"] for one in added["identities"]] == ["42", "ada.private@example.com"]
    problem(refused, 409)


def test_an_export_has_everything_of_the_person(machine: Caller, ada: Any) -> None:
    document = machine.read(f"/v1/requesters/{ada['id']}/export")

    assert [m["body"].strip() for m in document["messages"] if m["direction"] == "inbound"] == [
        "My password is hunter2."
    ]
    assert [t["title"] for t in document["tickets"]] == ["Secret matter"]
    assert document["identities"][0]["address"] == "ada@example.com"


def test_an_erasure_leaves_nothing_of_the_person(machine: Caller, desk: Desk, ada: Any) -> None:
    ticket = desk.ticket()
    desk.receive_email("hunter2 again, from somebody who looks forged.", message_id="<forged@x>")
    with database.transaction():
        database.execute("UPDATE inbox SET status = 'failed', reason = 'quarantined' WHERE status = 'stored'")
        database.execute("DELETE FROM tasks WHERE kind = 'ingest_event' AND state = 'ready'")
    desk.reply(ticket, "Dear Ada, hunter2 is no good password.")
    desk.run_due()

    erased = machine.made(f"/v1/requesters/{ada['id']}/erasure")

    assert erased["tickets"] == 1
    for table in (
        "requesters",
        "identities",
        "tickets",
        "messages",
        "events",
        "inbox",
        "deliveries",
        "message_references",
        "decisions",
        "ticket_participants",
    ):
        rows = [
            {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
            for row in desk.rows(f"SELECT * FROM {table}")
        ]
        assert "hunter2" not in str(rows), table
        assert "ada@example" not in str(rows).lower(), table
        assert "Secret matter" not in str(rows), table
    assert machine.read(f"/v1/tickets/{ticket.id}")["title"] == "[erased]"
    problem(machine.post(f"/v1/requesters/{ada['id']}/erasure"), 409)


@pytest.mark.parametrize(
    ("channel", "address", "raw"),
    [
        ("webhook", "demo:grace", b'{"from": {"id": "grace", "name": "G. Hopper"}, "text": "hunter2"}'),
        ("telegram", "700100", b'{"message": {"text": "hunter2", "from": {"id": 700100, "is_bot": false}}}'),
        ("telegram", "700100", b'{"message": {"text": "hunter2", "chat": {"type": "private", "id": 700100}}}'),
    ],
)
def test_an_erasure_finds_events_without_a_message_on_each_channel(
    machine: Caller, desk: Desk, channel: str, address: str, raw: bytes
) -> None:
    bare = address.rpartition(":")[2].encode()
    account = ChannelAccount(channel, "demo", 1, {})
    with database.transaction():
        grace = commands.find_or_create(channel, address, name="Grace")
        for number, held in enumerate((raw, raw.replace(bare, b"1" + bare))):
            inbox.store(account, EventKey(f"quarantined-{number}", None), raw=held, content_type="application/json")

    machine.made(f"/v1/requesters/{grace.id}/erasure")

    left = [bytes(row["raw"]) for row in desk.rows("SELECT raw FROM inbox ORDER BY event_key")]
    assert left == [b"", raw.replace(bare, b"1" + bare)]


def test_an_address_is_added_only_on_a_channel_of_the_desk(machine: Caller, ada: Any) -> None:
    path = f"/v1/requesters/{ada['id']}/identities"

    machine.made(path, {"channel": "webhook", "address": "Ada"})
    refused = machine.post(path, {"channel": "carrier_pigeon", "address": "Ada"})

    assert problem(refused, 422)["errors"][0]["path"] == "/channel"
    assert {one["channel"] for one in machine.read(f"/v1/requesters/{ada['id']}")["identities"]} == {"email", "webhook"}


@pytest.mark.parametrize("path", ["export", "erasure"])
def test_an_agent_neither_exports_nor_erases(agent: Caller, ada: Any, path: str) -> None:
    method = "GET" if path == "export" else "POST"

    problem(agent.ask(method, f"/v1/requesters/{ada['id']}/{path}"), 403)
