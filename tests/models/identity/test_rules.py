"""Pure decisions: roles, what people may be called, passwords, refresh tokens."""

from datetime import UTC, datetime, timedelta

import pytest

from models.identity import rules
from models.identity.rules import ROLE_PERMISSIONS, Permission, RefreshVerdict, Role, SessionState
from models.kernel import limits

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_every_role_has_permissions_and_admin_has_all() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert ROLE_PERMISSIONS[Role.admin] == set(Permission)


def test_a_manager_may_all_that_an_agent_may_and_repair_what_is_stuck() -> None:
    added = ROLE_PERMISSIONS[Role.manager] - ROLE_PERMISSIONS[Role.agent]

    assert ROLE_PERMISSIONS[Role.agent] < ROLE_PERMISSIONS[Role.manager]
    assert added == {
        "messages_manage",
        "texts_manage",
        "tags_manage",
        "inbox_replay",
        "deliveries_manage",
        "tasks_read",
        "tasks_manage",
        "users_read",
        "requesters_export",
        "numbers_read",
        "views_manage",
    }


def test_an_accountant_sees_paid_tasks_and_handles_money_only() -> None:
    assert ROLE_PERMISSIONS[Role.accountant] == {"paid_tasks_read", "ledger_read", "ledger_manage"}


@pytest.mark.parametrize("role", [Role.agent, Role.manager, Role.accountant])
def test_only_an_admin_manages_users_and_keys(role: Role) -> None:
    assert not ROLE_PERMISSIONS[role] & {"users_manage", "api_keys_manage", "definitions_manage"}


@pytest.mark.parametrize("email", ["ada@example.test", "o'hara+desk@mail.example.co", "юля@пример.рф", "a@b.cd"])
def test_an_ordinary_address_is_accepted(email: str) -> None:
    assert rules.email_problems(rules.normalise_email(email)) == []


@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            "ada",
            "ada@",
            "@example.test",
            "ada@example",
            "a da@example.test",
            "ada@ex..test",
            "a@b@c.test",
        ),
        *("ada@example.test\x00", "Ada <ada@example.test>", "ada@example.test,bob@example.test"),
        *("ada\ud800@example.test", "a" * 65 + "@example.test", "a@" + "b" * 320 + ".test"),
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(email: str) -> None:
    problems = rules.email_problems(rules.normalise_email(email))

    assert [problem.path for problem in problems] == ["email"]
    assert "expected" in problems[0].message


@pytest.mark.parametrize(
    ("password", "sentences"),
    [
        ("nestor-demo", []),
        ("пароль из слов", []),
        ("short", ["at least 10 characters"]),
        ("aaaa", ["at least 10 characters", "4 different"]),
        ("aaaaaaaaaaaa", ["4 different"]),
        ("Grace.Hopper@example.test", ["other than the e-mail address"]),
        ("grace.hopper", ["other than the e-mail address"]),
        ("x" * 257, ["at most 256"]),
        ("\ud800 lone surrogate", ["Unicode"]),
    ],
)
def test_each_broken_password_rule_gives_its_sentence(password: str, sentences: list[str]) -> None:
    problems = rules.password_problems(password, email="grace.hopper@example.test")

    assert [problem.path for problem in problems] == ["password"] * len(sentences)
    for problem, sentence in zip(problems, sentences, strict=True):
        assert sentence in problem.message


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\x00", "\ud800", "x" * (limits.name_chars_max + 1)])
def test_a_name_is_one_printable_line(name: str) -> None:
    assert [problem.path for problem in rules.name_problems(name)] == ["name"]


def test_an_expiry_is_an_aware_instant_in_the_future() -> None:
    assert rules.expiry_problems(None, now=NOW) == []
    assert rules.expiry_problems(NOW + timedelta(days=1), now=NOW) == []
    assert "future" in rules.expiry_problems(NOW, now=NOW)[0].message
    assert "time zone" in rules.expiry_problems(datetime(2030, 1, 1), now=NOW)[0].message  # noqa: DTZ001


@pytest.mark.parametrize(
    ("token_hash", "genuine", "seconds", "verdict"),
    [
        ("current", True, 5000, RefreshVerdict.current),
        ("previous", True, limits.refresh_repeat_s, RefreshVerdict.repeated),
        ("previous", True, limits.refresh_repeat_s + 0.001, RefreshVerdict.reused),
        ("older", True, 1, RefreshVerdict.reused),
        ("made up", False, 1, RefreshVerdict.unknown),
        ("current", True, limits.refresh_token_s, RefreshVerdict.ended),
    ],
)
def test_a_refresh_token_is_judged_by_what_it_was_and_when(
    token_hash: str, genuine: bool, seconds: float, verdict: RefreshVerdict
) -> None:
    session = SessionState("current", "previous", NOW, rules.session_end(NOW), None)

    now = NOW + timedelta(seconds=seconds)

    assert rules.judge_refresh(session, token_hash, genuine=genuine, now=now) is verdict


def test_every_token_of_a_revoked_session_is_over() -> None:
    session = SessionState("current", "previous", NOW, rules.session_end(NOW), NOW)

    for token_hash in ("current", "previous", "older"):
        assert rules.judge_refresh(session, token_hash, genuine=True, now=NOW) is RefreshVerdict.ended
