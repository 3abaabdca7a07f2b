"""Make and change users."""

import threading
from typing import Any

import pytest

from models.events.commands import SYSTEM, Actor
from models.identity import commands, queries
from models.identity.commands import EmailTaken, LastAdmin
from models.identity.queries import User
from models.identity.rules import Role
from models.identity.sign_in.tokens import SessionEnded, authenticate
from models.kernel.errors import Invalid, NestorError, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage import database
from tests.models.identity.conftest import People

ROOT = Actor("user", "root", "Root")


def test_a_user_is_kept_with_a_normalised_address_and_a_hash(people: People) -> None:
    user = commands.create_user(" Ada@Example.TEST ", " Ada L. ", "a parrot named Kea", "agent", "ru", actor=ROOT)

    assert (user.email, user.name, user.role, user.locale) == ("ada@example.test", "Ada L.", Role.agent, "ru")
    assert (user.active, user.version) == (True, 1)
    assert queries.get_user(user.id) == user
    assert queries.find_by_email("ADA@example.test") == user
    kept = database.one("SELECT password_hash FROM users")
    assert kept is not None
    assert kept["password_hash"].startswith("$argon2id$")


def test_creating_a_user_is_told_without_the_password(people: People) -> None:
    user = people.user()

    (event,) = people.history("user", user.id)

    assert (event["event_type"], event["sequence"]) == ("user_created", 1)
    assert event["payload"] == {"email": "ada@example.test", "name": "Ada", "role": "agent", "locale": "en"}


def test_a_taken_address_is_a_conflict_however_it_is_written(people: People) -> None:
    people.user("ada@example.test")

    with pytest.raises(EmailTaken) as caught:
        people.user("ADA@EXAMPLE.test")

    assert (caught.value.code, caught.value.http_status) == ("email_taken", 409)


def test_every_broken_rule_of_a_new_user_is_named(people: People) -> None:
    with pytest.raises(Invalid) as caught:
        commands.create_user("nobody", " ", "short", "king", "no tag", actor=SYSTEM)

    assert {problem.path for problem in caught.value.problems} == {*("email", "name", "password", "role", "locale")}


def test_an_update_changes_what_differs_and_tells_what_was(people: People) -> None:
    user = people.user()

    changed = commands.update_user(user.id, {"name": "Ada Lovelace", "locale": "en"}, expected_version=1, actor=ROOT)

    assert (changed.name, changed.version) == ("Ada Lovelace", 2)
    event = people.history("user", user.id)[-1]
    assert (event["event_type"], event["sequence"], event["actor_id"]) == ("user_updated", 2, "root")
    assert event["payload"]["changes"] == {"name": {"from": "Ada", "to": "Ada Lovelace"}}


def test_an_update_that_changes_nothing_leaves_no_trace(people: People) -> None:
    user = people.user()

    same = commands.update_user(
        user.id, {"name": "Ada", "role": "agent", "active": True}, expected_version=None, actor=ROOT
    )

    assert same == user
    assert people.event_types(user) == ["user_created"]


def test_an_update_of_an_older_version_is_refused(people: People) -> None:
    user = people.user()
    commands.update_user(user.id, {"name": "Ada L."}, expected_version=1, actor=ROOT)

    with pytest.raises(PreconditionFailed):
        commands.update_user(user.id, {"name": "Augusta"}, expected_version=1, actor=ROOT)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"password_hash": "x"}, "password_hash"),
        ({"version": 7}, "version"),
        ({"active": "no"}, "active"),
        ({"name": None}, "name"),
        ({"role": "king"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "ada@example.test"}, "password"),
    ],
)
def test_a_change_that_is_not_allowed_is_named(people: People, changes: dict[str, Any], path: str) -> None:
    user = people.user()

    with pytest.raises(Invalid) as caught:
        commands.update_user(user.id, changes, expected_version=1, actor=ROOT)

    assert caught.value.problems[0].path == path
    assert queries.get_user(user.id) == user


def test_a_user_that_does_not_exist_is_not_found(people: People) -> None:
    with pytest.raises(NotFound):
        commands.update_user(new_id(), {"name": "X"}, expected_version=None, actor=ROOT)
    with pytest.raises(NotFound):
        queries.get_user(new_id())
    assert not queries.can_take_tickets(new_id())


