"""A reply on its way: sent once and in order, or visibly not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.deliveries import commands as deliveries
from models.kernel import clock
from models.ports import outbound
from models.ports.outbound import SendOutcome
from models.tasks.rates import Bucket
from models.tickets.tables import Ticket
from tests.desk import Desk


@pytest.fixture
def ticket(desk: Desk) -> Ticket:
    """A chat's ticket, acknowledged; the fake provider has forgotten that."""
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    desk.calls.clear()
    return desk.ticket()


def _last(desk: Desk, ticket: Ticket) -> dict[str, object]:
    return desk.deliveries(ticket)[-1]


def test_a_reply_is_sent_once_and_its_provider_id_is_known_for_replies(desk: Desk, ticket: Ticket) -> None:
    desk.reply(ticket, "Water it.")
    desk.run_due()
    desk.run_due()

    [sent] = desk.sent
    delivery = _last(desk, ticket)
    assert (sent.body, sent.address, delivery["state"]) == ("Water it.", "42", "sent")
    assert desk.rows("SELECT ticket_id FROM message_references WHERE external_id = :id", id=delivery["external_id"])


def test_replies_to_one_address_keep_their_order_through_failures(desk: Desk, ticket: Ticket) -> None:
    desk.answers.append(outbound.transient("connection refused"))
    for number in range(3):
        desk.reply(ticket, f"{number}")

    desk.run_due()
    while_waiting = desk.sent_bodies()
    desk.advance(seconds=2)
    desk.run_due()

    assert while_waiting == []
    assert desk.sent_bodies() == ["0", "1", "2"]


def test_a_permanent_refusal_fails_visibly_and_does_not_hold_back_the_next(desk: Desk, ticket: Ticket) -> None:
    desk.answers.append(outbound.permanent("message is too long"))
    desk.reply(ticket, "x")
    desk.reply(ticket, "y")
    desk.run_due()

    first = desk.deliveries(ticket)[-2]
    assert (first["state"], first["last_error"]) == ("failed", "message is too long")
    [event] = desk.events(ticket, "delivery_failed")
    assert event["payload"]["error"] == "message is too long"
    assert desk.sent_bodies() == ["y"]


def test_a_blocked_address_is_not_written_to_until_its_owner_writes_again(desk: Desk, ticket: Ticket) -> None:
    desk.answers.append(outbound.permanent("the bot is blocked", suppress="the bot is blocked"))
    desk.reply(ticket, "x")
    desk.run_due()
    desk.reply(ticket, "y")
    desk.run_due()
    blocked_calls = len(desk.calls)
    blocked_error = _last(desk, ticket)["last_error"]

    desk.receive_telegram("I am back.", chat=42)
    desk.run_due()
    desk.reply(ticket, "z")
    desk.run_due()

    assert blocked_calls == 1
    assert blocked_error == "not sent: the bot is blocked"
    assert desk.sent_bodies() == ["z"]


def test_an_api_requesters_blocked_mail_address_is_found_in_any_case(desk: Desk) -> None:
    desk.answers.append(outbound.permanent("no such mailbox", suppress="no such mailbox"))
    made = desk.create_ticket(email="Ada@Example.com")  # acknowledged, which fails
    desk.run_due()

    desk.reply(made, "x")
    desk.run_due()

    assert [d["last_error"] for d in desk.deliveries(made)] == [
        "no such mailbox",
        "not sent: no such mailbox",
    ]
    assert len(desk.calls) == 1


@pytest.mark.parametrize("wanted", ["retry", "discard"])
def test_a_person_retries_or_discards_a_failed_delivery(desk: Desk, ticket: Ticket, wanted: str) -> None:
    desk.answers.append(outbound.permanent("blocked", suppress="blocked"))
    desk.reply(ticket, "x")
    desk.run_due()
    delivery_id = _last(desk, ticket)["id"]

    desk.command(getattr(deliveries, wanted), delivery_id)
    desk.run_due()

    if wanted == "retry":
        assert desk.sent_bodies() == ["x"]
        assert _last(desk, ticket)["state"] == "sent"
        assert "is sent" in desk.refused(deliveries.retry, delivery_id).message
    else:
        assert desk.sent_bodies() == []
        assert _last(desk, ticket)["state"] == "discarded"


def test_a_discarded_delivery_that_waits_for_its_turn_is_not_sent(desk: Desk, ticket: Ticket) -> None:
    desk.reply(ticket, "x")
    desk.command(deliveries.discard, _last(desk, ticket)["id"])
    desk.run_due()

    assert desk.calls == []


def test_a_message_for_later_is_sent_when_its_time_comes_and_holds_nothing_back(desk: Desk, ticket: Ticket) -> None:
    desk.reply(ticket, "later", send_at=clock.now() + timedelta(hours=2))
    desk.reply(ticket, "now")
    desk.run_due()
    at_once = desk.sent_bodies()
    state = desk.deliveries(ticket)[-2]["state"]
    desk.advance(hours=2, seconds=1)
    desk.run_due()

    assert (at_once, state) == (["now"], "scheduled")
    assert desk.sent_bodies() == ["now", "later"]


