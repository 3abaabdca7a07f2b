"""Notices leave by mail and chat, at the times that each user chose, once, and only of tickets that the user sees."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from models.events.commands import SYSTEM
from models.inbound import address_links
from models.kernel import clock
from models.kernel.storage import database
from models.kernel.storage.batch import from_json
from models.notice_settings.rules import Digest, Kind, QuietHours, Way
from models.notices import planning, recipients
from models.offboarding import commands as offboarding
from models.ports import outbound
from models.ports.inbound import Command
from models.staff import addresses
from models.teams import commands as teams
from models.ticket_actions import commands as tickets
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.inbound.story import digits_in
from tests.models.notices.reading import assign, choose, listed, mails_to, user, ways

CHAT = "7001"


def to_night(desk: Desk, hour: int = 22) -> None:
    """Move the desk's clock to an hour (UTC) of a Wednesday."""
    now = clock.now()
    night = (now + timedelta(days=7)).replace(hour=hour, minute=0, second=0, microsecond=0)
    night += timedelta(days=(2 - night.weekday()) % 7)
    desk.advance(seconds=(night - now).total_seconds())


def connect_chat(desk: Desk, role: str = "agent", chat: str = CHAT) -> None:
    """Connect a Telegram chat to a seeded user by a link, as the console does."""
    user_id = user(desk, role).id
    token = desk.command(addresses.make_link, user_id)
    desk.receive(Command("start", token, chat, "Olga", chat, chat), channel="telegram")
    desk.run_due()
    desk.command(address_links.confirm_for_user, user_id, token, digits_in(desk.calls[-1].body))
    desk.run_due()
    desk.calls.clear()


def chats(desk: Desk) -> list[str]:
    return [sent.body for sent in desk.notices_sent if sent.channel == "telegram" and sent.address == CHAT]


def test_an_assignment_is_listed_and_mailed_once(desk: Desk) -> None:
    desk.receive_email("The printer burns.", subject="Printer")
    desk.run_due()
    ticket = desk.ticket()

    assign(desk, ticket)
    desk.run_due()

    [notice] = listed(desk)
    assert (notice["kind"], notice["text"]) == ("assigned", f"Mira Manager assigned ticket #{ticket.number} to you.")
    [mail] = mails_to(desk)
    assert mail.message.subject == f"{ticket.number}: Printer"
    assert "The printer burns." in mail.body
    assert ways(desk) == [("mail", "sent", None)]


@sqlite_only
def test_every_step_of_a_notice_may_run_twice(desk: Desk) -> None:
    ticket = desk.create_ticket()
    assign(desk, ticket)
    desk.run_due()

    for task in desk.tasks(kind="notify_people"):
        event_id = UUID(from_json(task["payload"])["event_id"])
        desk.command(recipients.report, ticket.id, event_id)
    for notice in listed(desk):
        desk.command(planning.plan, UUID(str(notice["id"])))
    desk.command(planning.hand_over, user(desk).id, Way.mail)
    desk.run_due()

    assert len(listed(desk)) == len(mails_to(desk)) == 1


@sqlite_only
def test_taking_a_ticket_oneself_is_no_news(desk: Desk) -> None:
    assign(desk, desk.create_ticket(), by="agent")
    desk.run_due()

    assert listed(desk) == []


@sqlite_only
def test_quiet_hours_hold_a_notice_until_their_end_in_the_zone_of_the_user(desk: Desk) -> None:
    choose(desk, quiet=QuietHours("20:00", "07:00"), zone="Asia/Tokyo")
    to_night(desk, hour=12)  # 21:00 in Tokyo

    assign(desk, desk.create_ticket())
    desk.run_due()
    before = (len(mails_to(desk)), len(listed(desk)), [state for _, state, _ in ways(desk)])
    desk.advance(hours=9, minutes=59)
    desk.run_due()
    still = len(mails_to(desk))
    desk.advance(minutes=2)
    desk.run_due()

    assert before == (0, 1, ["waiting"])
    assert still == 0
    assert len(mails_to(desk)) == 1


def test_a_digest_collects_the_notices_of_an_hour_into_one_mail(desk: Desk) -> None:
    choose(desk, digest=Digest.hourly)
    to_night(desk)
    for title in ("Printer", "Lamp", "Chair"):
        assign(desk, desk.create_ticket(title))
    desk.run_due()

    assert mails_to(desk) == []
    desk.advance(minutes=61)
    desk.run_due()

    [mail] = mails_to(desk)
    assert mail.message.subject == "3 notices from Nestor demo desk"
    assert all(title in mail.body for title in ("Printer", "Lamp", "Chair"))
    desk.advance(hours=5)
    desk.run_due()
    assert len(mails_to(desk)) == 1


