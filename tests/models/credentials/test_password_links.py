"""Invitations and password resets by mail."""

import re
from typing import Any

import pytest

from models.credentials import password_links
from models.credentials.password_links import LinkUnusable, UserInactive
from models.definitions import store
from models.desk_mail import links
from models.events.commands import SYSTEM
from models.identity import commands, queries
from models.identity.commands import SignInFailed
from models.identity.queries import User
from models.identity.sign_in import sessions
from models.identity.sign_in.tokens import SessionEnded, TokenPair, authenticate
from models.kernel import limits
from models.kernel.errors import Invalid, NotFound, TooManyRequests
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ports import outbound
from tests.desk import Desk
from tests.functions.callers import PASSWORD, sqlite_only

pytestmark = sqlite_only

NEW = "a wombat with a lantern"
AGENT = "agent@example.test"
TOKEN = re.compile(r"/password#token=(nsl_[A-Za-z0-9_-]+)")


def user_of(email: str = AGENT) -> User:
    with database.connection():
        user = queries.find_by_email(email)
    assert user is not None
    return user


def requested(desk: Desk, email: str = AGENT, client: str = "192.0.2.1") -> list[str]:
    """Request a reset; the tokens of the mails that were sent for it."""
    before = len(desk.sent)
    password_links.request_reset(email, client=client)
    desk.run_due()
    return [match[1] for sent in desk.sent[before:] if (match := TOKEN.search(sent.body))]


def sign_in(desk: Desk, password: str, email: str = AGENT) -> TokenPair:
    return sessions.sign_in(email, password, client="192.0.2.1", settings=desk.settings)


def test_a_reset_link_sets_the_password_once_and_ends_all_sessions(desk: Desk) -> None:
    session = sign_in(desk, PASSWORD)

    (token,) = requested(desk, "Agent@Example.test ")
    password_links.redeem(token, NEW)

    with pytest.raises(SessionEnded):
        authenticate(session.access_token, desk.settings)
    with pytest.raises(SignInFailed):
        sign_in(desk, PASSWORD)
    sign_in(desk, NEW)
    with pytest.raises(LinkUnusable):
        password_links.redeem(token, "another wombat and a lantern")


def test_the_mail_goes_to_the_user_alone_and_a_notice_follows(desk: Desk) -> None:
    (token,) = requested(desk)
    password_links.redeem(token, NEW)
    desk.run_due()

    reset, notice = desk.sent
    assert [sent.address for sent in desk.sent] == [AGENT, AGENT]
    assert reset.message.subject == "Reset your password at Nestor demo desk"
    assert reset.message.automatic
    assert notice.message.subject == "Your password at Nestor demo desk was changed"
    assert "nsl_" not in notice.body


def test_neither_the_database_nor_a_task_holds_a_usable_token(desk: Desk) -> None:
    (token,) = requested(desk)

    tables = ("desk_mails", "password_links", "tasks", "events")
    assert not [table for table in tables if token in str(desk.rows(f"SELECT * FROM {table}"))]


@pytest.mark.parametrize("email", ["nobody@example.test", "no address", "", "a\x00@example.test", "x" * 320])
def test_a_request_for_an_unknown_address_does_the_same_and_sends_nothing(desk: Desk, email: str) -> None:
    assert requested(desk, email) == []
    assert desk.sent == []


