"""The talk in a ticket's topic: formats, questions before a move, edits, and the order under the group's limit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import ButtonPress
from models.tasks.rates import Bucket
from models.ticket_actions import answering
from queues.channels.telegram import send
from tests.desk import Desk
from tests.models.staff_chat.groups import GROUP, Topics, opened, posts, says

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def answer(desk: Desk) -> outbound.OutgoingMessage:
    """The last message to the requester."""
    return [call.message for call in desk.sent if call.address == "42"][-1]


@pytest.mark.parametrize(
    ("kind", "body", "body_format"),
    [
        ("bold", "Please **wait**.", "markdown"),
        ("code", "Please `wait`.", "markdown"),
        ("underline", "Please <u>wait</u>.", "html"),
    ],
)
def test_the_format_of_an_agents_text_reaches_the_requester(
    desk: Desk, group: Topics, kind: str, body: str, body_format: str
) -> None:
    ticket = opened(desk)

    says(desk, "Please wait.", entities=[{"type": kind, "offset": 7, "length": 4}])

    assert (answer(desk).body, answer(desk).body_format) == (body, body_format)
    assert desk.messages(ticket)[-1]["body"] == body


def test_a_text_without_a_format_is_sent_as_it_is(desk: Desk, group: Topics) -> None:
    opened(desk)

    says(desk, "2 * 3 * 4 and _that_")

    assert (answer(desk).body, answer(desk).body_format) == ("2 * 3 * 4 and _that_", "text")


@pytest.mark.parametrize(
    ("body_format", "body", "shown"),
    [
        ("text", "2 * 3", "Olga Agent:\n2 * 3"),
        ("markdown", "Please **wait**.", "Olga Agent\\:\n\nPlease **wait**."),
        ("html", "Please <b>wait</b>.", "<p>Olga Agent:</p>Please <b>wait</b>."),
    ],
)
def test_an_answer_from_the_console_keeps_its_format_in_the_topic(
    desk: Desk, group: Topics, body_format: str, body: str, shown: str
) -> None:
    ticket = opened(desk)

    desk.command(answering.reply, ticket.id, body, actor=desk.person("agent"), body_format=body_format)
    desk.run_due()

    post = next(call.message for call in desk.sent if body in call.body and call.address == f"{GROUP}/11")
    assert (post.body, post.body_format) == (shown, body_format)


def test_an_edit_of_the_requester_is_shown_in_the_topic(desk: Desk, group: Topics) -> None:
    opened(desk)
    [first] = desk.rows("SELECT external_id FROM messages WHERE direction = 'inbound'")
    edited: dict[str, Any] = {
        "message_id": int(first["external_id"].partition(":")[2]),
        "date": 1,
        "edit_date": 2,
        "chat": {"id": 42, "type": "private"},
        "from": {"id": 42, "is_bot": False, "first_name": "Ada"},
        "text": "It smokes.",
    }

    desk.receive_raw(
        "telegram", json.dumps({"update_id": 5_000, "edited_message": edited}).encode(), content_type="application/json"
    )
    desk.run_due()

    assert posts(desk)[-1] == (f"{GROUP}/11", "Ada (edited):\nIt smokes.")


def test_a_move_that_needs_a_comment_asks_for_it_in_the_topic(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    require(desk, comment="required")

    says(desk, "/do resolve")
    asked, before = posts(desk)[-1], desk.reload(ticket).state
    says(desk, "Watered.")

    assert asked == (f"{GROUP}/11", "Resolve: please write a comment.")
    assert (before, desk.reload(ticket).state) == ("new", "solved")
    # The answer is a comment, not a reply.
    assert "Watered." not in [call.body for call in desk.sent if call.address == "42"]
    [moved] = [e["payload"] for e in desk.events(ticket, "ticket_state_changed") if e["payload"]["to"] == "solved"]
    assert moved["comment"] == "Watered."


def test_a_comment_in_the_command_is_not_asked_for(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    require(desk, comment="required")

    says(desk, "/do resolve Watered.")

    assert desk.reload(ticket).state == "solved"


def test_a_button_that_needs_a_confirmation_asks_the_agent_who_pressed_it(desk: Desk, group: Topics) -> None:
    require(desk, confirm={"en": "Really?", "ru": "Точно?"})
    ticket = opened(desk)
    [resolve] = [b for c in desk.sent for b in c.message.buttons if b.label == "Resolve"]
    place = f"{GROUP}/11"
    desk.receive(ButtonPress(resolve.token, "", "7001", "Olga", place, None), channel="telegram")
    desk.run_due()
    yes = next(one for one in desk.calls[-1].message.buttons if one.value == "yes")

    stranger = desk.receive(ButtonPress(yes.token, "yes", "666", "Eve", place, None), channel="telegram")
    desk.run_due()
    before = desk.reload(ticket).state
    desk.receive(ButtonPress(yes.token, "yes", "7001", "Olga", place, None), channel="telegram")
    desk.run_due()

    assert (desk.calls[-2].address, before) == (place, "new")
    assert desk.inbox(stranger)["status"] == "ignored"
    assert desk.reload(ticket).state == "solved"


def test_an_agent_can_leave_the_questions(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    require(desk, comment="required")
    says(desk, "/do resolve")

    says(desk, "/cancel")
    says(desk, "Water it.")

    assert desk.reload(ticket).state == "waiting_on_requester"
    assert answer(desk).body == "Water it."


def require(desk: Desk, **changes: Any) -> None:
    """Change the transition `resolve` of the published life cycle `support`."""
    with database.transaction():
        row = database.one("SELECT body, source FROM definitions WHERE name = 'support' AND kind = 'workflow'")
        assert row is not None
        body = row["body"] if isinstance(row["body"], dict) else json.loads(row["body"])
        body["transitions"]["resolve"] |= changes
        store.publish("workflow", "support", body, source=row["source"], by="tests")
        database.execute(
            "UPDATE tickets SET workflow_version = (SELECT max(version) FROM definitions WHERE name = 'support')"
        )
    store.forget()


def test_a_burst_of_new_tickets_leaves_room_for_the_messages_of_running_conversations(
    desk: Desk, group: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram takes 20 messages a minute in a group; posts of new tickets use half of them."""
    monkeypatch.setattr(desk, "send_buckets", send.buckets)
    opened(desk)
    settle(desk)
    for number in range(10):
        desk.receive_telegram(f"Problem {number}.", chat=500 + number, name="Bob")
    for _ in range(4):
        desk.run_due()
        desk.advance(seconds=5)
    waiting = len(desk.tasks("ready", kind="tell_staff"))

    desk.receive_telegram("It burns again.", chat=42, name="Ada")
    desk.run_due()

    assert waiting > 4
    assert posts(desk)[-1] == (f"{GROUP}/11", "Ada:\nIt burns again.")
    assert settle(desk) > 6
    assert len(group.opened) == 11


