"""Role x route x object: whoever asks for whatever of which ticket, the answer follows from the rule in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.identity.rules import ROLE_PERMISSIONS, Role
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller, sqlite_only
from tests.functions.test_visibility import Hidden, about_tickets, hidden

__all__ = ["hidden"]  # the fixture
pytestmark = sqlite_only
OPERATIONS = sorted(about_tickets(), key=lambda one: (one.path, one.method))
# A notice and a draft are a person's own: without one, the answer is 404 for everybody.
READS = [one for one in OPERATIONS if one.method == "GET" and not re.search("notice|/draft$", one.path)]


@pytest.fixture
def callers(as_user: Callable[[str], Caller]) -> dict[str, Caller]:
    return {role: as_user(role) for role in ("admin", "manager", "agent", "accountant")}


def arrange(
    desk: Desk, ticket_id: str, person: str, *, team: str | None, member: bool, assigned: bool, follows: bool
) -> None:
    """Give the ticket a team, and the person a relation to it."""
    user = UUID(str(desk.person(person).id))
    with database.transaction():
        database.execute("DELETE FROM team_members WHERE team = 'hr' AND user_id = :user", user=user)
        database.execute("DELETE FROM ticket_followers")
        database.execute(
            "UPDATE tickets SET team = :team, assignee_id = :assignee WHERE id = :id",
            team=team,
            assignee=user if assigned else None,
            id=UUID(ticket_id),
        )
        if member:
            database.execute("INSERT INTO team_members (team, user_id) VALUES ('hr', :user)", user=user)
        if follows:
            database.execute(
                "INSERT INTO ticket_followers (ticket_id, user_id, reason, created_at)"
                " VALUES (:ticket, :user, 'follows', NOW())",
                ticket=UUID(ticket_id),
                user=user,
            )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    role=st.sampled_from(["admin", "manager", "agent", "accountant"]),
    operation=st.sampled_from(READS),
    team=st.sampled_from([None, "support", "hr"]),
    member=st.booleans(),
    assigned=st.booleans(),
    follows=st.booleans(),
)
def test_a_read_answers_403_without_the_permission_404_without_sight_and_200_otherwise(
    hidden: Hidden,
    callers: dict[str, Caller],
    role: str,
    operation: Any,
    team: str | None,
    member: bool,
    assigned: bool,
    follows: bool,
) -> None:
    arrange(hidden.desk, hidden.ids["ticket"], role, team=team, member=member, assigned=assigned, follows=follows)

    answer = hidden.ask(callers[role], operation)

    may = operation.needs in ROLE_PERMISSIONS[Role(role)]
    sees = team != "hr" or role == "admin" or member or assigned or follows
    assert answer.status_code == (403 if not may else 200 if sees else 404), answer.text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(role=st.sampled_from(["manager", "agent", "accountant"]), operation=st.sampled_from(OPERATIONS))
def test_no_operation_reaches_a_ticket_without_sight(
    hidden: Hidden, callers: dict[str, Caller], role: str, operation: Any
) -> None:
    arrange(hidden.desk, hidden.ids["ticket"], role, team="hr", member=False, assigned=False, follows=False)
    before = hidden.desk.rows("SELECT version, event_sequence FROM tickets")

    answer = hidden.ask(callers[role], operation)

    assert answer.status_code == (404 if operation.needs in ROLE_PERMISSIONS[Role(role)] else 403), answer.text
    assert hidden.desk.rows("SELECT version, event_sequence FROM tickets") == before
