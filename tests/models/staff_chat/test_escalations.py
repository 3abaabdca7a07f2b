"""Escalations of tickets to the staff group of a team: by a person, and by a broken promise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.staff_chat import escalating
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.staff_chat.groups import GROUP, Topics, posts

pytestmark = sqlite_only


@pytest.fixture
def supports(desk: Desk, group: Topics) -> Topics:
    """The group follows only the tickets of its own bot, and is the group of two teams."""
    with database.transaction():
        row = database.one(
            "SELECT body, source FROM definitions WHERE name = 'telegram.demo' ORDER BY version DESC LIMIT 1"
        )
        assert row is not None
        body: dict[str, Any] = row["body"] if isinstance(row["body"], dict) else json.loads(row["body"])
        body["staff"] = {"chat_id": GROUP, "tickets": "own", "teams": ["support", "oncall"]}
        store.publish("channel", "telegram.demo", body, source=row["source"], by="tests")
    store.forget()
    return group


def mailed(desk: Desk) -> Ticket:
    desk.receive_email("The printer burns.")
    desk.run_due()
    return desk.ticket()


def carried(desk: Desk) -> list[str]:
    """The texts that were posted, after the limit of posts of new tickets has passed."""
    for _ in range(5):
        desk.advance(minutes=1)
        desk.run_due()
    return [text for _, text in posts(desk)]


def test_an_escalation_posts_the_reason_in_a_topic_of_the_teams_group(desk: Desk, supports: Topics) -> None:
    ticket = mailed(desk)
    assert posts(desk) == []

    desk.command(escalating.escalate, ticket.id, "support", "Nobody dares.", actor=desk.person())
    desk.run_due()

    assert len(supports.opened) == 1
    assert "Escalated to support: Nobody dares." in carried(desk)
    looks = [one["looks"] for one in desk.rows("SELECT looks FROM decisions WHERE event = 'escalated'")]
    assert "the staff group of the team support" in str(looks)


def test_a_second_cause_is_a_second_post_in_the_same_topic(desk: Desk, supports: Topics) -> None:
    ticket = mailed(desk)

    for reason in ("Nobody dares.", "It spreads."):
        desk.command(escalating.escalate, ticket.id, "support", reason, actor=desk.person())
        desk.run_due()

    escalated = [text for text in carried(desk) if text.startswith("Escalated")]
    assert escalated == ["Escalated to support: Nobody dares.", "Escalated to support: It spreads."]
    assert len(supports.opened) == 1


def test_a_broken_promise_of_the_teams_ticket_reaches_the_group_once(desk: Desk, supports: Topics) -> None:
    ticket = desk.create_ticket("Server", type="incident", priority="urgent", workflow="incident", team="oncall")
    desk.run_due()
    assert posts(desk) == []

    desk.advance(days=5)
    desk.run_due()
    told = [text for text in carried(desk) if text.startswith("Promise broken")]

    assert len(told) == len(desk.events(ticket, "sla_breached")) > 0


def test_a_team_without_a_group_takes_no_escalation(desk: Desk, group: Topics) -> None:
    ticket = mailed(desk)

    with pytest.raises(escalating.NoStaffGroup):
        desk.command(escalating.escalate, ticket.id, "support", "Help.", actor=desk.person())

    assert desk.events(ticket, "ticket_escalated") == []