@sqlite_only
def test_a_notice_for_a_digest_that_a_user_gives_up_leaves_at_once(desk: Desk) -> None:
    choose(desk, digest=Digest.daily)
    assign(desk, desk.create_ticket())
    desk.run_due()

    choose(desk)
    desk.run_due()

    assert len(mails_to(desk)) == 1


@sqlite_only
def test_a_way_that_a_user_leaves_while_a_notice_waits_is_not_used(desk: Desk) -> None:
    choose(desk, digest=Digest.hourly)
    assign(desk, desk.create_ticket())
    desk.run_due()

    choose(desk, ways={Kind.assigned: set()}, digest=Digest.hourly)
    desk.advance(hours=2)
    desk.run_due()

    assert mails_to(desk) == []
    assert ways(desk) == [("mail", "withheld", "the user chose another way since")]


@sqlite_only
def test_a_chat_gets_notices_after_its_user_connected_and_chose_it(desk: Desk) -> None:
    connect_chat(desk)
    choose(desk, ways={Kind.assigned: {Way.chat}})

    assign(desk, desk.create_ticket("Printer"))
    desk.run_due()

    [text] = chats(desk)
    assert "assigned ticket" in text
    assert "Printer" in text
    assert mails_to(desk) == []
    assert ways(desk) == [("chat", "sent", None)]


@sqlite_only
def test_a_chat_that_is_no_longer_the_users_gets_nothing(desk: Desk) -> None:
    connect_chat(desk)
    choose(desk, ways={Kind.assigned: {Way.chat}})
    desk.command(addresses.unlink, user(desk).id, "telegram", CHAT)

    assign(desk, desk.create_ticket())
    desk.run_due()

    assert chats(desk) == []
    assert ways(desk) == [("chat", "withheld", "the user has no connected chat")]


@sqlite_only
def test_a_notice_to_a_chat_is_not_repeated_after_a_call_without_an_answer(desk: Desk) -> None:
    connect_chat(desk)
    choose(desk, ways={Kind.assigned: {Way.chat}})
    desk.notice_answers.append(outbound.unknown("no answer"))

    assign(desk, desk.create_ticket())
    desk.run_due()
    desk.advance(hours=1)
    desk.run_due()

    assert len(desk.notice_calls) == 1
    assert ways(desk) == [("chat", "unknown", "no answer")]


@sqlite_only
def test_a_deactivated_user_gets_no_notice_that_waits(desk: Desk) -> None:
    connect_chat(desk)
    choose(desk, ways={Kind.assigned: {Way.mail, Way.chat}}, digest=Digest.hourly)
    assign(desk, desk.create_ticket())
    desk.run_due()

    agent = user(desk)
    offboarding.update_user(agent.id, {"active": False}, expected_version=None, actor=SYSTEM)
    desk.advance(hours=2)
    desk.run_due()

    assert desk.notice_calls == []


@sqlite_only
def test_a_ticket_that_moves_out_of_sight_while_its_notice_waits_is_not_shown(desk: Desk) -> None:
    """The team's visibility counts in the moment of sending."""
    choose(desk, digest=Digest.hourly)
    shown, hidden = desk.create_ticket("Printer"), desk.create_ticket("My salary")
    for ticket in (shown, hidden):
        assign(desk, ticket)
    desk.run_due()
    with database.transaction():
        teams.declare("hr", {"en": "HR"}, visibility="members")
        teams.set_members("hr", [user(desk, "admin").id], expected_version=None)
    desk.command(tickets.update, hidden.id, {"team": "hr"}, expected_version=None, actor=desk.person("admin"))
    desk.command(tickets.assign, hidden.id, None, actor=desk.person("admin"))

    desk.advance(hours=2)
    desk.run_due()

    [mail] = mails_to(desk)
    assert "Printer" in mail.body
    assert "salary" not in mail.body + str(mail.message.subject)
    assert ("mail", "withheld", "the user does not see the ticket") in ways(desk)


@sqlite_only
def test_a_desk_without_its_own_mail_says_why_a_notice_was_not_mailed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.desk_mail.commands.system_account", lambda: None)

    assign(desk, desk.create_ticket())
    desk.run_due()

    assert ways(desk) == [("mail", "withheld", "no e-mail account has `system: true`")]


@sqlite_only
def test_a_notice_whose_hand_over_died_is_handed_over_by_the_housekeeping(desk: Desk) -> None:
    choose(desk, digest=Digest.hourly)
    assign(desk, desk.create_ticket())
    desk.run_due()
    desk.command(database.execute, "UPDATE tasks SET state = 'discarded' WHERE kind = 'hand_over_notices'")

    desk.advance(hours=3)
    desk.command(planning.wake_late)
    desk.run_due()

    assert len(mails_to(desk)) == 1
