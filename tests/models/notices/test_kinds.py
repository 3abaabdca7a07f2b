"""The events that users get a notice of: new work, assignments, mentions, missed promises, failed sends."""

from __future__ import annotations

import pytest

from models.deliveries import corrections
from models.events.commands import SYSTEM, Actor
from models.identity import commands as identity
from models.notice_settings.rules import Kind, Way
from models.ports import outbound
from models.ticket_actions import answering
from models.ticket_actions import commands as tickets
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.notices.reading import assign, choose, listed, mails_to, user

pytestmark = sqlite_only


def kinds(desk: Desk, role: str) -> list[str]:
    return [notice["kind"] for notice in listed(desk, role)]


def asked(desk: Desk) -> Ticket:
    """A ticket whose requester is reached by mail."""
    desk.receive_email("The printer burns.")
    desk.run_due()
    return desk.ticket()


def test_new_work_of_a_team_is_news_to_its_members_except_its_author(desk: Desk) -> None:
    desk.create_ticket(team="support")  # by the agent, who is a member like the manager
    desk.run_due()

    assert kinds(desk, "manager") == ["new_work"]
    assert kinds(desk, "agent") == kinds(desk, "admin") == []
    assert mails_to(desk, "manager") == [], "a mail for each new ticket is opt-in"


def test_a_ticket_that_is_opened_and_then_moved_to_a_team_is_news_then(desk: Desk) -> None:
    ticket = asked(desk)
    desk.command(tickets.update, ticket.id, {"team": "support"}, expected_version=None, actor=desk.person("admin"))
    desk.run_due()

    assert kinds(desk, "manager") == kinds(desk, "agent") == ["new_work"]


def test_work_without_a_team_is_news_to_those_who_chose_a_way_for_it(desk: Desk) -> None:
    choose(desk, "agent", ways={Kind.new_work: {Way.mail}})

    asked(desk)

    assert kinds(desk, "manager") == []
    [mail] = mails_to(desk)
    assert "is new" in mail.body
    assert "The printer burns." in mail.body


def test_a_ticket_that_has_an_assignee_is_no_new_work(desk: Desk) -> None:
    ticket = asked(desk)
    assign(desk, ticket)
    desk.command(tickets.update, ticket.id, {"team": "support"}, expected_version=None, actor=desk.person("admin"))
    desk.run_due()

    assert kinds(desk, "manager") == []


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("@Mira, please look.", True),
        ("Please look @mira manager", True),
        ("(@mira.manager) and @MIRA_MANAGER", True),
        ("@manager knows.", True),
        ("Write to me@mira or to @mira.example.org", False),
        ("See https://example.org/@mira", False),
        ("@Miracle", False),
        ("mira", False),
    ],
)
def test_a_note_mentions_by_name(desk: Desk, text: str, mentioned: bool) -> None:
    ticket = desk.create_ticket()

    desk.command(answering.note, ticket.id, text, actor=desk.person("agent"))
    desk.run_due()

    assert kinds(desk, "manager") == ["mentioned"] * mentioned
    assert [text in mail.body for mail in mails_to(desk, "manager")] == [True] * mentioned


def test_an_edit_of_a_note_mentions_whom_it_adds_and_nobody_twice(desk: Desk) -> None:
    ticket = desk.create_ticket()
    note = desk.command(answering.note, ticket.id, "@Mira, look.", actor=desk.person("agent"))

    desk.command(
        corrections.edit, note, "@Mira, look. @Vera, too.", actor=desk.person("agent"), can=lambda _: frozenset()
    )
    desk.command(
        corrections.edit, note, "@Mira and @Vera, look.", actor=desk.person("agent"), can=lambda _: frozenset()
    )

    assert kinds(desk, "manager") == kinds(desk, "admin") == ["mentioned"]


