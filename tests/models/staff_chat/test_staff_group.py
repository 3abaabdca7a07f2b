"""Agents who work from a Telegram group: a topic per ticket, in step with the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from models.definitions import store
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import ButtonPress
from models.teams import commands as teams
from models.ticket_actions import commands as tickets
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.staff_chat.groups import GROUP, Topics, opened, posts, says


def test_a_new_ticket_has_a_topic_with_its_events_in_order(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)

    assert group.opened == [f"#{ticket.number} It burns."]
    told = posts(desk)
    assert {address for address, _ in told} == {f"{GROUP}/11"}
    assert told[0][1].startswith(f"New ticket #{ticket.number} (by telegram, Ada): It burns.")
    assert told[1][1] == "Ada:\nIt burns."


def test_what_an_agent_writes_in_the_topic_reaches_the_requester_once(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    before = len(posts(desk))

    shown = says(desk, "Water it, please.")

    answers = [c for c in desk.sent if c.address == "42" and c.body == "Water it, please."]
    assert len(answers) == 1
    [message] = [m for m in desk.messages(ticket) if m["body"] == "Water it, please."]
    assert (message["author_kind"], message["author_name"]) == ("agent", "Olga Agent")
    assert shown["status"] == "processed"
    # It stands in the topic already; only the move that it caused is told.
    assert [text for _, text in posts(desk)[before:]] == ["→ Waiting on requester"]


def test_an_answer_from_the_console_is_posted_in_the_topic(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)

    desk.reply(ticket, "From the console.")
    desk.run_due()

    assert any(text.endswith("From the console.") for _, text in posts(desk))


def test_somebody_who_is_no_linked_agent_changes_nothing(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    before = len(desk.messages(ticket))

    shown = says(desk, "I am the boss.", user=666)

    assert len(desk.messages(ticket)) == before
    assert "no linked agent" in shown["reason"]
    assert "not linked" in posts(desk)[-1][1]


def test_notes_assignment_and_moves_by_command(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)

    says(desk, "/note She sounded cross.")
    says(desk, "/mine")
    says(desk, "/do resolve")
    refused = says(desk, "/do close")

    assert [m["body"] for m in desk.messages(ticket) if m["kind"] == "note"] == ["She sounded cross."]
    moved = desk.reload(ticket)
    assert (moved.state, str(moved.assignee_id)) == ("solved", desk.person("agent").id)
    assert "close is for" in refused["reason"]


def test_an_agent_gives_a_ticket_another_type_and_with_it_another_life_cycle(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)

    without = says(desk, "/type")
    unknown = says(desk, "/type incidnet")
    says(desk, "/type incident")

    assert "one of the ticket types" in without["reason"]
    assert "did you mean incident?" in unknown["reason"]
    moved = desk.reload(ticket)
    assert (moved.type, moved.workflow, moved.state) == ("incident", "incident", "reported")


def test_a_button_in_the_topic_moves_the_ticket_for_agents_only(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    [resolve] = [b for c in desk.sent for b in c.message.buttons if b.label == "Resolve"]
    place = f"{GROUP}/11"

    stranger = desk.receive(ButtonPress(resolve.token, "", "666", "Eve", place, None), channel="telegram")
    desk.run_due()
    still = desk.reload(ticket).state
    desk.receive(ButtonPress(resolve.token, "", "7001", "Olga", place, None), channel="telegram")
    desk.run_due()

    assert desk.inbox(stranger)["reason"] == "pressed by somebody who is no linked agent"
    assert still == "new"
    assert desk.reload(ticket).state == "solved"


def test_the_topic_is_closed_with_the_ticket(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    desk.transition(ticket, "resolve")
    desk.run_due()

    desk.transition(ticket, "close", role="manager")
    desk.run_due()

    assert group.changed == [("close", f"{GROUP}/11")]


def test_a_post_of_unknown_outcome_is_repeated_once_and_marked(desk: Desk, group: Topics) -> None:
    desk.receive_telegram("It burns.", chat=42, name="Ada")
    answers: Iterator[outbound.SendOutcome] = iter([outbound.unknown("cut off")])

    def first_fails(message: Any) -> outbound.SendOutcome:
        if message.address.startswith(str(GROUP)):
            return next(answers, outbound.accepted(f"{GROUP}:1"))
        return outbound.accepted("42:1")

    desk.answers.extend([first_fails] * 20)
    desk.run_due()
    desk.advance(minutes=5)
    desk.run_due()

    posted = [c.body for c in desk.calls if c.address.startswith(str(GROUP))]
    assert posted[0].startswith("New ticket")
    assert sum(body.count("New ticket") for body in posted) == 2
    assert len({body for body in posted if "It burns." in body and "Ada:" in body}) == 1


def test_a_talk_outside_of_a_tickets_topic_is_left_alone(desk: Desk, group: Topics) -> None:
    opened(desk)

    shown = says(desk, "Lunch?", topic=99)

    assert (shown["status"], shown["reason"]) == (
        "ignored",
        "said in the staff's group, in no ticket's topic",
    )


def test_a_post_that_is_refused_for_its_files_is_sent_without_them_and_blocks_no_later_post(
    desk: Desk, group: Topics
) -> None:
    def refuses_files(message: Any) -> outbound.SendOutcome:
        return (
            outbound.permanent("the file is empty")
            if message.attachments
            else outbound.accepted(f"{message.address}:1")
        )

    desk.answers.extend([refuses_files] * 50)
    mail = (
        b"From: Ada <ada@example.com>\r\nMessage-ID: <1@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF\r\n--b--\r\n"
    )
    desk.receive_raw("email", mail, content_type="message/rfc822")
    desk.run_due()
    desk.reply(desk.ticket(), "An answer.")
    desk.run_due()

    texts = [c.body for c in desk.sent if c.address.startswith(str(GROUP))]
    assert any("hello" in text and "could not be posted here: the file is empty" in text for text in texts)
    assert any(text.endswith("An answer.") for text in texts)


def test_a_file_in_a_topic_is_not_lost_without_a_word(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    before = len(desk.messages(ticket))
    number = next(desk._numbers)
    update = {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1,
            "chat": {"id": GROUP, "type": "supergroup", "is_forum": True},
            "from": {"id": 7001, "is_bot": False, "first_name": "Olga"},
            "message_thread_id": 11,
            "is_topic_message": True,
            "photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}],
            "caption": "See this",
        },
    }

    desk.receive_raw("telegram", json.dumps(update).encode(), content_type="application/json")
    desk.run_due()

    assert len(desk.messages(ticket)) == before
    assert "Nothing was sent" in posts(desk)[-1][1]


def test_a_long_text_is_cut_in_the_topic(desk: Desk, group: Topics) -> None:
    desk.receive_telegram("long " * 2_000, chat=42, name="Ada")
    desk.run_due()

    [text] = [text for _, text in posts(desk) if text.startswith("Ada:")]
    assert len(text) < 4_000
    assert text.endswith("[It goes on in the console.]")


def _hide(desk: Desk, ticket: Ticket, *members: str) -> None:
    """Give the ticket to a team whose tickets only its members see."""
    with database.transaction():
        teams.declare("hr", {"en": "HR", "ru": "Кадры"}, "members")
        teams.set_members("hr", [UUID(str(desk.person(one).id)) for one in members], expected_version=None)
        tickets.update(ticket.id, {"team": "hr"}, expected_version=None, actor=desk.person("admin"))


def test_a_group_reads_no_post_of_a_team_that_only_members_see(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    before = posts(desk)

    _hide(desk, ticket)
    desk.receive_telegram("My salary.", chat=42, name="Ada")
    desk.run_due()

    assert posts(desk) == before


def test_a_group_whose_account_names_the_team_reads_its_posts(desk: Desk, group: Topics) -> None:
    with database.transaction():
        row = database.one("SELECT body, source FROM definitions WHERE name = 'telegram.demo' ORDER BY version DESC")
        assert row is not None
        body = row["body"] if isinstance(row["body"], dict) else json.loads(row["body"])
        body["staff"] = {"chat_id": GROUP, "teams": ["hr"]}
        store.publish("channel", "telegram.demo", body, source=row["source"], by="tests")
    store.forget()
    ticket = opened(desk)

    _hide(desk, ticket)
    desk.receive_telegram("My salary.", chat=42, name="Ada")
    desk.run_due()

    assert "My salary." in posts(desk)[-1][1]


def test_an_agent_who_may_not_see_the_ticket_changes_nothing_from_its_topic(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    _hide(desk, ticket, "manager")
    before = desk.events(ticket)

    shown = says(desk, "Water it, please.")

    assert "may not see" in shown["reason"]
    assert desk.events(ticket) == before


def test_a_button_of_a_ticket_that_the_agent_may_not_see_moves_nothing(desk: Desk, group: Topics) -> None:
    ticket = opened(desk)
    [resolve] = [b for c in desk.sent for b in c.message.buttons if b.label == "Resolve"]
    _hide(desk, ticket, "manager")

    pressed = desk.receive(ButtonPress(resolve.token, "", "7001", "Olga", f"{GROUP}/11", None), channel="telegram")
    desk.run_due()

    assert desk.inbox(pressed)["reason"] == "pressed by an agent who may not see the ticket"
    assert desk.reload(ticket).state == "new"
