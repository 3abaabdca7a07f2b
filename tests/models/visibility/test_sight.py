"""The rule of which tickets are visible: one truth table for lists, single tickets, loaded tickets and other rows."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import UUID

import pytest

from models.deliveries.tables import Delivery
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.teams import commands as teams
from models.ticket_actions import following
from models.ticket_lists import page as pages
from models.ticket_lists.filters import TicketFilter
from models.tickets.tables import Ticket
from models.visibility import sight
from models.visibility.sight import Sight
from tests.desk import Desk

TEAMS = (None, "support", "hr")
ASSIGNEES = ("agent", "manager", None)


def visible_by_hand(ticket: Ticket, follows: bool, me: Sight, *, member: bool) -> bool:
    """The rule in words, apart from its template."""
    if me.sees_all or ticket.team != "hr" or "hr" in me.teams:
        return True
    if me.user_id is None:
        return False
    return member or follows or ticket.assignee_id == me.user_id


@pytest.fixture
def tickets(desk: Desk) -> list[tuple[Ticket, bool]]:
    """Every combination of team, assignee and follower, each with whether the agent follows it."""
    agent = UUID(str(desk.person("agent").id))
    with database.transaction():
        teams.declare("hr", {"en": "HR", "ru": "Кадры"}, "members")
    found = []
    for number, (team, assignee, follows) in enumerate(product(TEAMS, ASSIGNEES, (True, False))):
        ticket = desk.create_ticket("x", team=team, email=f"ada{number}@example.com")
        assignee_id = None if assignee is None else UUID(str(desk.person(assignee).id))
        with database.transaction():
            database.execute("UPDATE tickets SET assignee_id = :user WHERE id = :id", user=assignee_id, id=ticket.id)
            if follows:
                following.follow(ticket.id, agent, actor=desk.person())
        found.append((desk.reload(ticket), follows))
    return found


def seen_in_every_way(me: Sight, ticket: Ticket, listed: set[UUID]) -> set[bool]:
    """The answers of every form of the rule; one answer, if they agree."""
    answers = {ticket.id in listed, sight.sees(me, ticket), sight.sees_id(me, ticket.id)}
    answers.add(ticket.id in sight.visible_ids(me, {ticket.id}))
    rows = database.rows(Delivery.select().where(Delivery.ticket_id == ticket.id, me.about(Delivery.ticket_id)))
    answers.add(bool(rows))
    for reference in (str(ticket.id), str(ticket.number)):
        try:
            answers.add(sight.find(reference, me).id == ticket.id)
        except NotFound:
            answers.add(False)
    return answers


@pytest.mark.parametrize("member", [True, False])
def test_every_form_of_the_rule_gives_the_answer_of_the_rule_in_words(
    desk: Desk, tickets: list[tuple[Ticket, bool]], member: bool
) -> None:
    agent = UUID(str(desk.person("agent").id))
    with database.transaction():
        teams.set_members("hr", [agent] if member else [], expected_version=None)
    sights = [
        Sight(agent, "agent"),
        Sight(None, "agent"),
        Sight(None, "agent", teams=("hr",)),
        Sight(agent, "admin", sees_all=True),
    ]

    with database.connection():
        for me in sights:
            page = pages.page(TicketFilter(), sort="number", after=None, limit=1_000, sight=me)
            listed = {ticket.id for ticket in page}
            for ticket, follows in tickets:
                expected = visible_by_hand(ticket, follows, me, member=member and me.user_id == agent)
                answers = seen_in_every_way(me, ticket, listed)
                assert answers == {expected}, f"{me}: team {ticket.team}, follows {follows}: {answers}"


def explained(query: Any) -> str:
    statement, values = query.sql()
    prefix = "EXPLAIN " if database.is_postgres() else "EXPLAIN QUERY PLAN "
    cursor = database.proxy.obj.execute_sql(prefix + statement, values)
    return "\n".join(str(row) for row in cursor.fetchall())


def fill(ticket: Ticket, count: int) -> None:
    """Copy a ticket with its delivery on PostgreSQL, each second one into the hidden team."""
    tickets = ", ".join(n for n in Ticket.columns() if n not in ("id", "number", "team", "reply_token", "updated_at"))
    columns = [n for n in Delivery.columns() if n not in ("id", "ticket_id", "created_at", "provider_id")]
    names, places = ", ".join(columns), ", ".join(f"d.{name}" for name in columns)
    with database.transaction():
        database.execute(
            f"INSERT INTO tickets (id, number, team, updated_at, {tickets})"
            " SELECT gen_random_uuid(), number + n, CASE WHEN n % 2 = 0 THEN 'hr' END, now() - n * interval '1 s',"
            f" {tickets} FROM tickets, generate_series(1, :count) AS n WHERE id = :id",
            count=count,
            id=ticket.id,
        )
        database.execute(
            f"INSERT INTO deliveries (id, ticket_id, created_at, {names})"
            f" SELECT gen_random_uuid(), t.id, t.updated_at, {places} FROM deliveries AS d, tickets AS t"
            " WHERE d.ticket_id = :id AND t.id <> :id",
            id=ticket.id,
        )
    with database.connection():
        database.execute("ANALYZE tickets")
        database.execute("ANALYZE deliveries")


def test_a_list_reads_the_index_of_its_order_and_the_tickets_of_its_rows_only(desk: Desk) -> None:
    """With 20,000 tickets PostgreSQL once hashed all visible tickets for each page of deliveries, and compiled it."""
    me = Sight(UUID(str(desk.person("manager").id)), "manager")
    with database.transaction():
        teams.declare("hr", {"en": "HR", "ru": "Кадры"}, "members")
    ticket = desk.create_ticket("x", team="hr", email="ada@example.com")
    if database.is_postgres():
        fill(ticket, 20_000)
    tickets = Ticket.select().where(me.tickets()).order_by(Ticket.updated_at.desc(), Ticket.id.desc())
    deliveries = Delivery.select().where(me.about(Delivery.ticket_id))
    deliveries = deliveries.order_by(Delivery.created_at.desc(), Delivery.id.desc())

    with database.connection():
        plans = {"tickets_updated": explained(tickets.limit(51)), "deliveries_created": explained(deliveries.limit(51))}

    for index, plan in plans.items():
        assert index in plan, plan
        assert "SORT" not in plan.upper(), plan
        assert "Seq Scan on tickets" not in plan, plan
        assert "JIT" not in plan, plan
