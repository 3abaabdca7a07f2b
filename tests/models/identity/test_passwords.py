"""Password hashes."""

import subprocess
import sys

from argon2 import PasswordHasher, Type, extract_parameters

from models.identity import passwords


def test_a_password_matches_its_own_hash_only() -> None:
    kept = passwords.make_hash("a parrot named Kea")

    assert passwords.matches("a parrot named Kea", kept)
    assert not passwords.matches("a parrot named Kaka", kept)
    assert not passwords.is_outdated(kept)


def test_the_hash_is_argon2id_with_the_parameters_that_owasp_asks_for() -> None:
    parameters = extract_parameters(passwords.make_hash("a parrot named Kea"))

    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19 * 1024, 2, 1)


def test_nobodys_hash_costs_what_a_users_hash_costs_and_matches_nothing() -> None:
    assert extract_parameters(passwords._NOBODYS_HASH) == extract_parameters(passwords.make_hash("x"))
    assert not passwords.matches("", None)
    assert not passwords.matches("a parrot named Kea", None)


def test_an_overlong_or_unencodable_password_matches_nothing_and_does_not_fail() -> None:
    kept = passwords.make_hash("")

    assert not passwords.matches("x" * 100_000, kept)
    assert not passwords.matches("\ud800", kept)


def test_one_password_typed_on_two_keyboards_is_one_password() -> None:
    composed, decomposed = "caf\u00e9 de kea", "cafe\u0301 de kea"

    assert passwords.matches(decomposed, passwords.make_hash(composed))


def test_a_hash_of_other_parameters_is_outdated() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a parrot named Kea")

    assert passwords.is_outdated(weaker)


def test_neither_argon2_nor_jwt_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys; from models.identity import commands, queries; from models.identity.sign_in import tokens;"
        " print([m for m in ('argon2', 'jwt') if m in sys.modules])"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)

    assert answer.stdout.strip() == "[]"