def settle(desk: Desk) -> int:
    """Run until nothing waits; return the steps of five seconds."""
    for step in range(400):
        desk.run_due()
        if not desk.tasks("ready", kind="tell_staff"):
            return step
        desk.advance(seconds=5)
    raise AssertionError("posts still wait")


def test_a_429_in_the_group_makes_the_posts_of_every_ticket_wait(desk: Desk, group: Topics) -> None:
    def refuse_the_group(message: outbound.OutgoingMessage) -> outbound.SendOutcome:
        if message.address.startswith(str(GROUP)):
            return outbound.SendOutcome("throttled", "slower", retry_after_s=20.0)
        return outbound.accepted(f"{message.address}:{next(desk.sent_ids)}")

    desk.bucket_list = [Bucket("telegram:demo", 0.01, 100), Bucket(f"telegram:demo:{GROUP}", 0.01, 100)]
    desk.answers.extend([refuse_the_group] * 20)
    for number in range(3):
        desk.receive_telegram(f"Problem {number}.", chat=500 + number, name="Bob")
    desk.run_due()
    asked = sum(call.address.startswith(str(GROUP)) for call in desk.calls)
    desk.answers.clear()
    desk.advance(seconds=21)
    settle(desk)

    assert asked == 1
    assert sum("Problem" in text and text.startswith("New ticket") for _, text in posts(desk)) == 3


def test_an_agent_who_lost_the_right_does_not_move_the_ticket_by_an_answer(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    require(desk, comment="required")
    says(desk, "/do resolve")
    desk.command(database.execute, "UPDATE user_addresses SET access_mark = 'another'")

    says(desk, "Watered.")

    assert desk.reload(ticket).state == "new"


def test_a_button_of_an_agent_who_lost_the_right_does_nothing(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    require(desk, confirm={"en": "Really?", "ru": "Точно?"})
    says(desk, "/do resolve")
    yes = next(one for one in desk.calls[-1].message.buttons if one.value == "yes")
    desk.command(database.execute, "UPDATE user_addresses SET access_mark = 'another'")

    shown = desk.receive(ButtonPress(yes.token, "yes", "7001", "Olga", f"{GROUP}/11", None), channel="telegram")
    desk.run_due()

    assert desk.inbox(shown)["status"] == "ignored"
    assert desk.reload(ticket).state == "new"