def test_the_request_looks_up_no_user(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response time cannot reveal a user whom the request does not look for."""
    statements: dict[str, list[str]] = {}
    run = database.execute

    for email in (AGENT, "nobody@example.test"):
        seen = statements.setdefault(email, [])

        def spy(statement: str, *arguments: Any, seen: list[str] = seen, **named: Any) -> Any:
            seen.append(statement)
            return run(statement, *arguments, **named)

        monkeypatch.setattr(database, "execute", spy)
        password_links.request_reset(email, client="192.0.2.1")

    known, unknown = statements.values()
    assert known == unknown
    assert not [one for one in known if "users" in one]


def test_a_deactivated_user_gets_no_mail_and_no_link(desk: Desk) -> None:
    (token,) = requested(desk)
    commands.update_user(user_of().id, {"active": False}, expected_version=None, actor=SYSTEM)

    with pytest.raises(LinkUnusable):
        password_links.redeem(token, NEW)
    assert requested(desk) == []
    with pytest.raises(UserInactive):
        desk.command(password_links.send, user_of().id, "invitation")


def test_a_link_expires_after_half_an_hour(desk: Desk) -> None:
    (token,) = requested(desk)

    desk.advance(seconds=limits.password_link_s + 1)

    with pytest.raises(LinkUnusable):
        password_links.redeem(token, NEW)


def test_another_change_of_the_password_ends_a_link(desk: Desk) -> None:
    (token,) = requested(desk)
    commands.update_user(user_of().id, {"password": NEW}, expected_version=None, actor=SYSTEM)

    with pytest.raises(LinkUnusable):
        password_links.redeem(token, "another wombat and a lantern")


def test_a_later_request_leaves_the_earlier_link_usable_until_one_is_used(desk: Desk) -> None:
    first, second = (requested(desk)[0] for _ in range(2))

    password_links.redeem(first, NEW)

    with pytest.raises(LinkUnusable):
        password_links.redeem(second, "another wombat and a lantern")


def test_a_weak_password_does_not_cost_the_link(desk: Desk) -> None:
    (token,) = requested(desk)

    for weak in ("short", "Password123", "olga.agent.1"):
        with pytest.raises(Invalid):
            password_links.redeem(token, weak)

    password_links.redeem(token, NEW)


def test_only_the_token_itself_opens_a_link(desk: Desk) -> None:
    (token,) = requested(desk)
    link_id = links.id_of(token)
    assert link_id is not None
    unknown = links.token_of(new_id())

    for wrong in ("", "nsl_", "x" * 200, token[:-1], token + "A", token.lower(), "nsl_" + "А" * 64, unknown):
        with pytest.raises(LinkUnusable):
            password_links.redeem(wrong, NEW)


def test_two_redemptions_at_once_set_one_password(desk: Desk) -> None:
    (token,) = requested(desk)

    def redeem(password: str) -> str:
        try:
            password_links.redeem(token, password)
        except LinkUnusable:
            return "refused"
        return password

    results = desk.in_threads(lambda: redeem(NEW), lambda: redeem("another wombat and a lantern"))

    assert sorted(result == "refused" for result in results) == [False, True]


def test_mails_to_one_address_are_limited_and_the_stranger_does_not_see_it(desk: Desk) -> None:
    mails = [len(requested(desk)) for _ in range(limits.password_resets_burst + 2)]

    assert mails == [1] * limits.password_resets_burst + [0, 0]
    desk.advance(seconds=limits.password_reset_every_s)
    assert len(requested(desk)) == 1


def test_one_client_cannot_ask_for_all_addresses(desk: Desk) -> None:
    for number in range(limits.password_resets_per_client_burst):
        password_links.request_reset(f"{number}@example.test", client="2001:db8::1")

    with pytest.raises(TooManyRequests):
        password_links.request_reset(AGENT, client="2001:db8::ffff")
    password_links.request_reset(AGENT, client="192.0.2.7")


def test_an_invited_user_chooses_the_first_password(desk: Desk) -> None:
    user = commands.create_user("nina@example.test", "Nina New", None, "agent", "ru", actor=SYSTEM)

    link = desk.command(password_links.send, user.id, "invitation")
    desk.run_due()
    (mail,) = desk.sent
    token = TOKEN.search(mail.body)
    assert token is not None
    password_links.redeem(token[1], NEW)

    assert link.mailed
    assert token[1] not in repr(link)
    assert mail.message.subject == "Ваша учётная запись: Nestor demo desk"
    sign_in(desk, NEW, "nina@example.test")
    with pytest.raises(NotFound):
        desk.command(password_links.send, new_id(), "invitation")


def test_a_mail_is_retried_with_the_same_message_id(desk: Desk) -> None:
    desk.answers += [outbound.transient("421 busy"), outbound.unknown("the connection failed")]
    password_links.request_reset(AGENT, client="192.0.2.1")

    desk.run_due()
    for _ in range(3):
        desk.advance(seconds=30)
        desk.run_due()

    calls = [call.message for call in desk.calls]
    assert len(calls) == 3
    assert len({message.external_id for message in calls}) == 1
    assert calls[0].external_id is not None
    (row,) = desk.rows("SELECT sent_at, error FROM desk_mails")
    assert row["sent_at"] is not None
    assert row["error"] is None


def test_a_mail_that_is_of_no_use_any_more_is_not_sent(desk: Desk) -> None:
    desk.answers.append(outbound.transient("421 busy"))
    password_links.request_reset(AGENT, client="192.0.2.1")
    desk.run_due()

    desk.advance(seconds=limits.password_link_s + 1)
    desk.run_due()

    assert len(desk.calls) == 1


def test_without_a_system_account_a_link_is_made_and_nothing_is_sent(desk: Desk) -> None:
    without_system_account(desk)

    link = desk.command(password_links.send, user_of().id, "password_reset")
    desk.run_due()

    assert not link.mailed
    assert desk.sent == []
    token = TOKEN.search(link.url)
    assert token is not None
    password_links.redeem(token[1], NEW)
    sign_in(desk, NEW)


def without_system_account(desk: Desk) -> None:
    """Publish the demo's mailbox without `system: true`."""
    with database.transaction():
        definition = store.latest("channel", "email.demo")
        assert definition is not None
        body = {key: value for key, value in definition.body.items() if key != "system"}
        store.publish("channel", "email.demo", body, source="", by="tests", reason="no system account")
    store.forget()
