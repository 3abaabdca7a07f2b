"""A user changes the own password with the current one."""

import pytest

from models.events.commands import Actor
from models.identity import own_password
from models.identity.commands import SignInFailed
from models.identity.own_password import WrongPassword
from models.identity.sign_in.tokens import SessionEnded, authenticate
from models.kernel import limits
from models.kernel.errors import Invalid, TooManyRequests
from tests.models.identity.conftest import PASSWORD, MovableClock, People

NEW = "a wombat with a lantern"


def change(people: People, token: str, current: str = PASSWORD, new: str = NEW) -> None:
    me = authenticate(token, people.settings)
    assert me.session_id is not None
    own_password.change(me.id, current, new, session_id=me.session_id, actor=Actor("user", str(me.id), me.name))


def test_a_change_ends_the_other_sessions_and_keeps_the_own(people: People) -> None:
    user = people.user()
    own, other = people.sign_in(), people.sign_in()

    change(people, own.access_token)

    assert authenticate(own.access_token, people.settings).id == user.id
    with pytest.raises(SessionEnded):
        authenticate(other.access_token, people.settings)
    with pytest.raises(SignInFailed):
        people.sign_in()
    people.sign_in(password=NEW)
    event = people.history("user", user.id)[3]
    assert event["event_type"] == "user_updated"
    assert event["actor_id"] == str(user.id)
    assert (event["payload"]["password_changed"], event["payload"]["sessions_ended"]) == (True, 1)


def test_a_wrong_current_password_changes_nothing(people: People) -> None:
    people.user()
    token = people.sign_in().access_token

    with pytest.raises(WrongPassword):
        change(people, token, current="a wrong password")

    people.sign_in()


@pytest.mark.parametrize("new", ["short", "Password123", PASSWORD])
def test_a_weak_or_unchanged_password_is_refused(people: People, new: str) -> None:
    people.user()
    token = people.sign_in().access_token

    with pytest.raises(Invalid) as caught:
        change(people, token, new=new)

    assert {problem.path for problem in caught.value.problems} == {"new_password"}


def test_guesses_by_a_stolen_session_are_limited_and_do_not_stop_others(
    people: People, moving_clock: MovableClock
) -> None:
    people.user()
    people.user("bob@example.test")
    token, bobs = people.sign_in().access_token, people.sign_in("bob@example.test").access_token
    for _ in range(limits.password_checks_burst):
        with pytest.raises(WrongPassword):
            change(people, token, current="a wrong password")

    with pytest.raises(TooManyRequests):
        change(people, token)
    change(people, bobs)
    people.sign_in()
    moving_clock.advance(seconds=limits.password_check_every_s)
    change(people, token)


def test_right_passwords_use_no_slots(people: People) -> None:
    people.user()
    token = people.sign_in().access_token

    for number in range(limits.password_checks_burst + 1):
        change(people, token, current=PASSWORD if number % 2 == 0 else NEW, new=NEW if number % 2 == 0 else PASSWORD)
