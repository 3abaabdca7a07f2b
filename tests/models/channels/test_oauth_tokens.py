"""Stored OAuth tokens, on both engines."""

from __future__ import annotations

from datetime import timedelta

from models.channels import oauth_tokens
from models.channels.oauth_tokens import Tokens
from models.kernel import clock
from tests.desk import Desk


def tokens(number: int) -> Tokens:
    now = clock.now()
    return Tokens(f"access-{number}", now + timedelta(minutes=50), now + timedelta(hours=1), f"refresh-{number}")


def test_the_newest_tokens_of_the_same_credentials_are_found(desk: Desk) -> None:
    first, second = tokens(1), tokens(2)

    before = oauth_tokens.find("email", "demo", "source")
    oauth_tokens.keep("email", "demo", "source", first)
    oauth_tokens.keep("email", "demo", "source", second)

    assert before is None
    assert oauth_tokens.find("email", "demo", "source") == second
    assert oauth_tokens.find("email", "demo", "other credentials") is None
    assert oauth_tokens.find("email", "sales", "source") is None


def test_one_process_at_a_time_renews_and_the_turn_of_a_killed_one_ends_by_itself(desk: Desk) -> None:
    first = [oauth_tokens.take_turn("email", "demo") for _ in range(2)]
    desk.advance(minutes=2)
    after_a_kill = [oauth_tokens.take_turn("email", "demo") for _ in range(2)]
    oauth_tokens.keep("email", "demo", "source", tokens(1))
    after_new_tokens = oauth_tokens.take_turn("email", "demo")
    oauth_tokens.end_turn("email", "demo")
    after_a_failure = oauth_tokens.take_turn("email", "demo")

    assert first == after_a_kill == [True, False]
    assert after_new_tokens
    assert after_a_failure
