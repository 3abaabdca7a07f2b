"""Common and guessable passwords are refused."""

import time

import pytest

from models.events.commands import SYSTEM
from models.identity import commands, password_strength
from models.kernel import limits
from models.kernel.errors import Invalid
from models.kernel.settings import Settings
from tests.models.identity.conftest import People

SETTINGS = Settings(
    secret_key="a key of forty-two characters for the test",
    public_url="https://help.umbrella.test",
    password_words="Raccoon, Umbrella-City",
)


def sentences(password: str) -> list[str]:
    found = password_strength.problems(
        password, email="grace.hopper@navy.test", name="Grace Brewster Hopper", settings=SETTINGS
    )
    return [problem.message for problem in found]


@pytest.mark.parametrize(
    "password",
    [
        "Password123",
        "P@ssw0rd!2024",
        "Summer2026!",
        "qwertyuiop[]",
        "1234567890",
        "iloveyou123",
        "passwordpassword",
        "31.12.1999",
        "abcdefghijkl",
    ],
)
def test_a_common_password_is_refused(password: str) -> None:
    (sentence,) = sentences(password)

    assert "harder to guess" in sentence


@pytest.mark.parametrize(
    "password", ["gracehopper1", "BrewsterHopper", "hopper.grace", "nestorhelpdesk", "Umbrella2026!", "RaccoonCity1"]
)
def test_words_of_the_person_and_of_the_desk_do_not_make_a_password_strong(password: str) -> None:
    (sentence,) = sentences(password)

    assert "harder to guess" in sentence


@pytest.mark.parametrize(
    "password",
    ["a parrot named Kea", "пароль из разных слов", "kT7#vQz!mW2p", "three wombats"],
)
def test_a_password_of_several_words_or_random_characters_is_accepted(password: str) -> None:
    assert sentences(password) == []


@pytest.mark.parametrize("password", ["4@8({[<3691!|1|70$5+7%2" * 11, "1" * 250 + "2345"])
def test_a_hostile_password_costs_at_most_a_second(password: str) -> None:
    password_strength.guesses("loads the word lists", [])
    began = time.process_time()

    sentences(password)

    assert time.process_time() - began < 3.0  # some 0.5 s on a quiet machine; without the bound more than a minute


def test_a_password_of_every_permitted_length_is_judged() -> None:
    assert sentences("wombat lantern " * 17) != ["expected at most 256 characters"]
    assert len("wombat lantern " * 17) <= limits.password_chars_max


def test_a_guessable_password_creates_no_user_and_changes_none(people: People) -> None:
    user = people.user()

    with pytest.raises(Invalid) as made:
        commands.create_user("bob@example.test", "Bob Builder", "bobbuilder123", "agent", actor=SYSTEM)
    with pytest.raises(Invalid) as changed:
        commands.update_user(user.id, {"password": "ada-example1"}, expected_version=1, actor=SYSTEM)

    assert [problem.path for problem in (*made.value.problems, *changed.value.problems)] == ["password"] * 2
    people.sign_in()


def test_no_password_matches_a_user_without_one(people: People) -> None:
    commands.create_user("bob@example.test", "Bob", None, "agent", actor=SYSTEM)

    for password in ("", "a parrot named Kea"):
        with pytest.raises(commands.SignInFailed):
            people.sign_in("bob@example.test", password)
