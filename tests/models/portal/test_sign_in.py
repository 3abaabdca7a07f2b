"""The sign-in of requesters: who gets a link, what a link does, and how a session ends."""

import pytest

from models.events.commands import SYSTEM
from models.kernel.errors import TooManyRequests, Unauthenticated
from models.kernel.storage import database
from models.portal import limits, sign_in
from models.portal.sign_in import LinkEnded
from models.privacy import erasure
from models.requesters import commands as requesters
from models.requesters import profile
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.portal.visiting import ADA, count, mailed, pressed, visitor_of

pytestmark = sqlite_only


def block(address: str) -> None:
    with database.connection(), database.transaction():
        owner = requesters.find("email", address)
        assert owner is not None
        profile.set_blocked(owner.id, "email", address, "rude")


def test_a_link_signs_its_address_in_once(desk: Desk) -> None:
    desk.receive_email(sender=f"Ada <{ADA}>")
    desk.run_due()

    (token,) = mailed(desk, "Ada@Example.com ")
    visitor = visitor_of(pressed(token))

    assert visitor.address == ADA
    assert visitor.requester is not None
    assert visitor.requester.name == "Ada"
    with pytest.raises(LinkEnded):
        pressed(token)


def test_opening_a_link_signs_nobody_in_and_does_not_use_it_up(desk: Desk) -> None:
    (token,) = mailed(desk)

    with database.connection():
        shown = [sign_in.address_of(token) for _ in range(3)]

    assert shown == [ADA] * 3
    assert count(desk, "portal_sessions") == 0
    assert visitor_of(pressed(token)).address == ADA


def test_an_unknown_address_gets_a_link_too_and_owns_nothing(desk: Desk) -> None:
    (token,) = mailed(desk, "new@example.org")

    visitor = visitor_of(pressed(token))

    assert (visitor.address, visitor.requester) == ("new@example.org", None)
    assert count(desk, "requesters") == 0


def test_known_unknown_and_blocked_addresses_leave_the_same_rows_until_a_worker_runs(desk: Desk) -> None:
    desk.receive_email(sender=f"Ada <{ADA}>")
    desk.receive_email(sender="Bob <bob@example.org>")
    desk.run_due()
    block("bob@example.org")
    tables = ("portal_links", "tasks", "rate_buckets", "desk_mails", "events")
    grown = []
    for number, address in enumerate((ADA, "new@example.org", "bob@example.org")):
        before = [count(desk, table) for table in tables]
        sign_in.request_link(address, locale="en", client=f"192.0.{number}.1")
        grown.append([count(desk, table) - n for table, n in zip(tables, before, strict=True)])

    assert grown[0] == grown[1] == grown[2]


def test_a_blocked_address_gets_no_mail_and_its_session_ends(desk: Desk) -> None:
    desk.receive_email(sender=f"Ada <{ADA}>")
    desk.run_due()
    (first,) = mailed(desk)
    session = pressed(first)
    (second,) = mailed(desk)
    block(ADA)

    with pytest.raises(Unauthenticated):
        visitor_of(session)
    with pytest.raises(LinkEnded):
        pressed(second)
    assert mailed(desk) == []


def test_a_press_ends_the_other_links_of_the_address_and_the_browsers_earlier_session(desk: Desk) -> None:
    (first,), (second,) = mailed(desk), mailed(desk)
    (other,) = mailed(desk, "grace@example.com")
    old = pressed(other)

    new = pressed(second, former=old)

    with pytest.raises(LinkEnded):
        pressed(first)
    with pytest.raises(Unauthenticated):
        visitor_of(old)
    assert visitor_of(new).address == ADA
    assert new != old


def test_a_link_ends_after_half_an_hour_and_a_session_after_a_day_of_work(desk: Desk) -> None:
    (late,) = mailed(desk)
    (token,) = mailed(desk, "grace@example.com")
    session = pressed(token)

    desk.advance(seconds=limits.link_s + 1)
    with pytest.raises(LinkEnded):
        pressed(late)
    assert visitor_of(session).address == "grace@example.com"
    desk.advance(seconds=limits.session_s)
    with pytest.raises(Unauthenticated):
        visitor_of(session)


def test_signing_out_ends_the_session(desk: Desk) -> None:
    (token,) = mailed(desk)
    session = pressed(token)

    with database.connection(), database.transaction():
        sign_in.sign_out(session)

    with pytest.raises(Unauthenticated):
        visitor_of(session)


@pytest.mark.parametrize("token", ["", "nsl_", "nsl_" + "A" * 64, "x" * 500, "nsl_\ud800"])
def test_a_forged_link_does_nothing(desk: Desk, token: str) -> None:
    with pytest.raises(LinkEnded):
        pressed(token)
    with pytest.raises(Unauthenticated):
        visitor_of(token)


def test_a_mailbox_gets_three_links_at_once_and_nobody_is_told_of_the_fourth(desk: Desk) -> None:
    sent = [len(mailed(desk, client=f"192.0.{n}.1")) for n in range(limits.links_burst + 2)]

    assert sent == [1] * limits.links_burst + [0, 0]


def test_one_network_cannot_ask_for_links_without_end(desk: Desk) -> None:
    for number in range(limits.links_per_client_burst):
        sign_in.request_link(f"a{number}@example.org", locale="en", client="192.0.2.7")

    with pytest.raises(TooManyRequests):
        sign_in.request_link(ADA, locale="en", client="192.0.2.7")
    sign_in.request_link(ADA, locale="en", client="198.51.100.1")


def test_the_desk_mails_only_so_many_strangers_but_still_its_requesters(desk: Desk) -> None:
    desk.receive_email(sender=f"Ada <{ADA}>")
    desk.run_due()
    for number in range(limits.strangers_burst):
        assert len(mailed(desk, f"a{number}@example.org", client=f"198.51.{number}.1")) == 1

    assert mailed(desk, "one-more@example.org", client="203.0.113.1") == []
    assert len(mailed(desk, client="203.0.113.1")) == 1


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@example.com", "a b@example.com", "a\nb@example.com", "a" * 400]
)
def test_what_is_no_address_gets_no_mail(desk: Desk, address: str) -> None:
    assert mailed(desk, address) == []
    assert count(desk, "portal_links") == 0


def test_the_desks_own_mailbox_gets_no_link(desk: Desk) -> None:
    assert mailed(desk, "desk@example.test") == []


def test_the_mail_is_in_the_language_of_the_request(desk: Desk) -> None:
    sign_in.request_link(ADA, locale="ru", client="192.0.2.1")
    desk.run_due()

    assert "Ссылка действует один раз" in desk.sent[-1].body


def test_an_erasure_removes_links_sessions_and_mails_of_the_person(desk: Desk) -> None:
    desk.receive_email(sender=f"Ada <{ADA}>")
    desk.run_due()
    (token,) = mailed(desk)
    mailed(desk)
    session = pressed(token)
    requester = visitor_of(session).requester
    assert requester is not None

    with database.connection(), database.transaction():
        erasure.erase(requester.id, actor=SYSTEM)

    assert [count(desk, table) for table in ("portal_links", "portal_sessions", "desk_mails")] == [0, 0, 0]
    with pytest.raises(Unauthenticated):
        visitor_of(session)
