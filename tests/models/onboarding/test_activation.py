"""Users and the ledger: a user can be given work as soon as the account is open, in any order and after any loss."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest

from models.events import queries as events
from models.events.commands import SYSTEM
from models.identity import activation, commands, queries
from models.identity.queries import User
from models.kernel import limits
from models.kernel.errors import TransientFailure
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ledger import accounts
from models.onboarding import commands as onboarding
from models.teams import queries as teams
from queues import sweep
from tests.desk import Desk

PASSWORD = "a parrot named Kea"


@pytest.fixture
def nina(desk: Desk) -> User:
    return commands.create_user("nina@example.test", "Nina New", PASSWORD, "agent", actor=SYSTEM)


def is_ready(user: User) -> bool:
    with database.connection():
        return queries.can_take_tickets(user.id) and user.name in {one.name for one in teams.roster(None)}


def happened(aggregate: str, aggregate_id: UUID) -> list[str]:
    with database.connection():
        return [event["event_type"] for event in events.of_aggregate(aggregate, aggregate_id)]


def accounts_of(desk: Desk, user: User) -> list[UUID]:
    rows = desk.rows("SELECT id FROM accounts WHERE owner_id = :id", id=str(user.id))
    return [UUID(str(row["id"])) for row in rows]


def test_a_new_user_signs_in_and_is_given_work_after_the_hand_shake(desk: Desk, nina: User) -> None:
    commands.sign_in(nina.email, PASSWORD, client="192.0.2.1")
    before = is_ready(nina)

    desk.run_due()

    assert not before
    assert is_ready(nina)
    (account,) = accounts_of(desk, nina)
    assert happened("account", account) == ["account_opened"]
    assert [name for name in happened("user", nina.id) if name != "signed_in"] == ["user_created", "user_activated"]


@pytest.mark.parametrize("order", list(itertools.permutations(["open", "open", "activate"])))
def test_repeats_in_any_order_open_one_account_and_activate_once(desk: Desk, nina: User, order: list[str]) -> None:
    with database.transaction():
        account_id = accounts.open_for(nina.id)

    for step in order:
        with database.transaction():
            if step == "open":
                assert accounts.open_for(nina.id) == account_id
            else:
                activation.activate(nina.id, account_id)
    desk.run_due()

    assert is_ready(nina)
    assert accounts_of(desk, nina) == [account_id]
    assert happened("user", nina.id).count("user_activated") == 1
    assert happened("account", account_id) == ["account_opened"]


def test_an_account_that_is_opened_before_its_user_is_visible_waits_for_the_user(desk: Desk) -> None:
    with database.transaction(), pytest.raises(TransientFailure, match="not there yet"):
        activation.activate(new_id(), new_id())


def test_a_lost_hand_shake_is_visible_and_repaired(desk: Desk, nina: User) -> None:
    desk.command(database.execute, "DELETE FROM tasks WHERE kind IN ('open_account', 'activate_user')")
    fresh = desk.command(onboarding.stuck)
    desk.advance(seconds=limits.activation_stuck_s + 1)

    stuck = desk.command(onboarding.stuck)
    repaired = onboarding.repair()

    assert (fresh, stuck, repaired) == ([], [nina.id], 1)
    assert is_ready(nina)
    assert onboarding.repair() == 0


def test_the_sweep_repairs_a_stuck_user(desk: Desk, nina: User) -> None:
    sweep.ensure_housekeeping()
    desk.command(database.execute, "UPDATE tasks SET state = 'discarded' WHERE kind = 'open_account'")
    desk.advance(seconds=3_600)

    desk.run_due()

    assert is_ready(nina)


def test_a_deactivated_user_is_not_stuck(desk: Desk, nina: User) -> None:
    desk.command(database.execute, "DELETE FROM tasks WHERE kind = 'open_account'")
    commands.update_user(nina.id, {"active": False}, expected_version=None, actor=SYSTEM)
    desk.advance(seconds=limits.activation_stuck_s + 1)

    assert desk.command(onboarding.stuck) == []


def test_a_command_runs_the_hand_shake_itself_and_its_tasks_find_nothing_to_do(desk: Desk, nina: User) -> None:
    onboarding.complete(nina.id)
    onboarding.complete(nina.id)

    assert is_ready(nina)
    desk.run_due()
    assert len(accounts_of(desk, nina)) == 1
    assert happened("user", nina.id).count("user_activated") == 1


def test_a_user_of_an_earlier_program_gets_an_account(desk: Desk) -> None:
    """Such a program inserts the row without a task during a rollout."""
    nina = commands.create_user("nina@example.test", "Nina New", PASSWORD, "agent", actor=SYSTEM)
    desk.command(database.execute, "DELETE FROM tasks WHERE kind = 'open_account'")
    desk.advance(seconds=limits.activation_stuck_s + 1)

    assert onboarding.repair() == 1
    assert is_ready(nina)


def test_the_people_who_were_there_before_are_ready(desk: Desk) -> None:
    rows = desk.rows("SELECT u.id FROM users AS u WHERE u.ready_at IS NULL")

    assert rows == []
    assert len(desk.rows("SELECT id FROM accounts")) == len(desk.rows("SELECT id FROM users"))