def test_a_message_for_later_that_is_discarded_is_never_sent(desk: Desk, ticket: Ticket) -> None:
    desk.reply(ticket, "later", send_at=clock.now() + timedelta(hours=2))
    desk.command(deliveries.discard, _last(desk, ticket)["id"])
    desk.advance(hours=3)
    desk.run_due()

    assert desk.calls == []


def test_429_waits_for_retry_after_for_the_chat_and_the_whole_account_when_asked(desk: Desk, ticket: Ticket) -> None:
    desk.bucket_list = [Bucket("telegram:demo", 0.001, 5), Bucket("telegram:demo:42", 0.001, 5)]
    desk.answers.append(SendOutcome("throttled", "429", retry_after_s=40, pause_account=True))
    desk.reply(ticket, "x")
    desk.run_due()
    desk.receive_telegram("Me too!", chat=43)
    desk.run_due()
    desk.advance(seconds=39)
    desk.run_due()
    too_early = len(desk.sent)

    desk.advance(seconds=3)
    desk.run_due()

    assert too_early == 0
    assert len(desk.sent) == 2
    assert {t["attempts"] for t in desk.tasks("done", kind="send_delivery")} == {1}, "429 counts as none"
    log = desk.deliveries(ticket)[-1]["attempt_log"]
    assert [attempt["outcome"] for attempt in log] == ["throttled", "accepted"]


def test_429_holds_up_what_shares_the_limit_whatever_its_address(desk: Desk, ticket: Ticket) -> None:
    desk.bucket_list = [Bucket("telegram:demo", 0.001, 5), Bucket("telegram:demo:the group", 0.001, 5)]
    desk.answers.append(SendOutcome("throttled", "429", retry_after_s=40))
    desk.reply(ticket, "x")
    desk.run_due()
    desk.receive_telegram("Me too!", chat=43)  # another topic of the same group, as the sender's buckets say
    desk.run_due()
    desk.advance(seconds=39)
    desk.run_due()
    too_early = len(desk.sent)

    desk.advance(seconds=3)
    desk.run_due()

    assert (too_early, len(desk.sent)) == (0, 2)


def test_the_parts_of_a_long_answer_count_all_against_the_limits(desk: Desk, ticket: Ticket) -> None:
    desk.bucket_list = [Bucket("telegram:demo:42", 10.0, 3)]
    desk.answers.append(SendOutcome("accepted", external_id="42:1", external_ids=("42:1", "42:2", "42:3", "42:4")))
    desk.reply(ticket, "long")
    desk.run_due()
    desk.reply(ticket, "short")
    desk.run_due()
    at_once = desk.sent_bodies()
    desk.advance(seconds=21)
    desk.run_due()

    assert at_once == ["long"]
    assert desk.sent_bodies() == ["long", "short"]


def test_a_rate_limit_of_ours_opens_no_attempt(desk: Desk, ticket: Ticket) -> None:
    desk.bucket_list = [Bucket("telegram:demo:42", 1.0, 1)]
    for number in range(3):
        desk.reply(ticket, f"{number}")

    desk.run_due()
    at_once = desk.sent_bodies()
    for _ in range(3):
        desk.advance(seconds=1.1)
        desk.run_due()

    assert at_once == ["0"]
    assert desk.sent_bodies() == ["0", "1", "2"]
    assert [d["attempts"] for d in desk.deliveries(ticket)[-3:]] == [1, 1, 1]


def test_an_address_that_moved_is_followed_everywhere_and_the_message_repeated_there(
    desk: Desk, ticket: Ticket
) -> None:
    desk.answers.append(SendOutcome("permanent", "migrated", new_address="-10042"))
    desk.reply(ticket, "x")
    desk.run_due()

    assert [call.address for call in desk.calls] == ["42", "-10042"]
    assert _last(desk, ticket)["state"] == "sent"
    assert desk.reload(ticket).contact_address == "-10042"
    desk.receive_telegram("Still here.", chat=-10042, user=42)
    desk.run_due()
    assert len(desk.tickets()) == 1


def test_an_adapters_bug_leaves_the_outcome_unknown_and_is_repeated_once(desk: Desk, ticket: Ticket) -> None:
    desk.answers.extend([KeyError("result"), KeyError("result")])
    desk.reply(ticket, "x")
    for _ in range(4):
        desk.run_due()
        desk.advance(seconds=10)

    assert len(desk.calls) == 2
    delivery = _last(desk, ticket)
    assert delivery["state"] == "unknown"
    assert "not repeated again" in str(delivery["last_error"])
    desk.command(deliveries.retry, delivery["id"])
    desk.run_due()
    assert desk.sent_bodies() == ["x"]


def test_a_provider_that_is_away_for_a_day_makes_a_dead_letter_that_people_see(desk: Desk, ticket: Ticket) -> None:
    desk.reply(ticket, "x")
    while not desk.tasks("dead"):
        desk.answers.append(outbound.transient("away"))
        desk.run_due()
        desk.advance(minutes=11)

    delivery = _last(desk, ticket)
    assert delivery["state"] == "failed"
    assert "given up after 24 hours" in str(delivery["last_error"])
    assert len(desk.events(ticket, "delivery_failed")) == 1
    desk.answers.clear()
    desk.command(deliveries.retry, delivery["id"])
    desk.run_due()
    assert desk.sent_bodies() == ["x"]
