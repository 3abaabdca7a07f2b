"""What providers do to us, end to end: the documented outcome of each, in the attempt log and at the provider's end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.sandbox.client import SandboxProcess
from tests.faults import limits
from tests.faults.people import Channel, Requester
from tests.faults.stack import WORKER, RealDesk
from tests.services.postgres import PostgresServer
from tests.services.rabbitmq import RabbitServer
from tests.services.waiting import wait_until

# The worker's program with a read timeout of half a second instead of thirty; nothing else differs.
IMPATIENT = (
    "import sys; from models.kernel import limits; limits.send_read_timeout_s = 0.5;"
    "from queues.master import main; sys.exit(main())"
)
retry_after_s = 2


@pytest.fixture(scope="module")
def desk(
    shared_sandbox: SandboxProcess, durable_postgres: PostgresServer, rabbit_server: RabbitServer
) -> Iterator[RealDesk]:
    """A desk with one worker that waits half a second for an answer."""
    vhost = rabbit_server.create_vhost()
    url = durable_postgres.create_database()
    made = RealDesk(shared_sandbox, database_url=url, broker_url=vhost, workers=0, schedulers=0)
    made.add("worker", [sys.executable, "-c", IMPATIENT, *WORKER[3:]])
    with made:
        yield made
    rabbit_server.delete_vhost(vhost)


@pytest.fixture
def acquainted(desk: RealDesk) -> Callable[[Channel], Requester]:
    """Makes a requester whose first message was acknowledged."""

    def make(channel: Channel) -> Requester:
        requester = Requester(desk, channel)
        requester.write()
        wait_until(lambda: len(arrived(requester)) == 1, within_s=limits.settle_s, what="the acknowledgement")
        return requester

    return make


def arrived(requester: Requester) -> list[dict[str, Any]]:
    """What the provider got for the requester."""
    if requester.channel == "telegram":
        return [e for e in requester.desk.sandbox.outbox("telegram") if e["chat_id"] == requester.number]
    return [e for e in requester.desk.sandbox.outbox("email") if e["envelope_to"] == [requester.address]]


def texts(requester: Requester) -> list[str]:
    """The answers among them."""
    return [entry["text"].strip() for entry in arrived(requester) if entry["text"].startswith("answer ")]


def answer(requester: Requester) -> tuple[str, str, list[dict[str, Any]]]:
    """An agent answers; the text, the delivery's final state and its attempts."""
    requester.be_answered()
    text = requester.replies[-1]
    truth = requester.desk.truth

    def state() -> str:
        found = truth.delivery(text)
        assert found is not None
        return str(found["state"])

    wait_until(lambda: state() not in ("pending", "sending"), within_s=limits.settle_s, what=f"an end of {text}")
    return text, state(), truth.attempts(text)


def outcomes(attempts: list[dict[str, Any]]) -> list[str]:
    return [attempt["outcome"] for attempt in attempts]


def failures_told(requester: Requester) -> list[dict[str, Any]]:
    """The `delivery_failed` events of the requester's ticket, as the API shows them."""
    items = requester.desk.api().get(f"/v1/tickets/{requester.ticket()}/events?limit=200")["items"]
    return [event["payload"] for event in items if event["event_type"] == "delivery_failed"]


def send_task(desk: RealDesk, text: str) -> dict[str, Any]:
    delivery = desk.truth.delivery(text)
    assert delivery is not None
    return desk.truth.rows("SELECT * FROM tasks WHERE dedupe_key = ?", f"send:{delivery['id']}")[0]


def test_a_429_is_waited_for_and_uses_up_no_attempt(desk: RealDesk, acquainted: Callable[[Channel], Requester]) -> None:
    """Failure matrix: 429 / channel down: due_at moved, attempts not counted for 429."""
    requester = acquainted("telegram")
    desk.sandbox.fail("429", method="sendMessage", chat_id=requester.number, retry_after=retry_after_s)

    text, state, attempts = answer(requester)

    assert (state, outcomes(attempts)) == ("sent", ["throttled", "accepted"])
    assert texts(requester) == [text]
    task = send_task(desk, text)
    assert task["attempts"] == 1
    assert (task["finished_at"] - task["first_run_at"]).total_seconds() >= retry_after_s


def test_a_500_is_tried_again(desk: RealDesk, acquainted: Callable[[Channel], Requester]) -> None:
    """Failure matrix: channel down: backoff."""
    requester = acquainted("telegram")
    desk.sandbox.fail("500", method="sendMessage", chat_id=requester.number, times=2)

    text, state, attempts = answer(requester)

    assert (state, outcomes(attempts)) == ("sent", ["transient", "transient", "accepted"])
    assert not any(attempt["possibly_duplicate"] for attempt in attempts)
    assert texts(requester) == [text]


