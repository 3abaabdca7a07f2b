"""The index of whose an event is, written when the event is read, for messages and for everything else."""

from __future__ import annotations

import json
from dataclasses import replace

from models.ports.inbound import Receipt, Receipts
from queues.channels.email.judging import mentioned as in_mail
from queues.channels.telegram.reading import mentioned as in_update
from tests.desk import Desk
from tests.models.inbound.story import MAIL, opened, told


def authors(desk: Desk) -> list[str | None]:
    rows = desk.rows("SELECT author_address FROM inbox ORDER BY received_at, id")
    return [row["author_address"] for row in rows]


def test_a_message_is_its_authors_in_the_form_in_which_addresses_are_compared(desk: Desk) -> None:
    opened(desk, replace(MAIL, author_address="Ada@Example.test", contact_address="ada@example.test"), "email")

    assert authors(desk) == ["ada@example.test"]


def test_a_report_about_several_recipients_is_everybodys(desk: Desk) -> None:
    opened(desk, MAIL, "email")
    items = tuple(Receipt("<nothing@x>", "delivered", recipient=f"{name}@example.test") for name in ("Bob", "cy", "di"))

    told(desk, Receipts(items), "email")

    assert authors(desk)[-1] == "bob@example.test"
    further = desk.rows("SELECT channel, address FROM inbox_people ORDER BY address")
    assert [(row["channel"], row["address"]) for row in further] == [
        ("email", "cy@example.test"),
        ("email", "di@example.test"),
    ]


def test_an_ignored_update_is_the_users_who_caused_it(desk: Desk) -> None:
    update = {
        "update_id": 5,
        "poll_answer": {"poll_id": "1", "user": {"id": 777001, "is_bot": False, "first_name": "Ada"}},
    }
    desk.receive_raw("telegram", json.dumps(update).encode(), content_type="application/json")
    desk.run_due()

    assert authors(desk) == ["777001"]


def test_an_update_that_cannot_be_read_is_its_users(desk: Desk) -> None:
    update = {"update_id": 5, "message": {"from": {"id": 777001, "is_bot": False}, "chat": {"id": 1}}}
    desk.receive_raw("telegram", json.dumps(update).encode(), content_type="application/json")
    desk.run_due()

    assert [row["status"] for row in desk.rows("SELECT status FROM inbox")] == ["failed"]
    assert authors(desk) == ["777001"]


def test_the_people_of_an_update_are_its_users_and_private_chats_but_nobody_it_quotes() -> None:
    ada = {"id": 1, "is_bot": False, "first_name": "Ada"}
    update = {
        "message": {
            "from": ada,
            "chat": {"id": 1, "type": "private"},
            "via_bot": {"id": 9, "is_bot": True},
            "reply_to_message": {"from": {"id": 2, "is_bot": False}},
            "forward_origin": {"sender_user": {"id": 3, "is_bot": False}},
            "new_chat_members": [{"id": 4, "is_bot": False}, {"id": 5, "is_bot": True}],
        }
    }

    assert in_update.people(update) == ("1", "4")


def test_the_people_of_a_report_are_the_values_that_are_addresses() -> None:
    report = {
        "event": "delivered",
        "recipient": "Ada@Example.test",
        "to": ["<bob@example.test>"],
        "text": "write to cy@example.test or to nobody",
        "from": "desk@example.test",
    }

    found = in_mail.people(json.dumps(report).encode(), {}, ours=frozenset({"desk@example.test"}))

    assert found == ("ada@example.test", "bob@example.test")


def test_the_people_of_a_mail_are_its_authors_and_not_those_it_quotes() -> None:
    raw = (
        b"From: Ada <ada@example.test>\r\nReply-To: ada.private@example.test\r\nTo: desk@example.test\r\n"
        b"X-Failed-Recipients: bob@example.test\r\n\r\nFrom: cy@example.test\r\n"
    )

    found = in_mail.people(raw, {}, ours=frozenset())

    assert found == ("ada@example.test", "ada.private@example.test", "bob@example.test")


def test_bytes_that_nothing_can_be_read_from_are_nobodys() -> None:
    deep = b"[" * 100_000
    for raw in (b"", b"{", deep, b"\xff\xfe", b'{"a": 1e999}', b"[1, null, true]"):
        assert in_mail.people(raw, {}, ours=frozenset()) == ()