def test_an_address_cannot_be_changed_to_a_taken_one(people: People) -> None:
    user = people.user()
    people.user("bob@example.test")

    with pytest.raises(EmailTaken):
        commands.update_user(user.id, {"email": "BOB@example.test"}, expected_version=1, actor=ROOT)

    assert queries.get_user(user.id).email == "ada@example.test"


@pytest.mark.parametrize("changes", [{"active": False}, {"role": "manager"}, {"password": "another long one"}])
def test_deactivation_and_changes_of_role_or_password_sign_the_user_out_everywhere(
    people: People, changes: dict[str, Any]
) -> None:
    user = people.user()
    pairs = [people.sign_in(), people.sign_in(client="192.0.2.2")]

    commands.update_user(user.id, changes, expected_version=1, actor=ROOT)

    for pair in pairs:
        with pytest.raises(SessionEnded):
            authenticate(pair.access_token, people.settings)
        with pytest.raises(SessionEnded):
            people.refresh(pair.refresh_token)
    assert people.history("user", user.id)[-1]["payload"]["sessions_ended"] == 2


def test_a_new_name_signs_nobody_out(people: People) -> None:
    user = people.user()
    pair = people.sign_in()

    commands.update_user(user.id, {"name": "Ada L."}, expected_version=1, actor=ROOT)

    assert authenticate(pair.access_token, people.settings).name == "Ada L."


def test_a_deactivated_user_is_told_as_such_and_gets_no_work(people: People) -> None:
    user = people.user()

    commands.update_user(user.id, {"active": False, "name": "Ada L."}, expected_version=1, actor=ROOT)

    assert people.event_types(user) == ["user_created", "user_updated", "user_deactivated"]
    assert not queries.can_take_tickets(user.id)


@pytest.mark.parametrize("changes", [{"active": False}, {"role": "agent"}])
def test_the_last_active_admin_stays(people: People, changes: dict[str, Any]) -> None:
    admin = people.user("admin@example.test", "admin")
    second = people.user("second@example.test", "admin")
    commands.update_user(second.id, {"active": False}, expected_version=1, actor=ROOT)

    with pytest.raises(LastAdmin) as caught:
        commands.update_user(admin.id, changes, expected_version=1, actor=ROOT)

    assert (caught.value.code, caught.value.http_status) == ("last_admin", 409)
    assert queries.get_user(admin.id) == admin


def test_an_admin_beside_another_one_can_go(people: People) -> None:
    admin = people.user("admin@example.test", "admin")
    people.user("second@example.test", "admin")

    assert not commands.update_user(admin.id, {"active": False}, expected_version=1, actor=ROOT).active


def test_two_admins_who_demote_each_other_at_once_do_not_both_succeed(people: People) -> None:
    admins = [people.user(f"admin{n}@example.test", "admin") for n in range(2)]
    barrier, outcomes = threading.Barrier(2, timeout=10), list[str]()

    def demote(target: User) -> None:
        barrier.wait()
        try:
            outcomes.append(commands.update_user(target.id, {"role": "agent"}, expected_version=1, actor=ROOT).role)
        except NestorError as error:
            outcomes.append(error.code)
        finally:
            database.proxy.obj.close()

    threads = [threading.Thread(target=demote, args=(admin,)) for admin in admins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes) == ["agent", "last_admin"]


def test_pages_of_users_follow_each_other_newest_first(people: People) -> None:
    users = [people.user(f"user{n}@example.test", "manager" if n == 2 else "agent") for n in range(5)]

    first = queries.page_of_users(limit=3)
    second = queries.page_of_users(limit=3, before=(first[-1].created_at, first[-1].id))

    assert [user.id for user in (*first, *second)] == [user.id for user in reversed(users)]
    assert [user.email for user in queries.page_of_users(role=Role.manager, limit=9)] == ["user2@example.test"]


def test_users_can_be_listed_by_whether_they_are_active(people: People) -> None:
    gone, here = people.user("gone@example.test"), people.user("here@example.test")
    commands.update_user(gone.id, {"active": False}, expected_version=1, actor=ROOT)

    assert [user.id for user in queries.page_of_users(active=True, limit=9)] == [here.id]
    assert [user.id for user in queries.page_of_users(active=False, limit=9)] == [gone.id]


def test_names_are_found_by_id_for_a_list(people: People) -> None:
    user = people.user()

    assert queries.names_of({user.id, new_id()}) == {user.id: "Ada"}