def test_a_call_without_an_answer_is_repeated_once_and_marked(
    desk: RealDesk, acquainted: Callable[[Channel], Requester]
) -> None:
    """Failure matrix: during or after the call, before the record: unknown, then the channel's rule."""
    requester = acquainted("telegram")
    desk.sandbox.fail("hang", method="sendMessage", chat_id=requester.number, hang_s=3)

    text, state, attempts = answer(requester)

    assert (state, outcomes(attempts)) == ("sent", ["unknown", "accepted"])
    assert [bool(attempt["possibly_duplicate"]) for attempt in attempts] == [False, True]
    assert texts(requester) == [text, text], "the fake Bot API took both; only the first could not be known"


def test_a_second_call_without_an_answer_is_left_to_a_person(
    desk: RealDesk, acquainted: Callable[[Channel], Requester]
) -> None:
    """Resend once, mark it, then stop; the conversation goes on."""
    requester = acquainted("telegram")
    desk.sandbox.fail("hang", method="sendMessage", chat_id=requester.number, hang_s=3, times=2)

    text, state, attempts = answer(requester)
    after, after_state, _ = answer(requester)

    assert (state, outcomes(attempts)) == ("unknown", ["unknown", "unknown"])
    assert [told["state"] for told in failures_told(requester)] == ["unknown"]
    listed = desk.api().get("/v1/deliveries?status=unknown&limit=200")["items"]
    assert str(requester.number) in {delivery["address"] for delivery in listed}
    assert (after_state, texts(requester)[-1]) == ("sent", after), "the next answer is not held back"
    assert texts(requester).count(text) == 2


def test_a_403_ends_the_delivery_and_the_address_rests_until_its_owner_writes_again(
    desk: RealDesk, acquainted: Callable[[Channel], Requester]
) -> None:
    """A blocked bot is permanent, seen by people, and forgotten when the person comes back."""
    requester = acquainted("telegram")
    desk.sandbox.fail("403", method="sendMessage", chat_id=requester.number)

    _, state, attempts = answer(requester)
    _, state_after, attempts_after = answer(requester)

    assert (state, outcomes(attempts)) == ("failed", ["permanent"])
    assert (state_after, attempts_after) == ("failed", []), "an address that refused us is not called"
    assert len(failures_told(requester)) == 2
    assert texts(requester) == []

    requester.write()
    wait_until(
        lambda: requester.event(requester.event_ids[-1])["status"] == "processed",
        within_s=limits.settle_s,
        what="the person's return",
    )
    text, state_at_last, _ = answer(requester)
    assert (state_at_last, texts(requester)) == ("sent", [text])


def test_a_450_is_tried_again(desk: RealDesk, acquainted: Callable[[Channel], Requester]) -> None:
    """Failure matrix: channel down, on SMTP: greylisting."""
    requester = acquainted("email")
    desk.sandbox.fail_mail("reject", stage="rcpt", code=450, text="4.2.0 Greylisted", recipient=requester.address)

    text, state, attempts = answer(requester)

    assert (state, outcomes(attempts)) == ("sent", ["transient", "accepted"])
    assert texts(requester) == [text]


def test_a_550_ends_the_delivery_and_is_seen(desk: RealDesk, acquainted: Callable[[Channel], Requester]) -> None:
    """Permanent: no retry; a mailbox that does not exist is not written to again."""
    requester = acquainted("email")
    desk.sandbox.fail_mail("reject", stage="rcpt", code=550, text="5.1.1 No such user", recipient=requester.address)

    _, state, attempts = answer(requester)
    _, state_after, attempts_after = answer(requester)

    assert (state, outcomes(attempts)) == ("failed", ["permanent"])
    assert (state_after, attempts_after) == ("failed", [])
    assert len(failures_told(requester)) == 2
    assert texts(requester) == []


def test_a_mail_server_that_hangs_up_after_the_data_gets_the_same_mail_again(
    desk: RealDesk, acquainted: Callable[[Channel], Requester]
) -> None:
    """E-mail is sent again under the same Message-ID, by which the receiving side drops the repeat."""
    requester = acquainted("email")
    desk.sandbox.fail_mail("drop_after", stage="data", recipient=requester.address)

    text, state, attempts = answer(requester)

    assert (state, outcomes(attempts)) == ("sent", ["unknown", "accepted"])
    assert [bool(attempt["possibly_duplicate"]) for attempt in attempts] == [False, True]
    assert texts(requester) == [text, text]
    ids = [entry["message_id"] for entry in arrived(requester) if entry["text"].startswith("answer ")]
    assert len(set(ids)) == 1
