"""API keys have an owner, scopes, an end and a last use; they never have more rights than their owner has now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import migrations
from models.identity import api_keys, commands, queries, roles
from models.identity.rules import ROLE_PERMISSIONS, SHIPPED_RIGHTS, Permission, Rights, Role, rights_of_key
from models.identity.sign_in.tokens import authenticate
from models.kernel import clock, limits
from models.kernel.errors import Invalid, Unauthenticated
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.dialect import Dialect
from tests.models.identity.conftest import ROOT, MovableClock, People

BOSS = "boss@example.test"


def test_a_key_of_a_demoted_owner_is_demoted_at_its_next_use(people: People) -> None:
    people.admin()
    boss = people.user(BOSS, "admin")
    _, key = people.key("robot", None, owner_id=boss.id)
    before = authenticate(key, people.settings)

    commands.update_user(boss.id, {"role": "agent"}, expected_version=None, actor=ROOT)

    after = authenticate(key, people.settings)
    assert before.permissions == set(Permission)
    assert (after.permissions, after.role) == (ROLE_PERMISSIONS[Role.agent], Role.agent)


def test_a_key_of_a_deactivated_owner_does_not_work_and_works_no_more_after_a_return(people: People) -> None:
    """The key of a dismissed admin created admins before."""
    people.admin()
    boss = people.user(BOSS, "admin")
    record, key = people.key("robot", "admin", owner_id=boss.id)

    commands.update_user(boss.id, {"active": False}, expected_version=None, actor=ROOT)

    with pytest.raises(Unauthenticated):
        authenticate(key, people.settings)
    commands.update_user(boss.id, {"active": True}, expected_version=None, actor=ROOT)
    with pytest.raises(Unauthenticated, match="revoked"):
        authenticate(key, people.settings)
    assert people.event_types(boss)[-2:] == ["user_deactivated", "user_updated"]
    assert people.history("user", boss.id)[1]["payload"]["api_keys_revoked"] == 1
    assert [event["event_type"] for event in people.history("api_key", record.id)][-1] == "api_key_revoked"


def test_scopes_narrow_a_key_below_its_role(people: People) -> None:
    _, key = people.key("robot", "manager", scopes=[Permission.tickets_read, Permission.tasks_read])

    principal = authenticate(key, people.settings)

    assert principal.permissions == {"tickets_read", "tasks_read"}
    assert principal.role is Role.manager


def test_scopes_beyond_the_role_are_refused(people: People) -> None:
    with pytest.raises(Invalid, match="agent does not have users_manage"):
        people.key("robot", "agent", scopes=[Permission.users_manage])


def test_an_owner_has_all_rights_of_a_new_key(people: People) -> None:
    agent = people.user()

    for role in ("admin", "manager", "accountant"):
        with pytest.raises(Invalid, match="all permissions of the key"):
            people.key("robot", role, owner_id=agent.id)
    record, _ = people.key("robot", None, owner_id=agent.id)

    assert (record.role, record.owner_id) == ("agent", agent.id)


@pytest.mark.parametrize("state", ["unknown", "inactive"])
def test_a_key_needs_an_active_owner(people: People, state: str) -> None:
    people.admin()
    agent = people.user()
    commands.update_user(agent.id, {"active": False}, expected_version=None, actor=ROOT)

    with pytest.raises(Invalid, match="owner_id"):
        people.key("robot", "agent", owner_id=new_id() if state == "unknown" else agent.id)


def test_a_key_ends_in_ninety_days_unless_its_maker_says_otherwise(people: People, moving_clock: MovableClock) -> None:
    record, key = people.key("robot", "agent")
    _, later = people.key("robot", "agent", clock.now() + timedelta(days=400))
    assert record.expires_at is not None

    moving_clock.advance(days=limits.api_key_days - 1)
    authenticate(key, people.settings)
    moving_clock.advance(days=2)

    ends_in = record.expires_at - record.created_at
    assert abs(ends_in - timedelta(days=limits.api_key_days)) < timedelta(minutes=5)
    with pytest.raises(Unauthenticated, match="expired"):
        authenticate(key, people.settings)
    authenticate(later, people.settings)


def test_the_use_of_a_key_is_noted_at_most_once_a_minute(people: People, moving_clock: MovableClock) -> None:
    record, key = people.key("robot", "agent")
    unused = queries.get_api_key(record.id).last_used_at

    authenticate(key, people.settings)
    first = queries.get_api_key(record.id).last_used_at
    moving_clock.advance(seconds=limits.use_noted_every_s - 5)
    authenticate(key, people.settings)
    second = queries.get_api_key(record.id).last_used_at
    moving_clock.advance(seconds=10)
    authenticate(key, people.settings)
    third = queries.get_api_key(record.id).last_used_at

    assert unused is None
    assert first is not None
    assert second == first
    assert third is not None
    assert third > first


def test_a_key_is_given_to_another_owner_who_has_its_rights(people: People) -> None:
    agent, manager = people.user(), people.user("mira@example.test", "manager")
    record, key = people.key("robot", "manager")

    with pytest.raises(Invalid, match="all permissions of the key"):
        api_keys.give(record.id, agent.id, actor=ROOT)
    given = api_keys.give(record.id, manager.id, actor=ROOT)

    assert given.owner_id == manager.id
    assert authenticate(key, people.settings).owner_id == manager.id
    assert [event["event_type"] for event in people.history("api_key", record.id)][-1] == "api_key_given"


def test_a_key_without_an_owner_does_not_work(people: People) -> None:
    """A program of an earlier release creates such keys during a rollout."""
    record, key = people.key("robot", "agent")
    with database.transaction():
        database.execute("UPDATE api_keys SET owner_id = NULL WHERE id = :id", id=record.id)

    with pytest.raises(Unauthenticated, match="no active owner"):
        authenticate(key, people.settings)


def test_a_changed_custom_role_changes_the_keys_of_its_holders(people: People) -> None:
    roles.create("reader", [Permission.tickets_read], actor=ROOT)
    _, key = people.key("robot", "reader")

    roles.update("reader", {"permissions": [Permission.inbox_read]}, expected_version=None, actor=ROOT)

    assert authenticate(key, people.settings).permissions == {"inbox_read"}


def test_the_migration_gives_existing_keys_an_owner_and_an_end(people: People) -> None:
    root, boss = people.admin(), people.user(BOSS, "admin")
    by_boss = people.key("robot", "agent")[0].id
    by_program = people.key("program", "agent")[0].id
    public = api_keys.create_public("demo-key", "demo", owner_id=root.id, actor=ROOT).id
    (migration,) = [one for one in migrations.available() if one.name.endswith("_api_key_owners")]
    updates = [one for one in migration.statements(Dialect(database.is_postgres())) if "UPDATE" in one]
    assert len(updates) == 2
    with database.transaction():
        database.execute("UPDATE api_keys SET owner_id = NULL, expires_at = NULL")
        database.execute(
            "UPDATE events SET actor_kind = 'user', actor_id = :boss WHERE aggregate_id = :id",
            boss=str(boss.id),
            id=by_boss,
        )

        for statement in updates:
            database.execute(statement)

    keys = {key.id: key for key in queries.page_of_api_keys(limit=10)}
    assert (keys[by_boss].owner_id, keys[by_program].owner_id) == (boss.id, root.id)
    assert keys[public].expires_at is None
    for key_id in (by_boss, by_program):
        end = keys[key_id].expires_at
        assert end is not None
        assert timedelta(days=88) < end - clock.now() < timedelta(days=92)


PERMISSIONS = st.frozensets(st.sampled_from(Permission))
RIGHTS = st.one_of(
    st.sampled_from(list(SHIPPED_RIGHTS.values())), st.builds(Rights, st.just("x"), st.sampled_from(Role), PERMISSIONS)
)


@given(role=RIGHTS, scopes=st.none() | PERMISSIONS, owner=RIGHTS)
def test_a_key_never_has_a_right_that_its_owner_lacks(
    role: Rights, scopes: frozenset[Permission] | None, owner: Rights
) -> None:
    rights = rights_of_key(role, scopes, owner)

    assert rights.permissions <= owner.permissions
    assert rights.permissions <= role.permissions
    assert scopes is None or rights.permissions <= scopes
    assert rights.role is owner.role or ROLE_PERMISSIONS[rights.role] <= owner.permissions
