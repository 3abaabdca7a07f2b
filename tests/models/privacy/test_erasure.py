"""The erasure of one person: what it removes, what it leaves to others, and that nothing comes back."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from models.channels import accounts
from models.conversations import participants
from models.deliveries import commands as deliveries
from models.events.commands import SYSTEM
from models.inbound import recording
from models.inbox import commands as inbox
from models.kernel import settings
from models.kernel.errors import Conflict, TransientFailure
from models.kernel.storage import database
from models.ports import channel_facts, outbound
from models.ports.inbound import Participant, Receipt, Receipts
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.privacy import erasure
from models.privacy.register.columns import TABLES
from models.privacy.rows import DELETED, EMPTIED
from models.requesters import commands as requesters
from models.tickets.ticket_change import TicketChange
from queues import people_index
from tests.desk import Desk
from tests.models.privacy.dump import everything, places

ADA = "an07587@over.test"
JO = "jo.an07587@over.test.example"


def person(channel: str, address: str) -> UUID:
    with database.connection():
        found = requesters.find(channel, address)
    assert found is not None
    return found.id


def erase(channel: str = "email", address: str = ADA) -> int:
    """Erase the owner of an address, as the HTTP operation does."""
    with database.transaction():
        people_index.index_waiting()
        return erasure.erase(person(channel, address), actor=SYSTEM)


def raw(desk: Desk, event_id: UUID) -> bytes:
    (row,) = desk.rows("SELECT raw FROM inbox WHERE id = :id", id=event_id)
    return bytes(row["raw"])


def test_an_address_within_anothers_address_erases_nothing_of_theirs(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    other = desk.receive_email("Jo wrote this.", sender=f"Jo <{JO}>")
    quarantined = desk.receive_raw(
        "email", f"From: {JO}\r\nSubject: x\r\n\r\nJo, unread.".encode(), content_type="message/rfc822"
    )
    desk.run_due()
    with database.transaction():
        database.execute("UPDATE inbox SET status = 'failed', message_id = NULL WHERE id = :id", id=quarantined)
    before = everything()

    erase()

    after = everything()
    assert b"Jo wrote this." in raw(desk, other)
    assert b"Jo, unread." in raw(desk, quarantined)
    assert {k: v for k, v in before["messages"].items() if "Jo" in v["body"]}.items() <= after["messages"].items()


def test_an_event_with_an_encoded_address_is_erased(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    encoded = desk.receive_raw(
        "email",
        b"From: =?utf-8?q?an07587=40over=2Etest?= <an07587@over.test>\r\nSubject: =?utf-8?q?secret?=\r\n\r\nhunter2",
        content_type="message/rfc822",
    )

    erase()

    assert raw(desk, encoded) == b""


def test_an_event_that_waited_during_the_erasure_is_emptied_and_brings_nobody_back(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    waiting = desk.receive_email("hunter2", sender=f"Ada <{ADA}>")
    with database.transaction():
        erasure.erase(person("email", ADA), actor=SYSTEM)

    desk.run_due()

    assert desk.inbox(waiting)["reason"] == "its sender's data was erased"
    assert raw(desk, waiting) == b""
    assert len(desk.tickets()) == 1
    assert places(everything(), ADA, "hunter2") == set()


def test_a_person_who_writes_after_the_erasure_is_a_new_person(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    erase()
    desk.advance(seconds=1)

    desk.receive_email("It is me again.", sender=f"Ada <{ADA}>")
    desk.run_due()

    bodies = [body.strip() for ticket in desk.tickets() for body in desk.bodies(ticket)]
    assert bodies == ["[erased]", "It is me again."]


def test_an_erased_event_is_not_replayed(desk: Desk) -> None:
    event = desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    with database.transaction():
        database.execute("UPDATE inbox SET status = 'failed' WHERE id = :id", id=event)
    erase()

    refused = desk.refused(inbox.replay, event)

    assert isinstance(refused, Conflict)
    assert "erased" in refused.message


def test_an_event_settled_while_an_erasure_commits_is_tried_again(desk: Desk) -> None:
    """The erasure commits between the event's first statement and its last."""
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    event = desk.receive_email("hunter2", sender=f"Ada <{ADA}>")
    with database.transaction():
        erasure.erase(person("email", ADA), actor=SYSTEM)
        loaded = inbox.load(event)

    with pytest.raises(TransientFailure), database.transaction():
        inbox.settle(_with_people(loaded), "processed")


def _with_people(event: inbox.RawEvent) -> inbox.RawEvent:
    return inbox.RawEvent(event.id, event.channel, event.account, event.status, {}, b"", people=(ADA,))


