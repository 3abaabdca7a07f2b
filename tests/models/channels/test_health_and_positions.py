"""What is wrong with an account, and how far it was read."""

from __future__ import annotations

import contextlib

import pytest

from models.channels import accounts, health, positions, puller_leases
from models.kernel import clock, limits
from models.kernel.storage import database
from models.ports.outbound import SendOutcome, accepted, permanent, transient
from models.tasks.kinds import KINDS
from tests.desk import Desk


def test_a_trouble_is_shown_with_its_beginning_until_it_is_over(desk: Desk) -> None:
    health.report_error("email", "demo", "the login was refused")
    began = health.of("email", "demo").error_at
    desk.advance(hours=1)
    health.report_error("email", "demo", "the login was refused")
    again = health.of("email", "demo")
    health.report_well("email", "demo", {"messages": 3})

    well = health.of("email", "demo")

    assert (again.error, again.error_at) == ("the login was refused", began)
    assert (well.error, well.error_at) == (None, None)
    assert began is not None
    assert well.told == {
        "messages": 3,
        "last_error": "the login was refused",
        "last_error_at": clock.rfc3339(began),
    }
    assert well.told_at is not None


def test_another_trouble_has_its_own_beginning(desk: Desk) -> None:
    health.report_error("email", "demo", "the login was refused")
    desk.advance(hours=1)
    health.report_error("email", "demo", "the mailbox is gone")

    found = health.of("email", "demo")

    assert found.error == "the mailbox is gone"
    assert found.error_at is not None
    assert (clock.now() - found.error_at).total_seconds() < 60


def test_an_error_whose_text_changes_keeps_the_beginning_of_the_trouble(desk: Desk) -> None:
    health.report_error("email", "demo", "the connection was refused")
    began = health.of("email", "demo").error_since
    desk.advance(minutes=7)
    health.report_error("email", "demo", "the connection timed out")
    ill = health.of("email", "demo")
    health.report_well("email", "demo")

    well = health.of("email", "demo")

    assert began is not None
    assert (ill.error, ill.error_since) == ("the connection timed out", began)
    assert ill.error_at is not None
    assert ill.error_at > began
    assert (well.error, well.error_since) == (None, None)


def test_failing_sends_are_shown_with_their_last_error_and_their_beginning_until_one_is_accepted(desk: Desk) -> None:
    desk.answers += [transient("no connection (ConnectError)"), transient("the provider answered 502")]
    ticket = desk.create_ticket(description="Help.", email="ada@example.com")
    desk.run_due()
    first = health.of("email", "demo")
    desk.advance(minutes=3)
    desk.run_due()
    second = health.of("email", "demo")
    desk.advance(minutes=10)
    desk.run_due()
    over = health.of("email", "demo")

    assert desk.deliveries(ticket)[0]["state"] == "sent"
    assert first.sending_error == "no connection (ConnectError)"
    assert (second.sending_error, second.sending_failed_since) == (
        "the provider answered 502",
        first.sending_failed_since,
    )
    assert first.error is second.error is None
    assert (over.sending_error, over.sending_failed_since) == (None, None)


@pytest.mark.parametrize(
    "outcome",
    [
        permanent("no such mailbox"),
        SendOutcome("throttled", "slower", retry_after_s=3.0),
        SendOutcome("unknown", "a part is missing", external_id="1"),
        SendOutcome("transient", "the group has moved", new_address="-100"),
    ],
    ids=lambda one: str(one.detail),
)
def test_an_answer_about_one_message_is_no_failure_of_the_provider(desk: Desk, outcome: SendOutcome) -> None:
    health.report_outcome("email", "demo", outcome)

    assert health.of("email", "demo") == health.Health()


def test_an_accepted_send_leaves_an_error_that_no_send_found(desk: Desk) -> None:
    health.report_error("email", "demo", "the mailbox does not answer")
    health.report_outcome("email", "demo", transient("the relay is away"))

    health.report_outcome("email", "demo", accepted("<1@desk>"))

    found = health.of("email", "demo")
    assert (found.error, found.sending_error) == ("the mailbox does not answer", None)
    assert found.error_since is not None


def test_the_reports_of_a_provider_are_merged(desk: Desk) -> None:
    health.report_well("telegram", "demo", {"pending": 4, "url": "x"})
    health.report_well("telegram", "demo", {"pending": 0})

    assert health.of("telegram", "demo").told == {"pending": 0, "url": "x"}
    assert health.of("telegram", "other") == health.Health()


def test_a_position_is_kept_only_with_what_was_read_up_to_it(desk: Desk) -> None:
    account = accounts.find("email", "demo")
    with database.transaction():
        positions.put(account, "INBOX", {"uidvalidity": 7, "uid": 1})

    with contextlib.suppress(ZeroDivisionError), database.transaction():
        positions.put(account, "INBOX", {"uidvalidity": 7, "uid": 2})
        raise ZeroDivisionError

    assert positions.get(account, "INBOX") == {"uidvalidity": 7, "uid": 1}
    assert positions.get(account, "Other") is None
    with pytest.raises(AssertionError):
        positions.put(account, "INBOX", {"uid": 3})


def test_a_lease_has_one_holder_until_it_runs_out_or_is_given_back(desk: Desk) -> None:
    def take(holder: str) -> bool:
        return puller_leases.take("email", "demo", holder=holder, lease_s=30)

    first = [take("a"), take("a"), take("b")]
    desk.advance(seconds=31)
    after = [take("b"), take("a")]
    puller_leases.give_back("email", "demo", holder="a")
    others = take("a")
    puller_leases.give_back("email", "demo", holder="b")

    assert first == [True, True, False]
    assert after == [True, False]
    assert not others
    assert take("a")


def test_a_lease_that_was_given_before_the_clock_was_set_back_is_free(desk: Desk) -> None:
    """Else nobody reads the mailbox of a process that was killed until the clock gets there."""
    desk.advance(hours=2)
    puller_leases.take("email", "demo", holder="killed", lease_s=30)
    desk.advance(hours=-2)

    held_before = puller_leases.is_leased("email", "demo")
    taken = puller_leases.take("email", "demo", holder="here", lease_s=30)
    again = puller_leases.take("email", "demo", holder="third", lease_s=30)

    assert (held_before, taken, again) == (False, True, False)
    assert puller_leases.is_leased("email", "demo")


def test_a_task_that_reads_an_account_for_its_whole_time_keeps_it(desk: Desk) -> None:
    longest_s = KINDS["pull_account"].time_limit_s

    taken = puller_leases.take("email", "demo", holder="task", lease_s=longest_s)
    stolen = puller_leases.take("email", "demo", holder="loop", lease_s=limits.puller_lease_s)

    assert taken
    assert not stolen
    with database.connection():
        assert puller_leases.is_leased("email", "demo")
