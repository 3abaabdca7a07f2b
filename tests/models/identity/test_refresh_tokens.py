"""Refresh tokens carry their session and our mark."""

import base64

import pytest

from models.identity.sign_in import refresh_tokens
from models.kernel.ids import new_id
from models.kernel.settings import Settings

SETTINGS = Settings(secret_key="one key of more than thirty-two characters")
OTHER = Settings(secret_key="another key of more than thirty-two characters")


def test_a_token_names_its_session_and_carries_our_mark() -> None:
    session_id = new_id()

    token = refresh_tokens.first(session_id, SETTINGS)

    assert token.startswith("nsr_")
    assert refresh_tokens.session_of(token) == session_id
    assert refresh_tokens.is_genuine(token, SETTINGS)
    assert not refresh_tokens.is_genuine(token, OTHER)


def test_two_sessions_tokens_differ_and_a_token_has_one_successor() -> None:
    session_id = new_id()
    token, other = (refresh_tokens.first(session_id, SETTINGS) for _ in range(2))

    successors = {refresh_tokens.successor(token, SETTINGS) for _ in range(2)}

    assert token != other
    assert len(successors) == 1
    assert refresh_tokens.is_genuine(successors.pop(), SETTINGS)


def test_a_successor_needs_the_key() -> None:
    token = refresh_tokens.first(new_id(), SETTINGS)

    assert refresh_tokens.successor(token, OTHER) != refresh_tokens.successor(token, SETTINGS)


def test_a_token_for_a_session_that_was_made_up_is_not_genuine() -> None:
    forged = "nsr_" + base64.urlsafe_b64encode(new_id().bytes + b"x" * 48).decode().rstrip("=")

    assert refresh_tokens.session_of(forged) is not None
    assert not refresh_tokens.is_genuine(forged, SETTINGS)


@pytest.mark.parametrize("text", ["", "nsr_", "nsr_" + "!" * 86, "nsr_" + "ж" * 86, "x" * 90, "nsr_" + "A" * 87])
def test_what_is_no_token_names_no_session(text: str) -> None:
    assert refresh_tokens.session_of(text) is None
    assert not refresh_tokens.is_genuine(text, SETTINGS)