def test_a_report_about_several_people_is_recorded_and_then_emptied(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    event = desk.receive_raw("email", b"From: x@y.test\r\n\r\n.", content_type="message/rfc822")
    with database.transaction():
        erasure.erase(person("email", ADA), actor=SYSTEM)
        items = tuple(Receipt("<nothing@x>", "delivered", recipient=one) for one in (ADA, JO))

        recording.record(inbox.load(event), accounts.find("email", "demo"), Receipts(items))

    assert raw(desk, event) == b""
    assert places(everything(), ADA) == set()


def test_a_message_of_another_in_the_persons_ticket_stays(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>", subject="Adas matter", message_id="<1@x>")
    desk.run_due()
    ticket = desk.ticket()
    with database.transaction():
        change = TicketChange.of(ticket.id, actor=SYSTEM)
        participants.add(change, "email", [Participant("Jo", "jo@else.test")], role="copy")
        change.save()
    desk.reply(ticket, "Dear Ada, an answer.")
    desk.run_due()
    (answer,) = [m for m in desk.messages(ticket) if m["direction"] == "outbound" and m["body"].startswith("Dear")]
    event = desk.receive_email(
        "Jo agrees.", sender="Jo <jo@else.test>", in_reply_to=answer["external_id"], subject="Mine"
    )
    desk.run_due()
    assert desk.inbox(event)["ticket_id"] is not None
    before = everything()

    erase()

    after = everything()
    (message_id,) = [key for key, row in before["messages"].items() if row["body"].startswith("Jo agrees")]
    assert after["messages"][message_id] == before["messages"][message_id]
    assert after["inbox"][str(event)] == before["inbox"][str(event)]
    assert places(after, ADA, "Adas matter", "Dear Ada") == set()


def test_a_waiting_answer_to_the_person_is_discarded_and_not_sent_again(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    sent = len(desk.calls)
    desk.reply(desk.ticket(), "Dear Ada.")

    erase()
    desk.run_due()

    assert len(desk.calls) == sent
    waiting = [one for one in desk.deliveries(desk.ticket()) if one["state"] == "discarded"]
    assert [one["address"] for one in waiting] == ["[erased]"]
    with database.transaction(), pytest.raises(Conflict, match="erased"):
        deliveries.retry(UUID(str(waiting[0]["id"])))


def test_an_outcome_that_comes_after_the_erasure_is_not_stored(desk: Desk) -> None:
    desk.receive_telegram("Ada wrote this.", chat=700100, name="Ada")
    desk.run_due()

    def answer_after_the_erasure(message: OutgoingMessage) -> SendOutcome:
        erase("telegram", "700100")
        return outbound.accepted("700100:9")

    desk.reply(desk.ticket(), "Dear Ada.")
    desk.answers.append(answer_after_the_erasure)
    desk.run_due()

    assert places(everything(), "700100") == set()


def test_reactions_of_the_person_are_removed_and_those_of_others_stay(desk: Desk) -> None:
    desk.receive_telegram("In the group.", chat=-100500, user=700200, name="Bob")
    desk.run_due()
    desk.receive_telegram("Mine.", chat=700100, name="Ada")
    desk.run_due()
    with database.transaction():
        database.execute(
            "UPDATE messages SET reactions = :both WHERE body = 'In the group.'",
            both=json.dumps({"700100": ["+"], "700200": ["-"]}),
        )

    erase("telegram", "700100")

    (row,) = desk.rows("SELECT reactions FROM messages WHERE body = 'In the group.'")
    held = row["reactions"] if isinstance(row["reactions"], dict) else json.loads(row["reactions"])
    assert held == {"700200": ["-"]}


def test_the_person_is_no_reader_of_the_desks_messages_any_more(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.receive_email("Bob wrote this.", sender="Bob <bob@else.test>")
    desk.run_due()
    readers = [{"name": "Ada", "address": ADA}, {"name": "Cy", "address": "cy@else.test"}]
    with database.transaction():
        database.execute(
            "UPDATE messages SET copies = :copies WHERE ticket_id = (SELECT ticket_id FROM messages WHERE body LIKE"
            " 'Bob wrote%')",
            copies=json.dumps(readers),
        )

    erase()

    rows = desk.rows("SELECT author_kind, copies FROM messages WHERE author_name <> '[erased]' ORDER BY author_kind")
    held = {
        row["author_kind"]: row["copies"] if isinstance(row["copies"], list) else json.loads(row["copies"])
        for row in rows
    }
    assert held["requester"] == readers, "Bob's own message keeps the readers that he named"
    assert held["system"] == readers[1:]


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_the_file_of_the_database_holds_no_erased_text(desk: Desk) -> None:
    marker = "an07587-marker-of-ada"
    for number in range(3):
        desk.receive_email(f"{marker} {number} " + "x" * 3_000, sender=f"Ada <{ADA}>", subject=marker)
    desk.run_due()
    path = Path(settings.current().database_url.removeprefix("sqlite:///"))
    files = [path, path.with_name(path.name + "-wal")]
    assert any(marker.encode() in file.read_bytes() for file in files if file.exists())

    erase()

    assert [file.name for file in files if file.exists() and marker.encode() in file.read_bytes()] == []


def test_every_table_with_erased_columns_is_erased() -> None:
    """The register names columns; the rows of each table are found by rows.py or by a function of erasure.py."""
    by_function = {
        "attachments",
        "conversations",
        "desk_mails",
        "events",
        "idempotency_keys",
        "inbox",
        "inbox_people",
        "portal_links",
        "portal_sessions",
        "rate_buckets",
        "requesters",
        "tasks",
        "ticket_participants",
        "tickets",
        "unreachable_chats",
    }
    by_rows = {str(rows.table._meta.table_name) for rows in (*EMPTIED, *DELETED)}

    erased = {table for table, columns in TABLES.items() if any(entry.is_erased for entry in columns.values())}

    assert erased == by_function | by_rows - {"buttons"}


def test_a_chat_is_the_persons_whose_private_place_it_is() -> None:
    person_of = channel_facts.of("telegram").person_of
    cases = {
        "42": "42",
        "42/7": "42",
        "42~9": "42",
        "42@conn": "42",
        "-100#42": "42",
        "-100": "-100",
        "-100/3": "-100/3",
    }

    assert {address: person_of(address) for address in cases} == cases