def test_a_name_that_two_users_have_mentions_neither(desk: Desk) -> None:
    made = desk.command(
        identity.create_user, "mira@example.test", "Mira Other", "a wombat with a lantern", "agent", actor=SYSTEM
    )
    ticket = desk.create_ticket()

    desk.command(answering.note, ticket.id, "@Mira, look. @Mira Other, too.", actor=desk.person("admin"))

    rows = desk.rows("SELECT user_id FROM notices")
    assert [str(row["user_id"]) for row in rows] == [str(made.id)]
    [note] = [message for message in desk.messages(ticket) if message["kind"] == "note"]
    assert note["details"]["ambiguous_mentions"] == ["mira"]


def test_a_program_mentions_nobody_by_the_text_that_it_copies(desk: Desk) -> None:
    ticket = desk.create_ticket()
    robot = Actor("api_key", str(desk.rows("SELECT id FROM api_keys")[0]["id"]), "robot")

    desk.command(answering.note, ticket.id, "The customer wrote: @Mira", actor=robot)

    assert listed(desk, "manager") == []


def test_a_person_who_mentions_themselves_gets_no_notice(desk: Desk) -> None:
    ticket = desk.create_ticket()

    desk.command(answering.note, ticket.id, "@olga look", actor=desk.person("agent"))

    assert listed(desk) == []


def test_the_author_of_a_reply_is_told_of_its_failed_send_on_an_unassigned_ticket(desk: Desk) -> None:
    ticket = asked(desk)
    desk.answers.append(outbound.permanent("550 no such user"))

    desk.reply(ticket, "Water it.")
    desk.run_due()

    [notice] = listed(desk)
    assert notice["kind"] == "send_failed"
    assert notice["text"] == f"Your reply in ticket #{ticket.number} was not delivered: 550 no such user"
    [mail] = mails_to(desk)
    assert "Water it." in mail.body


def test_the_assignee_and_the_author_get_one_notice_each_of_a_failed_send(desk: Desk) -> None:
    """The life cycle notifies the assignee of the same event; its notice takes the place of the desk's own."""
    ticket = asked(desk)
    assign(desk, ticket, "agent")
    assign(desk, ticket, "manager", by="agent")
    desk.run_due()
    desk.answers.append(outbound.permanent("550 no such user"))

    desk.reply(ticket)
    desk.run_due()

    assert kinds(desk, "agent") == ["assigned", "send_failed"]
    assert kinds(desk, "manager") == ["assigned", "send_failed"]


def test_the_author_who_is_the_assignee_gets_one_notice_of_a_failed_send(desk: Desk) -> None:
    ticket = asked(desk)
    assign(desk, ticket, "agent")
    desk.run_due()
    desk.answers.append(outbound.permanent("550 no such user"))

    desk.reply(ticket)
    desk.run_due()

    assert kinds(desk, "agent") == ["assigned", "send_failed"]


def test_a_missed_promise_is_news_to_the_assignee_once(desk: Desk) -> None:
    ticket = desk.create_ticket("Server", type="incident", priority="urgent", workflow="incident", team="oncall")
    assign(desk, ticket)
    desk.run_due()

    desk.advance(days=5)
    desk.run_due()

    assert kinds(desk, "agent").count("breached") == len(desk.events(ticket, "sla_breached")) > 0


def test_a_rule_of_a_life_cycle_reaches_people_by_mail(desk: Desk) -> None:
    desk.create_ticket("Server", type="incident", priority="urgent", workflow="incident", team="oncall")
    desk.run_due()

    for _ in range(12):  # until the rule warns of the promise
        desk.advance(minutes=10)
        desk.run_due()

    warned = [notice["text"] for notice in listed(desk, "manager") if notice["kind"] == "life_cycle"]
    assert warned
    bodies = [mail.body for mail in mails_to(desk, "manager")]
    assert all(sum(text in body for body in bodies) == warned.count(text) for text in warned)


def test_a_notice_is_in_the_language_of_its_reader(desk: Desk) -> None:
    identity.update_user(user(desk).id, {"locale": "ru"}, expected_version=None, actor=SYSTEM)
    ticket = desk.create_ticket()

    assign(desk, ticket)
    desk.run_due()

    assert "назначено вам" in listed(desk)[0]["text"]
    assert "настройках" in mails_to(desk)[0].body
