"""Users from the command line, as an operator without the API manages them."""

from __future__ import annotations

import re

import pytest

from models.credentials import password_links
from models.identity.commands import SignInFailed
from models.identity.sign_in import sessions
from models.kernel import limits
from models.kernel.errors import TooManyRequests
from tests.desk import Desk
from tests.functions.callers import PASSWORD, sqlite_only
from tests.models.credentials.test_password_links import NEW, TOKEN, sign_in, without_system_account
from tests.scripts.verbs import run_verb

pytestmark = sqlite_only
NINA = ("--email", "nina@example.test", "--name", "Nina New", "--role", "agent")


def test_a_user_is_added_without_a_terminal_and_chooses_the_password_by_mail(desk: Desk) -> None:
    done = run_verb("users", "add", *NINA)
    desk.run_due()

    assert done.returncode == 0, done.stderr
    assert "nina@example.test gets a link by mail" in done.stdout
    assert "nsl_" not in done.stdout
    token = re.search(TOKEN, desk.sent[-1].body)
    assert token is not None
    password_links.redeem(token[1], NEW)
    sign_in(desk, NEW, "nina@example.test")


def test_without_a_system_account_the_command_prints_the_link(desk: Desk) -> None:
    without_system_account(desk)

    done = run_verb("users", "password", "--email", "agent@example.test")

    assert done.returncode == 0, done.stderr
    token = re.search(TOKEN, done.stdout)
    assert token is not None
    password_links.redeem(token[1], NEW)
    sign_in(desk, NEW)


def test_the_password_of_the_environment_is_judged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_PASSWORD", "nina-new-123")
    refused = run_verb("users", "add", *NINA)
    monkeypatch.setenv("NEW_PASSWORD", NEW)
    added = run_verb("users", "add", *NINA)

    assert refused.returncode == 1
    assert "harder to guess" in refused.stderr
    assert added.returncode == 0, added.stderr
    sign_in(desk, NEW, "nina@example.test")


def test_users_are_listed(desk: Desk) -> None:
    done = run_verb("users", "list")

    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert {line[0]: line[2:4] for line in lines}["agent@example.test"] == ["agent", "active"]
    assert len(lines) == 4


def test_a_locked_out_user_is_unlocked(desk: Desk) -> None:
    for _ in range(limits.sign_in_failures_burst):
        with pytest.raises(SignInFailed):
            sessions.sign_in("agent@example.test", "wrong", client="192.0.2.1", settings=desk.settings)
    with pytest.raises(TooManyRequests):
        sign_in(desk, PASSWORD)

    done = run_verb("users", "unlock", "--email", "agent@example.test")

    assert done.returncode == 0, done.stderr
    sign_in(desk, PASSWORD)


def test_an_unknown_user_is_named(desk: Desk) -> None:
    done = run_verb("users", "password", "--email", "nobody@example.test")

    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no user nobody@example.test" in done.stderr
