"""Followers get notices of messages, notes and states of the tickets that they follow, as each of them chose."""

from __future__ import annotations

from dataclasses import replace

from models.notice_settings import commands as notice_settings
from models.notice_settings.rules import DEFAULT_WAYS, Kind, NoticeSettings, Way
from models.notices import planning
from models.regrouping import merging
from models.ticket_actions import answering, following
from models.tickets.tables import Ticket
from models.visibility.sight import DESK
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.notices.reading import choose, listed, mails_to, user

pytestmark = sqlite_only


def followed(desk: Desk, *roles: str) -> Ticket:
    """Ada's ticket by mail, which users of these roles follow."""
    desk.receive_email("The printer burns.")
    desk.run_due()
    for role in roles:
        desk.command(following.follow, desk.ticket().id, user(desk, role).id, actor=desk.person(role))
    desk.run_due()
    return desk.ticket()


def kinds(desk: Desk, role: str) -> list[str]:
    return [str(notice["kind"]) for notice in listed(desk, role)]


def test_a_message_of_the_requester_is_mailed_to_the_followers(desk: Desk) -> None:
    followed(desk, "manager")

    desk.receive_email("It still burns.", in_reply_to=desk.sent[-1].message.external_id)
    desk.run_due()

    assert kinds(desk, "manager") == ["followed_message"]
    [mail] = mails_to(desk, "manager")
    assert "Ada wrote in ticket" in mail.body
    assert "It still burns." in mail.body
    assert kinds(desk, "agent") == []


def test_a_reply_its_new_state_and_a_note_are_listed_except_for_their_author(desk: Desk) -> None:
    ticket = followed(desk, "manager", "agent")

    desk.reply(ticket)
    desk.command(answering.note, ticket.id, "Bring sand.", actor=desk.person("agent"))
    desk.run_due()

    assert sorted(kinds(desk, "manager")) == ["followed_message", "followed_note", "followed_state"]
    assert kinds(desk, "agent") == []
    assert len(mails_to(desk, "manager")) == 1, "notes and states are opt-in"


def test_each_follower_chooses_the_ways_of_each_kind(desk: Desk) -> None:
    choose(desk, "manager", ways={Kind.followed_note: {Way.mail}, Kind.followed_message: set()})
    ticket = followed(desk, "manager")

    desk.reply(ticket)
    desk.command(answering.note, ticket.id, "Bring sand.", actor=desk.person("agent"))
    desk.run_due()

    [mail] = mails_to(desk, "manager")
    assert "added a note" in mail.body


def test_an_acknowledgement_is_no_news(desk: Desk) -> None:
    ticket = followed(desk, "manager")

    assert kinds(desk, "manager") == []
    assert desk.messages(ticket)[-1]["automatic"] == "auto_reply"


def test_who_is_mentioned_follows_by_a_setting(desk: Desk) -> None:
    ticket = followed(desk)
    desk.command(answering.note, ticket.id, "@Mira, look.", actor=desk.person("agent"))
    desk.reply(ticket)
    desk.run_due()
    assert kinds(desk, "manager") == ["mentioned"]

    chosen = replace(NoticeSettings(dict(DEFAULT_WAYS)), follow_when_mentioned=True)
    desk.command(planning.store_settings, user(desk, "manager").id, chosen)
    notice_settings.forget()
    desk.reply(ticket, "More water.")
    desk.command(answering.note, ticket.id, "@Mira, again.", actor=desk.person("agent"))
    desk.run_due()

    assert kinds(desk, "manager") == ["mentioned", "mentioned", "followed_message"]


def test_who_stops_following_gets_no_more_notices(desk: Desk) -> None:
    ticket = followed(desk, "manager")
    desk.command(following.unfollow, ticket.id, user(desk, "manager").id, actor=desk.person("manager"))

    desk.reply(ticket)
    desk.run_due()

    assert kinds(desk, "manager") == []
    assert desk.ticket().follower_count == 0


def test_a_merge_takes_the_followers_along(desk: Desk) -> None:
    source = followed(desk, "manager")
    target = desk.create_ticket(email="ada@example.com")

    desk.command(merging.merge, source.id, target.id, actor=desk.person("agent"), sight=DESK, confirmed=True)
    desk.run_due()
    before = len(kinds(desk, "manager"))
    desk.reply(target)
    desk.run_due()

    assert "followed_message" in kinds(desk, "manager")[before:]
    assert desk.reload(target).follower_count >= 1
